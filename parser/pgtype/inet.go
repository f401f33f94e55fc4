package pgtype

import (
	"net/netip"
	"strconv"
	"strings"
)

// inet is the value of inet and cidr: an address and the bits of its network.
type inet struct {
	addr netip.Addr
	bits int
	cidr bool
}

// String prints the address; the bits too where they are not all, or for a cidr
// (network_out, network.c).
func (n *inet) String() string {
	s := n.addr.String()
	if n.cidr || n.bits != n.addr.BitLen() {
		s += "/" + strconv.Itoa(n.bits)
	}
	return s
}

// parseInet reads an inet or cidr (network_in, network.c; inet_net_pton.c).
func parseInet(text string, cidr bool) (*inet, error) {
	name := "inet"
	if cidr {
		name = "cidr"
	}
	bad := func() (*inet, error) { return nil, syntaxError(name, text) }
	addr, bitText, hasBits := strings.Cut(text, "/")
	bits := -1
	if hasBits {
		if bitText == "" {
			return bad()
		}
		for i := range len(bitText) {
			if !isDigit(bitText[i]) {
				return bad()
			}
		}
		n, err := strconv.Atoi(bitText)
		if err != nil {
			return bad()
		}
		bits = n
	}
	n := &inet{cidr: cidr}
	if strings.Contains(addr, ":") {
		a, err := netip.ParseAddr(addr)
		if err != nil || a.Zone() != "" || bits > 128 {
			return bad()
		}
		n.addr, n.bits = a, bits
		if bits < 0 {
			n.bits = 128
		}
	} else {
		octets, count, ok := parseOctets(addr, cidr)
		if !ok || bits > 32 {
			return bad()
		}
		n.addr, n.bits = netip.AddrFrom4(octets), bits
		switch {
		case bits < 0 && cidr:
			n.bits = classBits(octets[0], count)
		case bits < 0 && count == 4:
			n.bits = 32
		case bits < 0, !cidr && bits/8 > count:
			return bad()
		}
	}
	if cidr && netip.PrefixFrom(n.addr, n.bits).Masked().Addr() != n.addr {
		return nil, &ValueError{
			Code: codeSyntax, Message: "invalid cidr value: \"" + text + "\"",
			Detail: "Value has bits set to right of mask.",
		}
	}
	return n, nil
}

// parseOctets reads up to four decimal octets; those left out are 0.
func parseOctets(s string, cidr bool) (out [4]byte, count int, ok bool) {
	parts := strings.Split(s, ".")
	if cidr && len(parts) > 1 && parts[len(parts)-1] == "" {
		return out, 0, false
	}
	if len(parts) > 4 {
		return out, 0, false
	}
	for i, p := range parts {
		if p == "" {
			return out, 0, false
		}
		v := 0
		for k := range len(p) {
			if !isDigit(p[k]) {
				return out, 0, false
			}
			if v = v*10 + int(p[k]-'0'); v > 255 {
				return out, 0, false
			}
		}
		out[i] = byte(v)
	}
	return out, len(parts), true
}

// classBits returns the bits of a cidr that names none: by the class of its
// first octet, at least as many as the octets written (inet_cidr_pton_ipv4,
// inet_net_pton.c).
func classBits(first byte, count int) int {
	bits := 8
	switch {
	case first >= 240:
		bits = 32
	case first >= 224:
		bits = 8
	case first >= 192:
		bits = 24
	case first >= 128:
		bits = 16
	}
	bits = max(bits, count*8)
	if bits == 8 && first == 224 {
		bits = 4
	}
	return bits
}

// compare orders two addresses: IPv4 first, then by the common bits of the
// networks, by their lengths, by all bits (network_cmp_internal, network.c).
func (n *inet) compare(b *inet) int {
	if n.addr.Is4() != b.addr.Is4() {
		if n.addr.Is4() {
			return -1
		}
		return 1
	}
	common := min(n.bits, b.bits)
	x := netip.PrefixFrom(n.addr, common).Masked().Addr()
	y := netip.PrefixFrom(b.addr, common).Masked().Addr()
	if c := x.Compare(y); c != 0 {
		return c
	}
	if n.bits != b.bits {
		return n.bits - b.bits
	}
	return n.addr.Compare(b.addr)
}
