package traffic

import (
	"net"
	"strings"
)

// location is a URL in its parts, none of them decoded or tidied: what is odd about them is what a probe is about.
type location struct{ scheme, authority, path string }

func locate(url string) location {
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		scheme, rest = "", url
	}
	end := strings.IndexAny(rest, `/?#\`)
	if end < 0 {
		end = len(rest)
	}
	return location{scheme, rest[:end], rest[end:]}
}

// encrypted reports whether the scheme itself requires TLS.
func (l location) encrypted() bool {
	return l.scheme == "https" || l.scheme == "wss" || l.scheme == "tls"
}

// address is where to connect to.
func (l location) address() string {
	if _, _, err := net.SplitHostPort(l.authority); err == nil {
		return l.authority
	}
	port := "80"
	if l.encrypted() {
		port = "443"
	}
	return net.JoinHostPort(strings.Trim(l.authority, "[]"), port)
}

// target is the target in the request line or in :path.
func (p Probe) target() string {
	if p.Target != "" {
		return p.Target
	}
	if path := locate(p.URL).path; path != "" {
		return path
	}
	return "/"
}

func (p Probe) host() string {
	if p.Host != "" {
		return p.Host
	}
	return locate(p.URL).authority
}

func (p Probe) method() string {
	if p.Method != "" {
		return p.Method
	}
	return "GET"
}

// follow is the next request on the connection of p.
func (p Probe) follow(next Probe) Probe {
	next.Kind = p.Kind
	if next.host() == "" {
		next.Host = p.host()
	}
	return next
}

// given reports whether the probe itself sets the header field.
func (p Probe) given(name string) bool {
	for _, field := range p.Header {
		if strings.EqualFold(strings.TrimSpace(field[0]), name) {
			return true
		}
	}
	return false
}

// withDefaults puts those of the fields in front that the probe does not set itself.
func (p Probe) withDefaults(fields ...[2]string) [][2]string {
	var all [][2]string
	for _, field := range fields {
		if !p.given(field[0]) {
			all = append(all, field)
		}
	}
	return append(all, p.Header...)
}
