package runtime_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/jackc/pgx/v5"
)

// exampleConn returns a connection to a new database.
func exampleConn(schema string) (conn *pgx.Conn, stop func()) {
	ctx := context.Background()
	server, err := pgtest.Shared()
	if err != nil {
		panic(err)
	}
	db, err := server.Create(ctx, pgtest.SQL(schema))
	if err != nil {
		panic(err)
	}
	if conn, err = pgx.Connect(ctx, db.URL); err != nil {
		panic(err)
	}
	return conn, func() { _ = conn.Close(ctx); _ = db.Drop(ctx) }
}

// What dbgen generates for a query, and how it is called.
func Example() {
	conn, stop := exampleConn(`CREATE TABLE authors (id int8 PRIMARY KEY, name text CONSTRAINT authors_name_key UNIQUE, bio text);
		INSERT INTO authors VALUES (1, 'Ada', 'Wrote the first program.'), (2, 'Grace', NULL)`)
	defer stop()
	ctx := context.Background()

	type Author struct {
		ID   int64
		Name string
		Bio  *string
	}
	scanAuthor := func(row *runtime.Row) Author {
		return Author{ID: row.Int64(0), Name: row.Text(1), Bio: runtime.Null(row, 2, (*runtime.Row).Text)}
	}
	getAuthor := runtime.Query{Name: "GetAuthor", SQL: "-- name: GetAuthor :one\nSELECT id, name, bio FROM authors WHERE id = $1", ReadOnly: true}
	listAuthors := runtime.Query{Name: "ListAuthors", SQL: "-- name: ListAuthors :iter\nSELECT id, name, bio FROM authors ORDER BY id", ReadOnly: true}
	addAuthor := runtime.Query{Name: "AddAuthor", SQL: "-- name: AddAuthor :exec\nINSERT INTO authors VALUES ($1, $2)"}
	var errNameTaken error = &runtime.ConstraintError{Schema: "public", Table: "authors", Constraint: "authors_name_key"}

	author, err := runtime.One(ctx, conn, getAuthor, scanAuthor, 1)
	fmt.Println(author.Name, *author.Bio, err)
	_, err = runtime.One(ctx, conn, getAuthor, scanAuthor, 3)
	fmt.Println(err, errors.Is(err, pgx.ErrNoRows))
	for author, err := range runtime.Iter(ctx, conn, listAuthors, scanAuthor) {
		fmt.Println(author.ID, author.Name, author.Bio == nil, err)
	}
	err = runtime.Exec(ctx, conn, addAuthor, 3, "Ada")
	fmt.Println(errors.Is(err, errNameTaken), runtime.AsError(err).IsUnique())
	// Output:
	// Ada Wrote the first program. <nil>
	// GetAuthor: no rows in result set true
	// 1 Ada false <nil>
	// 2 Grace true <nil>
	// true true
}

func ExampleEnumArray() {
	conn, stop := exampleConn(`CREATE TYPE mood AS ENUM ('happy', 'sad', 'tired')`)
	defer stop()
	type Mood string
	q := runtime.Query{Name: "Sorted", SQL: "SELECT array_agg(m ORDER BY m) FROM unnest($1::mood[]) m"}
	moods, err := runtime.One(context.Background(), conn, q,
		func(row *runtime.Row) []Mood { return runtime.Slice[Mood](row, 0) },
		runtime.EnumArray([]Mood{"tired", "happy"}))
	fmt.Println(moods, err)
	// Output: [happy tired] <nil>
}
