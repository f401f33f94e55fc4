//go:build !linux

package pgtest

// inMemory is a folder whose files lie in memory; here none is known.
func inMemory() string { return "" }
