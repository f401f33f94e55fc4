// Command demo runs the repositories that dbgen generated for the bookshop: it
// starts a throw-away PostgreSQL, applies the migrations, and sells two books
// through our pool and in transactions. It stops the server before it ends.
//
// Run it from the module's folder: go run ./testdata/bookshop/demo
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/dbgen/dbgen/golden/bookshop"
	"github.com/dbgen/dbgen/parser/migration"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	server, err := pgtest.Start(ctx, pgtest.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	schema, err := migrations("testdata/bookshop/migrations")
	if err != nil {
		return err
	}
	database, err := server.Create(ctx, pgtest.SQL(schema...))
	if err != nil {
		return err
	}
	fmt.Printf("PostgreSQL %s started, %d migrations applied\n", server.Version, len(schema))

	p, err := pool.New(ctx, database.URL, pool.Config{MaxConns: 4, SearchPath: bookshop.SearchPath})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close(ctx)) }()
	shop := &shop{pool: p, tx: txn.New(p), q: bookshop.New(p)}
	for _, step := range []func(context.Context) error{shop.stock, shop.sell, shop.compete, shop.refuse, shop.look} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	s := p.Stats()
	fmt.Printf("pool: %d of at most %d connections in use\n", s.Active, s.Max)
	return nil
}

// migrations returns the up parts of a folder of goose migrations, in order.
func migrations(dir string) ([]string, error) {
	files, diags := migration.Load([]string{dir})
	if diags.HasErrors() {
		return nil, &diags[0]
	}
	var texts []string
	for _, f := range files {
		texts = append(texts, f.Text)
	}
	return texts, nil
}

// shop is what the steps share.
type shop struct {
	pool      *pool.Pool
	tx        *txn.Manager
	q         *bookshop.Queries
	customer  int64
	editions  []int64
	warehouse int32
}

// stock fills the shelves. Publishers, warehouses and editions have no insert
// among the sample's queries: the pool takes plain SQL as well.
func (s *shop) stock(ctx context.Context) error {
	var publisher int32
	err := s.pool.QueryRow(ctx, `INSERT INTO publishers (name, country) VALUES ('Harbour Press', 'IE') RETURNING id`).Scan(&publisher)
	if err != nil {
		return err
	}
	err = s.pool.QueryRow(ctx, `INSERT INTO warehouses (code, city, country) VALUES ('DUB', 'Dublin', 'IE') RETURNING id`).Scan(&s.warehouse)
	if err != nil {
		return err
	}
	for i, title := range []string{"The Slow Tide", "Maps of the Interior"} {
		book, err := s.q.CreateBook(ctx, bookshop.CreateBookParams{
			PublisherID: publisher, Title: title, Language: "en", Genres: []string{"novel"},
			Attributes: json.RawMessage(`{"series": false}`),
		})
		if err != nil {
			return err
		}
		var edition int64
		err = s.pool.QueryRow(ctx, `INSERT INTO editions (book_id, isbn13, format, price)
			VALUES ($1, $2, 'paperback', $3) RETURNING id`, book.ID, fmt.Sprintf("978000000000%d", i), 12.5+float64(i)).Scan(&edition)
		if err != nil {
			return err
		}
		s.editions = append(s.editions, edition)
		if err := s.q.SetStock(ctx, bookshop.SetStockParams{WarehouseID: s.warehouse, EditionID: edition, OnHand: 5}); err != nil {
			return err
		}
	}
	fmt.Printf("stocked %d editions\n", len(s.editions))
	return nil
}

// sell places an order in one transaction. The server may give it up because of
// another one, and then it runs again: so it sets what the shop wants to know and
// adds nothing up, and what is told to the customer waits until it is over.
func (s *shop) sell(ctx context.Context) error {
	c, err := s.q.CreateCustomer(ctx, bookshop.CreateCustomerParams{
		Email: "ada@example.com", FullName: "Ada Byrne", Locale: "en",
	})
	if err != nil {
		return err
	}
	s.customer = c.ID
	var total pgtype.Numeric
	if err := total.Scan("26.00"); err != nil {
		return err
	}
	var order bookshop.CreateOrderRow
	var lines int64
	err = s.q.InTx(ctx, s.tx, func(ctx context.Context, q *bookshop.Queries) (err error) {
		order, err = q.CreateOrder(ctx, bookshop.CreateOrderParams{Number: "B-1001", CustomerID: c.ID, Total: total})
		if err != nil {
			return err
		}
		lines, err = q.AddOrderItems(ctx, bookshop.AddOrderItemsParams{
			OrderID: order.ID, EditionIDs: s.editions, Quantities: []int32{1, 1},
		})
		return err
	}, txn.Timeout(5*time.Second), txn.Label("place order"))
	if err != nil {
		return err
	}
	fmt.Printf("order B-1001 committed: %s, %d lines\n", order.Status, lines)
	return nil
}

// compete has two tills reserve what each saw on the shelf, at the same time: one
// of them saw it too early, and looks again.
func (s *shop) compete(ctx context.Context) error {
	var looked sync.WaitGroup
	looked.Add(2)
	till := func() error {
		look := sync.OnceFunc(func() { looked.Done(); looked.Wait() })
		defer look() // a till that fails keeps nobody waiting
		return s.q.InTx(ctx, s.tx, func(ctx context.Context, q *bookshop.Queries) error {
			stock, _, err := q.GetStock(ctx, s.editions[0], s.warehouse)
			look()
			if err != nil || stock.Available < 3 {
				return err
			}
			_, err = q.ReserveStock(ctx, bookshop.ReserveStockParams{Quantity: 3, EditionID: s.editions[0], WarehouseID: s.warehouse})
			return err
		}, txn.Isolation(pgx.RepeatableRead))
	}
	errs := make(chan error, 2)
	for range 2 {
		go func() { errs <- till() }()
	}
	if err := errors.Join(<-errs, <-errs); err != nil {
		return err
	}
	stock, _, err := s.q.GetStock(ctx, s.editions[0], s.warehouse)
	fmt.Printf("two tills wanted 3 of %d: %d reserved, %d transaction ran again\n", stock.OnHand, stock.Reserved, s.tx.Stats().Retries)
	return err
}

// refuse shows that a violated constraint is an error to match, not a text.
func (s *shop) refuse(ctx context.Context) error {
	_, err := s.q.CreateCustomer(ctx, bookshop.CreateCustomerParams{Email: "ADA@example.com", FullName: "Ada B.", Locale: "en"})
	if !errors.Is(err, bookshop.ErrCustomersEmailLowerKey) {
		return fmt.Errorf("a second account for one address should violate customers_email_lower_key: %w", err)
	}
	fmt.Println("second account refused: customers_email_lower_key")
	_, found, err := s.q.FindCustomerByEmail(ctx, "nobody@example.com")
	if err != nil {
		return err
	}
	fmt.Println("nobody@example.com found:", found)
	return nil
}

// look reads back: a list, and a stream.
func (s *shop) look(ctx context.Context) error {
	orders, err := s.q.ListCustomerOrders(ctx, s.customer, 10)
	if err != nil {
		return err
	}
	for _, o := range orders {
		total, err := o.Total.Value()
		if err != nil {
			return err
		}
		fmt.Printf("order %s: %s, %v %s\n", o.Number, o.Status, total, o.Currency)
	}
	for entry, err := range s.q.StreamCatalog(ctx, 0) {
		if err != nil {
			return err
		}
		fmt.Printf("catalog: %s (%s, %s)\n", entry.Title, entry.Format, entry.Publisher)
	}
	return nil
}
