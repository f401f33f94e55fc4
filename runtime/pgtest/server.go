package pgtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options steer [Start]. The zero value is what [New] uses.
type Options struct {
	// BinDir is the folder with the binaries postgres and initdb. If set, a
	// server is started from it whatever the environment says.
	BinDir string
	// Settings are server settings (postgresql.conf); they come after ours and
	// so win. If there are any, a server is started for them.
	Settings map[string]string
}

// Server is a running PostgreSQL. Its methods are safe for concurrent use.
type Server struct {
	// URL leads to the maintenance database of the server.
	URL string
	// Version is the server's own version text, such as "16.9".
	Version string
	// PID is the process id of a server that was started here, else 0.
	PID int

	admin   *pgxpool.Pool
	run     string    // marks the databases of this process
	lock    *pgx.Conn // holds the advisory lock that says this process lives
	process *process  // nil for a server that was there before
	cluster bool      // all of it goes with a Cluster
	serial  atomic.Uint64

	mu        sync.Mutex
	templates map[string]*template // by schema text
	kept      map[string]bool      // databases not to drop
}

// template is one template database; once guards its making.
type template struct {
	once sync.Once
	name string
	err  error
}

// Start returns a server: the one [EnvURL] names if it is set and opts is zero,
// else a new one. [Server.Stop] ends it; it also ends with this
// process, even a killed one. The context bounds the start alone.
func Start(ctx context.Context, opts Options) (*Server, error) {
	s := &Server{templates: map[string]*template{}}
	if s.URL = os.Getenv(EnvURL); s.URL == "" || opts.BinDir != "" || len(opts.Settings) > 0 {
		p, err := launch(ctx, opts)
		if err != nil {
			return nil, err
		}
		s.process, s.URL, s.PID = p, p.url, p.pid
	}
	if err := s.open(ctx); err != nil {
		_ = s.Stop()
		return nil, err
	}
	return s, nil
}

// lockSpace is the first key of the advisory locks that mark living processes.
const lockSpace = 0x64626765 // "dbge"

func (s *Server) open(ctx context.Context) error {
	config, err := pgxpool.ParseConfig(s.URL)
	if err != nil {
		return err
	}
	config.MaxConns = 4
	if s.admin, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return err
	}
	if err := s.admin.QueryRow(ctx, "SELECT split_part(current_setting('server_version'), ' ', 1)").Scan(&s.Version); err != nil {
		return err
	}
	var id [4]byte
	if _, err := rand.Read(id[:]); err != nil {
		return err
	}
	s.run = hex.EncodeToString(id[:])
	if s.process != nil || s.cluster {
		return nil
	}
	// The server outlives us: mark our databases with a lock that ends with our
	// session, and drop those whose owner is gone.
	if s.lock, err = pgx.Connect(ctx, s.URL); err != nil {
		return err
	}
	if _, err := s.lock.Exec(ctx, "SELECT pg_advisory_lock($1, hashtext($2))", lockSpace, s.run); err != nil {
		return err
	}
	return s.dropStale(ctx)
}

// prefix starts the name of every database made here: dbgen_test_RUN_N.
const prefix = "dbgen_test_"

func (s *Server) dropStale(ctx context.Context) error {
	rows, err := s.admin.Query(ctx,
		`SELECT datname FROM pg_database WHERE starts_with(datname, $1) AND pg_get_userbyid(datdba) = current_user`, prefix)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		run, _, ok := strings.Cut(strings.TrimPrefix(name, prefix), "_")
		if !ok || run == s.run {
			continue
		}
		var stale bool
		err := s.lock.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, hashtext($2))", lockSpace, run).Scan(&stale)
		if err != nil {
			return err
		}
		if !stale {
			continue
		}
		err = s.drop(ctx, name)
		if _, unlockErr := s.lock.Exec(ctx, "SELECT pg_advisory_unlock($1, hashtext($2))", lockSpace, run); err == nil {
			err = unlockErr
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Stop ends a server that was started here and removes its files; on a server
// that was there before it drops the databases made by this process. It may be
// called more than once.
func (s *Server) Stop() error {
	var err error
	if s.process == nil && !s.cluster && s.admin != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err = s.dropOwn(ctx)
	}
	if s.lock != nil {
		_ = s.lock.Close(context.Background())
		s.lock = nil
	}
	if s.admin != nil {
		s.admin.Close()
		s.admin = nil
	}
	if s.process != nil {
		err = s.process.stop()
	}
	return err
}

func (s *Server) dropOwn(ctx context.Context) error {
	rows, err := s.admin.Query(ctx, `SELECT datname FROM pg_database WHERE starts_with(datname, $1)`, prefix+s.run+"_")
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		s.mu.Lock()
		kept := s.kept[name]
		s.mu.Unlock()
		if kept {
			continue
		}
		if err := s.drop(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// keep leaves a database, and a server that was started here, after the end of
// this process.
func (s *Server) keep(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil && len(s.kept) == 0 {
		if err := s.process.leave(); err != nil {
			return err
		}
	}
	if s.kept == nil {
		s.kept = map[string]bool{}
	}
	s.kept[name] = true
	return nil
}

// howToEnd tells how to end a server that is left running.
func (s *Server) howToEnd() string {
	if s.process == nil {
		return ""
	}
	return fmt.Sprintf(" (kill -INT %d ends its server, and removes its files)", s.PID)
}

// Database is a database made by [Server.Create].
type Database struct {
	// Name is the database's name, URL leads to it.
	Name, URL string

	server *Server
}

// Create makes a new database with the given schema: a clone of the template
// that holds this schema, which is made at the first call with it.
func (s *Server) Create(ctx context.Context, schema ...Source) (*Database, error) {
	scripts, err := loadAll(schema)
	if err != nil {
		return nil, err
	}
	from, err := s.template(ctx, scripts)
	if err != nil {
		return nil, err
	}
	name := s.newName()
	if _, err := s.admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+from); err != nil {
		return nil, fmt.Errorf("create database: %w", err)
	}
	return &Database{Name: name, URL: withDatabase(s.URL, name), server: s}, nil
}

// On returns the URL of the database on one node of the cluster it was made in.
func (d *Database) On(n *Node) string { return withDatabase(n.URL(), d.Name) }

// Drop removes the database and ends the sessions in it.
func (d *Database) Drop(ctx context.Context) error { return d.server.drop(ctx, d.Name) }

func (s *Server) drop(ctx context.Context, name string) error {
	// A template must be an ordinary database before it can go.
	if _, err := s.admin.Exec(ctx, "ALTER DATABASE "+name+" WITH IS_TEMPLATE false"); err != nil {
		return fmt.Errorf("drop database: %w", err)
	}
	if _, err := s.admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop database: %w", err)
	}
	return nil
}

func (s *Server) newName() string {
	return fmt.Sprintf("%s%s_%d", prefix, s.run, s.serial.Add(1))
}

func (s *Server) template(ctx context.Context, scripts []script) (string, error) {
	if len(scripts) == 0 {
		return "template0", nil
	}
	var key strings.Builder
	for _, script := range scripts {
		fmt.Fprintf(&key, "%d:%s", len(script.text), script.text)
	}
	s.mu.Lock()
	t := s.templates[key.String()]
	if t == nil {
		t = &template{}
		s.templates[key.String()] = t
	}
	s.mu.Unlock()
	t.once.Do(func() { t.name, t.err = s.makeTemplate(ctx, scripts) })
	return t.name, t.err
}

func (s *Server) makeTemplate(ctx context.Context, scripts []script) (string, error) {
	name := s.newName()
	if _, err := s.admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return "", fmt.Errorf("create template database: %w", err)
	}
	conn, err := pgx.Connect(ctx, withDatabase(s.URL, name))
	if err != nil {
		return "", err
	}
	for _, script := range scripts {
		if _, err := conn.Exec(ctx, script.text, pgx.QueryExecModeSimpleProtocol); err != nil {
			_ = conn.Close(ctx)
			_ = s.drop(ctx, name)
			return "", scriptError(script, err)
		}
	}
	if err := conn.Close(ctx); err != nil {
		return "", err
	}
	if _, err := s.admin.Exec(ctx, "ALTER DATABASE "+name+" WITH ALLOW_CONNECTIONS false IS_TEMPLATE true"); err != nil {
		return "", fmt.Errorf("create template database: %w", err)
	}
	return name, nil
}

// withDatabase returns dsn, a URL or keywords and values, with another database.
func withDatabase(dsn, name string) string {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		if u, err := url.Parse(dsn); err == nil {
			u.Path = "/" + name
			query := u.Query()
			query.Del("dbname")
			u.RawQuery = query.Encode()
			return u.String()
		}
	}
	return dsn + " dbname=" + name
}

// logSize is the length of the server's log so far, 0 where we do not have it.
func (s *Server) logSize() int64 {
	if s.process == nil {
		return 0
	}
	info, err := s.process.log.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// Log returns the last bytes (at most 64 KiB) of the log of a server started
// here, "" for any other.
func (s *Server) Log() string {
	if s.process == nil {
		return ""
	}
	return s.process.logFrom(0)
}

// logOf returns the lines about one database since a mark, the last 60.
func (s *Server) logOf(mark int64, database string) string {
	if s.process == nil {
		return ""
	}
	var lines [][]byte
	ours := false
	for line := range bytes.Lines([]byte(s.process.logFrom(mark))) {
		// Every line of a message after its first starts with a tab.
		if !bytes.HasPrefix(line, []byte("\t")) {
			ours = bytes.Contains(line, []byte(" "+database+" "))
		}
		if ours {
			lines = append(lines, line)
		}
	}
	if len(lines) > 60 {
		lines = lines[len(lines)-60:]
	}
	return string(bytes.Join(lines, nil))
}
