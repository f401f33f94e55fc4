package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// server is a database with the schema of the cases.
type server struct {
	conn  *pgx.Conn
	major int
	types map[[2]int64]string
	// admin, if it is there, made the database and drops it.
	admin *pgx.Conn
	name  string
}

// open makes a database on the server at url and applies schema to it.
func open(ctx context.Context, url, schema string) (*server, error) {
	admin, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	name := fmt.Sprintf("dbgen_cases_%d", os.Getpid())
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"); err != nil {
		return nil, fmt.Errorf("create a database: %w", err)
	}
	config := admin.Config().Copy()
	config.Database = name
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	s, err := newServer(ctx, conn, schema)
	if err != nil {
		return nil, err
	}
	s.admin, s.name = admin, name
	return s, nil
}

// newServer applies schema to the database of conn.
func newServer(ctx context.Context, conn *pgx.Conn, schema string) (*server, error) {
	s := &server{conn: conn, types: map[[2]int64]string{}}
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int / 10000").Scan(&s.major); err != nil {
		return nil, fmt.Errorf("ask for the version: %w", err)
	}
	if _, err := conn.Exec(ctx, schema); err != nil {
		return nil, fmt.Errorf("apply the schema: %w", err)
	}
	return s, nil
}

// drop closes the database and drops it.
func (s *server) drop(ctx context.Context) error {
	if err := s.conn.Close(ctx); err != nil {
		return err
	}
	defer s.admin.Close(ctx) //nolint:errcheck // nothing is lost
	_, err := s.admin.Exec(ctx, "DROP DATABASE "+s.name)
	return err
}

// ask prepares a statement and returns the server's answer.
func (s *server) ask(ctx context.Context, sql string) (string, error) {
	d, err := s.conn.PgConn().Prepare(ctx, "", sql, nil)
	if err != nil {
		var bad *pgconn.PgError
		if !errors.As(err, &bad) {
			return "", err
		}
		r := refusal{state: bad.Code, message: bad.Message, detail: bad.Detail, hint: bad.Hint}
		if bad.Position > 0 {
			r.line, r.column = place(sql, int(bad.Position)-1)
		}
		return r.String(), nil
	}
	var params, columns []string
	for _, p := range d.ParamOIDs {
		t, err := s.typeName(ctx, p, -1)
		if err != nil {
			return "", err
		}
		params = append(params, t)
	}
	for _, f := range d.Fields {
		t, err := s.typeName(ctx, f.DataTypeOID, f.TypeModifier)
		if err != nil {
			return "", err
		}
		t = f.Name + " " + t
		if f.TableOID != 0 {
			var table string
			if err := s.conn.QueryRow(ctx, "SELECT relname::text FROM pg_class WHERE oid = $1", f.TableOID).Scan(&table); err != nil {
				return "", err
			}
			t += fmt.Sprintf(" of %s.%d", table, int16(f.TableAttributeNumber)) //nolint:gosec // int16 on the wire
		}
		columns = append(columns, t)
	}
	return accepted(params, columns), nil
}

// typeName is format_type's answer, asked once.
func (s *server) typeName(ctx context.Context, oid uint32, mod int32) (string, error) {
	key := [2]int64{int64(oid), int64(mod)}
	if t, ok := s.types[key]; ok {
		return t, nil
	}
	var t string
	if err := s.conn.QueryRow(ctx, "SELECT format_type($1, $2)", oid, mod).Scan(&t); err != nil {
		return "", err
	}
	s.types[key] = t
	return t, nil
}
