package pool

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// TLSPolicy says what encryption is asked of servers that are not local: of all
// that are reached neither by a Unix socket nor under the name localhost or a
// loopback address. It holds for each host and each fallback.
//
// Where nothing sets sslmode (DSN, PGSSLMODE, service file) it is the one that
// the policy asks for, with sslrootcert, sslcert and the rest as libpq has them,
// and the system's certificate authorities where sslrootcert is not given. Where
// it is set to a weaker one, [New] fails. A service file's "prefer", which is
// also libpq's word for "not given", is taken as that.
type TLSPolicy int

// The policies.
const (
	// TLSVerifyFull asks each host, fallbacks included, for a certificate that
	// is valid and its own.
	TLSVerifyFull TLSPolicy = iota
	// TLSRequire asks for encryption alone: it does not tell who answers.
	TLSRequire
	// TLSAsGiven leaves it to sslmode.
	TLSAsGiven
)

var tlsNames = [...]string{"verify-full", "require", "as-given"}

// String returns the name that the environment knows.
func (p TLSPolicy) String() string { return nameOf(tlsNames[:], int(p)) }

// local reports whether host is this machine.
func local(host string) bool {
	if network, _ := pgconn.NetworkAddress(host, 0); network == "unix" || strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// servers lists where cc may connect to, in order.
func servers(cc *pgx.ConnConfig) []*pgconn.FallbackConfig {
	return append([]*pgconn.FallbackConfig{{Host: cc.Host, Port: cc.Port, TLSConfig: cc.TLSConfig}}, cc.Fallbacks...)
}

// encrypt makes cc satisfy policy where nobody set sslmode, and refuses what is
// weaker where somebody did.
func (r *resolver) encrypt(cc *pgx.ConnConfig, policy TLSPolicy) {
	if policy == TLSAsGiven {
		return
	}
	all := servers(cc)
	mode, set := r.dsn["sslmode"]
	if mode == "" {
		mode = os.Getenv("PGSSLMODE")
		set = mode != ""
	}
	if !set && !opportunistic(all) {
		set, mode = true, "" // a service file did
	}
	if !set {
		var kept []*pgconn.FallbackConfig
		for _, s := range all {
			if !local(s.Host) {
				if s.TLSConfig == nil {
					continue
				}
				if policy == TLSVerifyFull {
					s.TLSConfig = verified(s.TLSConfig, s.Host)
				}
			}
			kept = append(kept, s)
		}
		cc.Host, cc.Port, cc.TLSConfig, cc.Fallbacks = kept[0].Host, kept[0].Port, kept[0].TLSConfig, kept[1:]
	}
	what := ""
	if mode != "" {
		what = "sslmode is " + mode + " and "
	}
	r.fail(policy.check(cc, what))
}

// opportunistic reports whether the remote servers are what pgx makes of
// sslmode=prefer, its default: each with TLS that checks nothing first, then
// without. With sslnegotiation=direct the latter is left out.
func opportunistic(all []*pgconn.FallbackConfig) bool {
	for i := 0; i < len(all); i++ {
		s := all[i]
		if local(s.Host) {
			continue
		}
		if s.TLSConfig == nil || level(s.TLSConfig) != encrypted {
			return false
		}
		direct := len(s.TLSConfig.NextProtos) > 0
		if !direct {
			if i++; i == len(all) || all[i].TLSConfig != nil || all[i].Host != s.Host {
				return false
			}
		}
	}
	return true
}

// verified is c with the checks of sslmode=verify-full.
func verified(c *tls.Config, host string) *tls.Config {
	c = c.Clone()
	c.InsecureSkipVerify, c.VerifyPeerCertificate, c.ServerName = false, nil, host
	return c
}

// The levels of protection that a TLS configuration gives.
const (
	plain     = iota // none
	encrypted        // from those who listen
	issued           // from those who have no certificate, not from those who have somebody else's
	full
)

// level says what c gives. What a callback checks beyond the chain cannot be
// known.
func level(c *tls.Config) int {
	switch {
	case c == nil:
		return plain
	case !c.InsecureSkipVerify:
		return full
	case c.VerifyPeerCertificate != nil || c.VerifyConnection != nil:
		return issued
	}
	return encrypted
}

var levels = [...]string{
	plain:     "it may be connected to without encryption",
	encrypted: "nobody checks who answers",
	issued:    "nobody checks that the certificate is the host's own",
}

// check finds the servers of cc that policy does not allow. What begins the
// sentence about each.
func (p TLSPolicy) check(cc *pgx.ConnConfig, what string) error {
	needed := full
	switch p {
	case TLSRequire:
		needed = encrypted
	case TLSAsGiven:
		return nil
	}
	var errs []error
	seen := map[string]bool{}
	for _, s := range servers(cc) {
		if local(s.Host) || seen[s.Host] {
			continue
		}
		if l := level(s.TLSConfig); l < needed {
			seen[s.Host] = true
			errs = append(errs, fmt.Errorf("host %s: %s%s: use sslmode=verify-full, with sslrootcert=FILE for a certificate authority of your own, or allow it by Config.TLS (%s)",
				s.Host, what, levels[l], p.weaker(l)))
		}
	}
	return errors.Join(errs...)
}

// weaker names the policies that allow level.
func (p TLSPolicy) weaker(level int) string {
	if level >= encrypted {
		return "TLSRequire or TLSAsGiven"
	}
	return "TLSAsGiven"
}
