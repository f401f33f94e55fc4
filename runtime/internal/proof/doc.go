// Package proof holds the tests of the runtime as a whole, against real servers
// that fail: pool and transactions over a primary that dies and a standby that
// takes its place, a primary that is demoted alive, PgBouncer in transaction
// mode, and a server that ends sessions at random. It has no code of its own.
//
// In ordinary runs they are scaled down; `make soak` runs them whole, with
//
//	-soak          whole: and a missing PgBouncer is a failure
//	-failovers N   failovers of each kind (default 3, 100 with -soak)
//	-churn D       duration of the churn (default 5s, 2m with -soak)
//
// and prints what was counted and measured.
package proof
