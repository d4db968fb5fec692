package testbed

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// SeenByAll merges what the backend received in several requests, as if they had been one.
func SeenByAll(t *T, answer traffic.Answer) *traffic.Seen {
	seen := SeenBy(t, answer)
	for _, then := range answer.Then {
		for _, h := range SeenBy(t, then).Header {
			known := slices.ContainsFunc(seen.Header, func(other [2]string) bool { return other[0] == h[0] })
			if !known || strings.Contains(h[1], Forgery) && Header(seen.Header, h[0]) != h[1] {
				seen.Header = append(seen.Header, h)
			}
		}
	}
	return seen
}

// SeenBy returns what the backend received, or ends the case.
func SeenBy(t *T, answer traffic.Answer) *traffic.Seen {
	if answer.Seen == nil {
		t.Must(fmt.Errorf("no answer of the backend: %s%s", answer.Outcome(), Detail(answer)))
	}
	return answer.Seen
}

// SpiffeIDOf returns the SPIFFE ID in the first of some certificates.
func SpiffeIDOf(certificates string) string {
	if certificates == "" {
		return ""
	}
	if certificate := ParseChain(certificates)[0]; len(certificate.URIs) > 0 {
		return certificate.URIs[0].String()
	}
	return ""
}

// ParseChain reads certificates from PEM. It panics when one is unreadable, which fails the case.
func ParseChain(text string) []*x509.Certificate {
	var all []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			panic(err)
		}
		all = append(all, certificate)
	}
	if len(all) == 0 {
		panic(fmt.Sprintf("no certificate in %q", text))
	}
	return all
}

func Header(headers [][2]string, name string) string {
	var values []string
	for _, h := range headers {
		if h[0] == name {
			values = append(values, h[1])
		}
	}
	return strings.Join(values, ", ")
}
