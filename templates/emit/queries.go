package emit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/dbgen/dbgen/templates/gotype"
	"github.com/dbgen/dbgen/templates/model"
)

// connection is what a repository or an aggregate of them runs on.
type connection struct {
	// typ is its type in package runtime.
	typ string
	// where, db and tx go into sentences: what something runs where, what New
	// takes and what WithTx takes.
	where, db, tx string
}

func connectionOf(scoped bool) connection {
	if scoped {
		return connection{
			"TenantDB", " in transactions of a tenant",
			"in db, a transaction of a tenant: a *txn.TenantTx.", "in db, another transaction of a tenant.",
		}
	}
	return connection{"DB", "", "on db: a *pgx.Conn, a pgx.Tx or a pool.", "on db, usually a transaction."}
}

// packageDoc is the package's comment.
func (w *writer) packageDoc() []string {
	return wrap(fmt.Sprintf("Package %s runs the queries of %s.", w.pkg.Name, sources(w.pkg.Repositories)))
}

// sources lists the query files of repositories as a sentence does.
func sources(list []*model.Repository) string {
	var words []string
	for _, r := range list {
		words = append(words, r.Source)
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// aggregate is a type that has the methods of several repositories.
type aggregate struct {
	name, constructor string
	// runs says what it runs.
	runs         string
	scoped       bool
	repositories []*model.Repository
}

// aggregates are Queries and, where only some of the repositories are scoped to
// a tenant, TenantQueries.
func (w *writer) aggregates() []aggregate {
	all := w.pkg.Repositories
	unscoped := slices.DeleteFunc(slices.Clone(all), func(r *model.Repository) bool { return r.Scoped })
	everything := aggregate{"Queries", "New", "all queries of the package", len(unscoped) < len(all), all}
	if len(unscoped) == 0 || len(unscoped) == len(all) {
		return []aggregate{everything}
	}
	everything.name, everything.constructor = "TenantQueries", "NewTenantQueries"
	return []aggregate{
		{"Queries", "New", fmt.Sprintf("the queries of %s, which belong to no tenant; [TenantQueries] runs all", sources(unscoped)), false, unscoped},
		everything,
	}
}

// queries writes what concerns the package as a whole.
func (w *writer) queries() []jen.Code {
	out := []jen.Code{
		jen.Const().Id("_").Op("=").Add(rt("SupportsGenerated1")),
		doc(wrap("SearchPath is the search_path with which the queries were analysed, for pool.Config.SearchPath. With another one " +
			"a name can mean another table: the server's own default begins with a schema named after the role.")...).
			Const().Id("SearchPath").Op("=").Lit(w.pkg.SearchPath),
	}
	if w.pkg.TenantSetting != "" {
		out = append(out, doc(wrap("TenantSetting is the setting in which row-level security finds the tenant of a transaction.")...).
			Const().Id("TenantSetting").Op("=").Lit(w.pkg.TenantSetting))
	}
	for _, a := range w.aggregates() {
		out = append(out, a.declarations()...)
	}
	return out
}

func (a aggregate) declarations() []jen.Code {
	on := connectionOf(a.scoped)
	out := []jen.Code{
		doc(wrap(a.name + " runs " + a.runs + on.where + ".")...).Type().Id(a.name).StructFunc(func(g *jen.Group) {
			for _, r := range a.repositories {
				g.Op("*").Id(r.Name)
			}
		}),
		doc(wrap(fmt.Sprintf("%s returns %s that run %s They are as safe for concurrent use as db is.", a.constructor, a.name, on.db))...).
			Func().Id(a.constructor).Params(jen.Id("db").Add(rt(on.typ))).Op("*").Id(a.name).
			Block(jen.Return(jen.Op("&").Id(a.name).Custom(multiline(), a.members()...))),
		doc(wrap(fmt.Sprintf("WithTx returns %s that run %s", a.name, on.tx))...).
			Func().Params(jen.Op("*").Id(a.name)).Id("WithTx").Params(jen.Id("db").Add(rt(on.typ))).Op("*").Id(a.name).
			Block(jen.Return(jen.Id(a.constructor).Call(jen.Id("db")))),
	}
	if a.scoped {
		return append(out, a.inTenant())
	}
	return append(out, a.inTx())
}

func (a aggregate) members() []jen.Code {
	var out []jen.Code
	for _, r := range a.repositories {
		out = append(out, jen.Id(r.Name).Op(":").Id("New"+r.Name).Call(jen.Id("db")))
	}
	return out
}

// mayRepeat is what both ways to run a transaction promise and ask for.
const mayRepeat = "It is committed if fn returns nil, and rolled back otherwise. If the server gives it up because of another one " +
	"(a serialization failure or a deadlock), fn runs again in a new transaction, so what fn does outside of q may be done more " +
	"than once. "

// inTx writes the method that runs a closure in a transaction.
func (a aggregate) inTx() jen.Code {
	return doc(
		wrap(fmt.Sprintf("InTx runs fn with other %s, on a transaction of m. ", a.name) + mayRepeat + "Where ctx is that of a transaction of m, fn joins it; " +
			"m.Run in fn therefore gives the *txn.Tx itself, for its hooks and savepoints.")...,
	).
		Func().Params(jen.Op("*").Id(a.name)).Id("InTx").
		Params(append([]jen.Code{ctxParam(), managerParam()}, a.closure()...)...).Error().
		Block(jen.Return(jen.Id("m").Dot("Run").Call(jen.Id("ctx"), a.run("Tx"), jen.Id("opts").Op("..."))))
}

// inTenant writes the function that runs a closure in a transaction of a tenant.
// It is no method: without a transaction there is nothing to call one on.
func (a aggregate) inTenant() jen.Code {
	return doc(
		wrap(fmt.Sprintf("InTenant runs fn with %s in a transaction of m that belongs to a tenant: TenantSetting has its id until the "+
			"transaction ends. ", a.name) + mayRepeat + "Where ctx is that of a transaction of m and of the same " +
			"tenant, fn joins it; m.RunTenant in fn therefore gives the *txn.TenantTx itself, for its hooks and savepoints.")...,
	).
		Func().Id("InTenant").
		Params(append([]jen.Code{ctxParam(), managerParam(), jen.Id("tenant").String()}, a.closure()...)...).Error().
		Block(jen.Return(jen.Id("m").Dot("RunTenant").Call(
			jen.Id("ctx"),
			jen.Qual(gotype.TxnPath, "Tenant").Values(jen.Id("Setting").Op(":").Id("TenantSetting"), jen.Id("ID").Op(":").Id("tenant")),
			a.run("TenantTx"), jen.Id("opts").Op("..."),
		)))
}

func ctxParam() jen.Code { return jen.Id("ctx").Qual("context", "Context") }

func managerParam() jen.Code { return jen.Id("m").Op("*").Qual(gotype.TxnPath, "Manager") }

// closure are the parameters of a function that runs one.
func (a aggregate) closure() []jen.Code {
	return []jen.Code{
		jen.Id("fn").Func().Params(ctxParam(), jen.Id("q").Op("*").Id(a.name)).Error(),
		jen.Id("opts").Op("...").Qual(gotype.TxnPath, "Option"),
	}
}

// run is the closure that the manager runs in a transaction of the given type.
func (a aggregate) run(tx string) jen.Code {
	return jen.Func().Params(ctxParam(), jen.Id("tx").Op("*").Qual(gotype.TxnPath, tx)).Error().
		Block(jen.Return(jen.Id("fn").Call(jen.Id("ctx"), jen.Id(a.constructor).Call(jen.Id("tx")))))
}
