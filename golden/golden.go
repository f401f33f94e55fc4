// Package golden holds packages that dbgen generates, one a folder, so that the
// compiler, vet and staticcheck see generated code with all other code.
//
// Each folder but bookshop has its schema and queries in sql/; those of the
// bookshop are the sample project in testdata. They are held against what is
// generated now, and rewritten, by `go test ./templates/emit [-update]`; the
// tests here run them against a server.
package golden
