package pool_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// describe tells which servers a configuration may connect to, and how.
func describe(c *pgxpool.Config) string {
	var all []string
	for _, s := range append([]*pgconn.FallbackConfig{{Host: c.ConnConfig.Host, TLSConfig: c.ConnConfig.TLSConfig}}, c.ConnConfig.Fallbacks...) {
		how := "plain"
		switch t := s.TLSConfig; {
		case t == nil:
		case !t.InsecureSkipVerify:
			how = "full " + t.ServerName
		case t.VerifyPeerCertificate != nil:
			how = "ca"
		default:
			how = "encrypted"
		}
		if t := s.TLSConfig; t != nil && t.RootCAs != nil {
			how += " roots"
		}
		all = append(all, s.Host+" "+how)
	}
	return strings.Join(all, ", ")
}

// The policy holds for each host and fallback of the configuration, wherever
// sslmode comes from.
func TestTLSPolicy(t *testing.T) {
	clearEnv(t)
	t.Setenv("HOME", t.TempDir())
	dir := t.TempDir()
	authority := newAuthority(t)
	root := filepath.Join(dir, "root.pem")
	write(t, root, authority.pem)
	services := filepath.Join(dir, "services")
	write(t, services, []byte("[plain]\nhost=db.example.com\n[mode]\nhost=db.example.com\nsslmode=require\n"))
	const verify, ways = "use sslmode=verify-full, with sslrootcert=FILE", "allow it by Config.TLS (TLSAsGiven)"
	for _, test := range []struct {
		dsn       string
		policy    pool.TLSPolicy
		mode      string // PGSSLMODE
		configure func(*pgxpool.Config)
		want      string
		errs      []string
	}{
		// Local servers are left alone.
		{dsn: "host=localhost", want: "localhost encrypted, localhost plain"},
		{dsn: "host=LOCALHOST sslmode=disable", want: "LOCALHOST plain"},
		{dsn: "host=127.1.2.3,::1,/tmp,::ffff:127.0.0.1 sslmode=disable", want: "127.1.2.3 plain, ::1 plain, /tmp plain, ::ffff:127.0.0.1 plain"},
		// Not given: the policy's own.
		{dsn: "host=db.example.com", want: "db.example.com full db.example.com"},
		{dsn: "postgres://db.example.com/d?sslrootcert=" + root, want: "db.example.com full db.example.com roots"},
		{dsn: "host=10.0.0.1 sslsni=0", want: "10.0.0.1 full 10.0.0.1"},
		{dsn: "host=db.example.com sslnegotiation=direct", want: "db.example.com full db.example.com"},
		{dsn: "host=db.example.com sslrootcert=system", want: "db.example.com full db.example.com roots"},
		{dsn: "host=a.example.com,localhost,b.example.com", want: "a.example.com full a.example.com, localhost encrypted, localhost plain, b.example.com full b.example.com"},
		{dsn: "service=plain servicefile=" + services, want: "db.example.com full db.example.com"},
		{dsn: "host=db.example.com", policy: pool.TLSRequire, want: "db.example.com encrypted"},
		{dsn: "host=db.example.com", policy: pool.TLSAsGiven, want: "db.example.com encrypted, db.example.com plain"},
		// Given and good enough.
		{dsn: "host=db.example.com sslmode=verify-full", want: "db.example.com full db.example.com"},
		{dsn: "host=db.example.com sslmode=require", policy: pool.TLSRequire, want: "db.example.com encrypted"},
		{dsn: "host=db.example.com sslmode=verify-ca sslrootcert=" + root, policy: pool.TLSRequire, want: "db.example.com ca roots"},
		{dsn: "host=db.example.com sslmode=disable", policy: pool.TLSAsGiven, want: "db.example.com plain"},
		{dsn: "host=db.example.com", mode: "verify-full", want: "db.example.com full db.example.com"},
		// Given and weaker.
		{dsn: "host=db.example.com sslmode=disable", errs: []string{"host db.example.com: sslmode is disable and it may be connected to without encryption", verify, ways}},
		{dsn: "host=db.example.com sslmode=allow", errs: []string{"sslmode is allow and it may be connected to without encryption", verify, ways}},
		{dsn: "postgres://db.example.com?sslmode=prefer", errs: []string{"sslmode is prefer and nobody checks who answers", verify}},
		{dsn: "postgres://u:p@db.example.com/d?connect_timeout=3&ssl=true", errs: []string{"sslmode is require and nobody checks who answers", "Config.TLS (TLSRequire or TLSAsGiven)"}},
		{dsn: "host=db.example.com sslmode=verify-ca sslrootcert=" + root, errs: []string{"sslmode is verify-ca and nobody checks that the certificate is the host's own"}},
		{dsn: "host=db.example.com sslmode=prefer", policy: pool.TLSRequire, errs: []string{"sslmode is prefer and it may be connected to without encryption", ways}},
		{dsn: "host=db.example.com sslmode=allow", policy: pool.TLSRequire, errs: []string{"sslmode is allow and it may be connected to without"}},
		{dsn: "host=localhost,a.example.com,b.example.com sslmode=require", errs: []string{"host a.example.com: ", "host b.example.com: "}},
		{dsn: "host=db.example.com", mode: "prefer", errs: []string{"sslmode is prefer and"}},
		{dsn: "service=mode servicefile=" + services, errs: []string{"host db.example.com: nobody checks who answers"}},
		// Configure may not weaken it unseen.
		{
			dsn: "host=db.example.com", configure: func(c *pgxpool.Config) { c.ConnConfig.TLSConfig = nil },
			errs: []string{"host db.example.com: after Configure, it may be connected to without encryption"},
		},
		{
			dsn: "host=db.example.com", configure: func(c *pgxpool.Config) {
				c.ConnConfig.Fallbacks = append(c.ConnConfig.Fallbacks, &pgconn.FallbackConfig{Host: "c.example.com", TLSConfig: &tls.Config{InsecureSkipVerify: true}})
			},
			errs: []string{"host c.example.com: after Configure, nobody checks who answers"},
		},
		{dsn: "host=localhost", configure: func(c *pgxpool.Config) { c.ConnConfig.Host = "db.example.com" }, errs: []string{"host db.example.com: after Configure, nobody"}},
	} {
		t.Setenv("PGSSLMODE", test.mode)
		got := ""
		p, err := pool.New(context.Background(), test.dsn, pool.Config{TLS: test.policy, MinConns: -1, Configure: func(c *pgxpool.Config) error {
			got = describe(c)
			if test.configure != nil {
				test.configure(c)
			}
			return nil
		}})
		if err == nil {
			_ = p.Close(context.Background())
		}
		if test.errs == nil && err != nil || test.errs != nil && err == nil {
			t.Errorf("%s (%v, PGSSLMODE %q): %v", test.dsn, test.policy, test.mode, err)
			continue
		}
		for _, want := range test.errs {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s (%v): got %v, want %q in it", test.dsn, test.policy, err, want)
			}
		}
		if test.errs == nil {
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (%v, PGSSLMODE %q): %s", test.dsn, test.policy, test.mode, diff)
			}
		}
	}
}

// authority is a certificate authority of a test.
type authority struct {
	pem  []byte
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), cert, key}
}

// issue returns a certificate for host and its key, both in PEM.
func (a *authority) issue(t *testing.T, host string) (cert, key []byte) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &own.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// startTLS starts a server that has TLS, with a certificate of authority for
// host, on a loopback address of its own, which it returns.
func startTLS(t *testing.T, authority *authority, host string) (server *pgtest.Server, address string) {
	dir, err := os.MkdirTemp("", "pool-tls-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	cert, key := authority.issue(t, host)
	write(t, certFile, cert)
	write(t, keyFile, key)
	if os.Geteuid() == 0 { // the server runs as somebody else, who alone may read the key
		for _, name := range []string{"postgres", "nobody"} {
			if u, err := user.Lookup(name); err == nil {
				uid, _ := strconv.Atoi(u.Uid)
				for _, path := range []string{dir, certFile, keyFile} {
					if err := os.Chown(path, uid, -1); err != nil {
						t.Fatal(err)
					}
				}
				break
			}
		}
	}
	address = fmt.Sprintf("127.%d.%d.%d", 1+os.Getpid()>>16&0x7f, os.Getpid()>>8&0xff, 1+os.Getpid()&0x7f)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err = pgtest.Start(ctx, pgtest.Options{Settings: map[string]string{
		"ssl": "on", "ssl_cert_file": certFile, "ssl_key_file": keyFile, "listen_addresses": address,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server, address
}

func TestTLSServer(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	authority := newAuthority(t)
	root := filepath.Join(t.TempDir(), "root.pem")
	write(t, root, authority.pem)
	_, address := startTLS(t, authority, "db.example.com")
	// connect says whether the connection is encrypted; names lead to address.
	connect := func(dsn string, config pool.Config, more func(*pgxpool.Config)) (encrypted bool, err error) {
		t.Helper()
		config.MinConns, config.AcquireTimeout = -1, 20*time.Second
		config.Configure = func(c *pgxpool.Config) error {
			c.ConnConfig.LookupFunc = func(context.Context, string) ([]string, error) { return []string{address}, nil }
			if more != nil {
				more(c)
			}
			return nil
		}
		p, err := pool.New(ctx, dsn+" user=postgres dbname=postgres port=5432", config)
		if err != nil {
			t.Fatalf("%s: %v", dsn, err)
		}
		defer p.Close(ctx)
		err = p.QueryRow(ctx, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&encrypted)
		return encrypted, err
	}
	for _, test := range []struct {
		dsn    string
		policy pool.TLSPolicy
	}{
		{"host=db.example.com sslrootcert=" + root, pool.TLSVerifyFull},
		{"host=db.example.com sslmode=verify-full sslrootcert=" + root, pool.TLSVerifyFull},
		{"host=other.example.com", pool.TLSRequire},
		{"host=other.example.com sslmode=require", pool.TLSRequire},
		{"host=other.example.com", pool.TLSAsGiven},
	} {
		if encrypted, err := connect(test.dsn, pool.Config{TLS: test.policy}, nil); err != nil || !encrypted {
			t.Errorf("%s (%v): encrypted %v, %v", test.dsn, test.policy, encrypted, err)
		}
	}
	if encrypted, err := connect("host=db.example.com sslmode=disable", pool.Config{TLS: pool.TLSAsGiven}, nil); err != nil || encrypted {
		t.Errorf("sslmode=disable: encrypted %v, %v", encrypted, err)
	}
	// Silence and cancelling do no harm to an encrypted connection.
	config := pool.Config{MinConns: -1, MaxConns: 1, Configure: func(c *pgxpool.Config) error {
		c.ConnConfig.LookupFunc = func(context.Context, string) ([]string, error) { return []string{address}, nil }
		return nil
	}}
	p, err := pool.New(ctx, "host=db.example.com user=postgres dbname=postgres port=5432 sslrootcert="+root, config)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, p.ListenEvery(ctx, 30*time.Millisecond, "c"))
	l.next()
	for range 3 {
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		if _, err := p.Exec(short, "SELECT pg_sleep(30)"); !errors.Is(err, context.DeadlineExceeded) && !runtime.AsError(err).IsCanceled() {
			t.Errorf("a cancelled statement: %v", err)
		}
		cancel()
	}
	if s := p.Stats(); s.Opened != 1 || s.Total != 1 {
		t.Errorf("%d connections were made, %d are there", s.Opened, s.Total)
	}
	if _, err := p.Exec(ctx, "NOTIFY c, 'x'"); err != nil {
		t.Error(err)
	}
	if n := l.next(); n.Payload != "x" {
		t.Errorf("got %+v", n)
	}
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := l.end(); !errors.Is(err, pool.ErrClosed) {
		t.Error(err)
	}

	// Somebody else's certificate, and one that nobody vouches for; both would be
	// so at the next attempt too.
	var name x509.HostnameError
	if _, err := connect("host=other.example.com sslrootcert="+root, pool.Config{}, nil); !errors.As(err, &name) || runtime.Retryable(err) || !runtime.SafeToRetry(err) {
		t.Errorf("another host's certificate: %v", err)
	}
	var unknown x509.UnknownAuthorityError
	if _, err := connect("host=db.example.com sslrootcert=system", pool.Config{}, nil); !errors.As(err, &unknown) || runtime.Retryable(err) {
		t.Errorf("an unknown authority: %v", err)
	}
	// A server that has no TLS is not talked to.
	plain := pgtest.New(t)
	local, err := pgx.ParseConfig(plain.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, err = connect("host=db.example.com sslrootcert="+root, pool.Config{}, func(c *pgxpool.Config) {
		c.ConnConfig.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return local.DialFunc(ctx, networkOf(local), addressOf(local))
		}
	})
	if err == nil || !strings.Contains(err.Error(), "server refused TLS connection") {
		t.Errorf("a server without TLS: %v", err)
	}
	// A hook that runs for each connection does not weaken it either.
	_, err = connect("host=db.example.com sslrootcert="+root, pool.Config{}, func(c *pgxpool.Config) {
		c.BeforeConnect = func(_ context.Context, cc *pgx.ConnConfig) error {
			cc.TLSConfig = nil
			return nil
		}
	})
	if err == nil || !strings.Contains(err.Error(), "host db.example.com: after BeforeConnect, it may be connected to without encryption") {
		t.Errorf("BeforeConnect without TLS: %v", err)
	}
}

func networkOf(c *pgx.ConnConfig) string {
	network, _ := pgconn.NetworkAddress(c.Host, c.Port)
	return network
}

func addressOf(c *pgx.ConnConfig) string {
	_, address := pgconn.NetworkAddress(c.Host, c.Port)
	return address
}
