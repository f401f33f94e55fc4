// Package pull reads catalogs from a live PostgreSQL server into the text form
// that parser/catalog/builtin reads: the built-in objects of its major version,
// and extensions, whether installed or only to be had.
//
// A file of built-in objects has a section per catalog (see package builtin). A
// file of extensions has a block per extension, with the same sections and some
// columns more: the labels of enums, and as SQL what has to be analysed where
// the extension is created, views and defaults and conditions. In them an empty
// schema is the one that the extension is in, OIDs below 12000 are the server's,
// those from 16384 on are numbers of the block: first the extension's own
// objects in the order of their OIDs, then those of others, which the section
// refs names.
//
// The package imports pgx.
package pull
