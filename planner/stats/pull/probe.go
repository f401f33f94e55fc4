package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/planner/stats"
)

// batchSize is how many statements go to the server at a time.
const batchSize = 100

// batch runs read-only statements of one result row with text values and hands
// each row on, nil for a statement that failed or gave none. A failing
// statement ends a batch, so the statements of one with a failure are run anew
// one by one, each in a savepoint.
func (p *puller) batch(ctx context.Context, sqls []string, use func(i int, row [][]byte)) error {
	for start := 0; start < len(sqls); start += batchSize {
		part := sqls[start:min(start+batchSize, len(sqls))]
		p.progress(start, len(sqls))
		rows, err := p.run(ctx, part)
		if err != nil {
			var pgErr *pgconn.PgError
			if !errors.As(err, &pgErr) || ctx.Err() != nil {
				return err
			}
			rows = nil
			for _, sql := range part {
				one, err := p.run(ctx, []string{sql})
				switch {
				case err == nil:
					rows = append(rows, one...)
				case errors.As(err, &pgErr) && ctx.Err() == nil:
					rows = append(rows, nil)
				default:
					return err
				}
			}
		}
		for i, row := range rows {
			use(start+i, row)
		}
	}
	return nil
}

// run sends statements in one round trip; after an error of the server the
// transaction is as it was before.
func (p *puller) run(ctx context.Context, sqls []string) ([][][]byte, error) {
	conn := p.tx.Conn().PgConn()
	if err := conn.Exec(ctx, "SAVEPOINT probe").Close(); err != nil {
		return nil, err
	}
	var b pgconn.Batch
	for _, sql := range sqls {
		b.ExecParams(sql, nil, nil, nil, nil)
	}
	out := make([][][]byte, 0, len(sqls))
	results := conn.ExecBatch(ctx, &b)
	for results.NextResult() {
		var first [][]byte
		reader := results.ResultReader()
		for reader.NextRow() {
			if first == nil {
				for _, v := range reader.Values() {
					first = append(first, append([]byte(nil), v...))
					if v == nil {
						first[len(first)-1] = nil
					}
				}
			}
		}
		if _, err := reader.Close(); err != nil {
			break // Close of the batch gives the same error
		}
		out = append(out, first)
	}
	err := results.Close()
	end := "RELEASE SAVEPOINT probe"
	if err != nil {
		end = "ROLLBACK TO SAVEPOINT probe; RELEASE SAVEPOINT probe"
	}
	if endErr := conn.Exec(ctx, end).Close(); err == nil {
		err = endErr
	}
	return out, err
}

// set changes settings until the end of the transaction.
func (p *puller) set(ctx context.Context, settings ...string) error {
	var b strings.Builder
	for i := 0; i < len(settings); i += 2 {
		fmt.Fprintf(&b, "SET LOCAL %s = '%s';", settings[i], settings[i+1])
	}
	return p.tx.Conn().PgConn().Exec(ctx, b.String()).Close()
}

// pageinspect returns the schema of the extension where the role can use it, ""
// otherwise: its functions are for superusers.
func (p *puller) pageinspect(ctx context.Context) (string, error) {
	if !p.superuser {
		return "", nil
	}
	var schema string
	err := p.tx.QueryRow(ctx, `
		SELECT coalesce(max(quote_ident(n.nspname)), '') FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
		WHERE e.extname = 'pageinspect'`).Scan(&schema)
	return schema, err
}

// heights reads the height of every btree index and the counts of every GIN
// index.
func (p *puller) heights(ctx context.Context) error {
	schema, err := p.pageinspect(ctx)
	if err != nil {
		return err
	}
	if schema == "" {
		if err := p.probeHeights(ctx); err != nil {
			return err
		}
		return p.probeGIN(ctx)
	}
	var sqls []string
	var of []*index
	for _, x := range p.indexList {
		if !x.storage || x.x.Pages == 0 {
			continue
		}
		name := quoteLiteral(stats.QuoteIdent(x.table.schema) + "." + stats.QuoteIdent(x.name))
		switch x.method {
		case "btree":
			sqls = append(sqls, "SELECT fastlevel FROM "+schema+".bt_metap("+name+")")
		case "gin":
			sqls = append(sqls, "SELECT n_pending_pages, n_total_pages, n_entry_pages, n_data_pages, n_entries FROM "+
				schema+".gin_metapage_info("+schema+".get_raw_page("+name+", 0))")
		default:
			continue
		}
		of = append(of, x)
	}
	return p.batch(ctx, sqls, func(i int, row [][]byte) {
		values := make([]float64, len(row))
		for j, v := range row {
			f, err := strconv.ParseFloat(string(v), 64)
			if err != nil {
				return
			}
			values[j] = f
		}
		switch len(values) {
		case 1:
			h := int(values[0])
			of[i].x.Height = &h
		case 5:
			of[i].x.GIN = &stats.GIN{
				PendingPages: values[0], TotalPages: values[1], EntryPages: values[2], DataPages: values[3], Entries: values[4],
			}
		}
	})
}

// pageCPU is what a descent charges for each level, in units of
// cpu_operator_cost (DEFAULT_PAGE_CPU_MULTIPLIER, selfuncs.h).
const pageCPU = 50

// probeHeights has the server itself tell the heights: with cpu_operator_cost 1
// and the other costs of processing 0, the startup cost of an ordered scan of
// the whole index is ceil(log2(tuples)) + (height+1)*50 (btcostestimate,
// selfuncs.c), and the logarithm stays below 50. Where the plan uses another
// index of the same order the height stays unknown.
func (p *puller) probeHeights(ctx context.Context) error {
	err := p.set(
		ctx, "cpu_operator_cost", "1", "cpu_tuple_cost", "0", "cpu_index_tuple_cost", "0",
		"enable_seqscan", "off", "enable_bitmapscan", "off", "enable_sort", "off", "enable_incremental_sort", "off",
		"enable_indexscan", "on", "enable_indexonlyscan", "on", "max_parallel_workers_per_gather", "0", "jit", "off",
	)
	if err != nil {
		return err
	}
	var sqls []string
	var of []*index
	for _, x := range p.indexList {
		// Planning may fold a call over constants, which runs the function.
		if !x.probeable() || x.userCode {
			continue
		}
		sqls = append(sqls, "EXPLAIN (FORMAT JSON) SELECT 1 FROM ONLY "+x.table.sql()+x.where()+" ORDER BY "+x.order())
		of = append(of, x)
	}
	return p.batch(ctx, sqls, func(i int, row [][]byte) {
		if len(row) != 1 {
			return
		}
		var plans []struct{ Plan planNode }
		if json.Unmarshal(row[0], &plans) != nil || len(plans) != 1 {
			return
		}
		scan := plans[0].Plan.scan()
		if scan == nil || scan.Index != of[i].name || scan.Filter != "" {
			return
		}
		if h := int(math.Floor(scan.Startup/pageCPU)) - 1; h >= 0 {
			of[i].x.Height = &h
		}
	})
}

func (x *index) where() string {
	if x.predicate == "" {
		return ""
	}
	return " WHERE " + x.predicate
}

func (x *index) order() string {
	list := make([]string, len(x.keys))
	for i := range x.keys {
		list[i] = x.keys[i].order(false)
	}
	return strings.Join(list, ", ")
}

// planNode is what is needed of a node of EXPLAIN (FORMAT JSON).
type planNode struct {
	Startup float64    `json:"Startup Cost"`
	Total   float64    `json:"Total Cost"`
	Index   string     `json:"Index Name"`
	Filter  string     `json:"Filter"`
	Plans   []planNode `json:"Plans"`
}

// scan returns the index scan of a plan that is nothing else, nil otherwise.
func (n *planNode) scan() *planNode {
	for n.Index == "" {
		if len(n.Plans) != 1 {
			return nil
		}
		n = &n.Plans[0]
	}
	return n
}

// ends reads the ends of the first key of every btree index that the planner
// would look into (get_actual_variable_range, selfuncs.c: not partial ones).
// Indexes that begin with the same key share the query.
func (p *puller) ends(ctx context.Context) error {
	err := p.set(
		ctx, "statement_timeout", fmt.Sprintf("%dms", p.opts.ProbeTimeout.Milliseconds()),
		"enable_seqscan", "off", "enable_bitmapscan", "off", "enable_sort", "off", "enable_incremental_sort", "off",
		"enable_indexscan", "on", "enable_indexonlyscan", "on", "max_parallel_workers_per_gather", "0", "jit", "off",
	)
	if err != nil || p.opts.Level == stats.LevelShape {
		return err
	}
	var sqls []string
	var of [][]*index
	known := map[string]int{}
	for _, x := range p.indexList {
		// The query would run the function with the rights of the role.
		if !x.probeable() || x.predicate != "" || x.userCode {
			continue
		}
		k := x.keys[0]
		end := func(reverse bool) string {
			// Without the alias ORDER BY would take the name of the column for
			// that of the text in the select list.
			return "(SELECT (" + k.expr + `)::text AS "?end?" FROM ONLY ` + x.table.sql() + " WHERE (" + k.expr + ") IS NOT NULL ORDER BY " +
				k.order(reverse) + " LIMIT 1)"
		}
		// Min is the end with the smaller values, whichever way the index runs.
		sql := "SELECT " + end(k.desc) + ", " + end(!k.desc)
		i, ok := known[sql]
		if !ok {
			i = len(sqls)
			known[sql] = i
			sqls, of = append(sqls, sql), append(of, nil)
		}
		of[i] = append(of[i], x)
	}
	return p.batch(ctx, sqls, func(i int, row [][]byte) {
		if len(row) != 2 || row[0] == nil || row[1] == nil {
			return
		}
		lo, hi := string(row[0]), string(row[1])
		for _, x := range of[i] {
			x.x.Min, x.x.Max = &lo, &hi
		}
	})
}

// quoteLiteral returns s as an SQL constant, whatever
// standard_conforming_strings says.
func quoteLiteral(s string) string {
	s = strings.ReplaceAll(s, "'", "''")
	if strings.Contains(s, `\`) {
		return " E'" + strings.ReplaceAll(s, `\`, `\\`) + "'"
	}
	return "'" + s + "'"
}
