package spellings

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// underscored are names that CGI, WSGI, Rack and PHP fold into headers that a gateway sets or removes.
var underscored = []string{
	"x_federation_peer", "x_forwarded_for", "x_forwarded_client_cert", "x_original_url", "x_http_method_override", "x-forwarded_for", "x_rewrite-url",
}

// underscores checks that the gateways reject requests with such names; an existing gateway does so on our servers
// only.
func underscores() []Case {
	const north = "203.0.113.30:443"
	var cases []Case
	for _, name := range underscored {
		forged := func(p *traffic.Probe) { p.Header = append(p.Header, [2]string{name, Forgery}) }
		first := func(p *traffic.Probe) { p.Target = "/orders/1" }
		one := func(who entryPoint, want string) Attempt {
			return Attempt{From: who.From, Probe: who.Probe, Want: want, Read: ForgedNames}
		}
		cases = append(cases,
			Attempts("headers/ingress-"+name, guarantee.TwoControls|guarantee.NothingInternal, fmt.Sprintf("The ingress gateway rejects a request with the header `%s`, and answers it without", name),
				one(AttackerTo("orders", "east", EastAddress, first), "200"),
				one(AttackerTo("orders", "east", EastAddress, first, forged), "400 | reset | closed"),
				one(AttackerTo("orders", "east", EastAddress, first, forged, OverHTTP2), "400 | reset | closed")),
			Attempts("headers/egress-"+name, guarantee.TwoControls|guarantee.NothingInternal, fmt.Sprintf("The egress gateway rejects a request of an allowed caller with the header `%s`", name),
				one(callerOf("orders", first), "200"),
				one(callerOf("orders", first, forged), "400 | 503 | reset | closed"),
				one(callerOf("orders", first, forged, OverHTTP2), "400 | 503 | reset | closed"),
				one(pastSidecar("orders", first, forged), "400 | reset | closed"),
				one(pastSidecar("orders", first, forged, OverHTTP2), "400 | reset | closed")),
			Attempts("headers/shared-"+name, guarantee.TwoControls|guarantee.NothingInternal, fmt.Sprintf("Our server at an existing gateway rejects a request with the header `%s`", name),
				one(AttackerTo("shared", "north", north, first), "200"),
				one(AttackerTo("shared", "north", north, first, forged), "400 | reset | closed"),
				one(AttackerTo("shared", "north", north, first, forged, OverHTTP2), "400 | reset | closed")),
		)
	}
	return cases
}

// pastSidecar calls the egress gateway directly, with the certificate of an allowed caller.
func pastSidecar(name string, change ...func(*traffic.Probe)) entryPoint {
	server := "p9080." + name + ".shop.east.egress.fed.west.example"
	return entryPoint{name, NoSidecar, ToEgress(MeshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/shop/sa/api"}), append([]func(*traffic.Probe){WithSNI(server), WithURLHost(server)}, change...)...)}
}

// ForgedNames is the outcome, and the forged names that reached the backend.
func ForgedNames(answer traffic.Answer) string {
	text := answer.Outcome()
	if answer.Seen != nil {
		for _, h := range answer.Seen.Header {
			if strings.Contains(h[1], Forgery) {
				text += ", arrives: " + h[0]
			}
		}
	}
	return text
}

// RequiredTwice tests repeated headers: for Envoy, one line with the required value is enough.
func RequiredTwice() []Case {
	const draft = "/orders/drafts/1"
	with := func(who func(string, ...func(*traffic.Probe)) entryPoint, values []string, change ...func(*traffic.Probe)) Attempt {
		one := who("orders", append([]func(*traffic.Probe){func(p *traffic.Probe) {
			p.Target = draft
			for _, value := range values {
				p.Header = append(p.Header, [2]string{"x-editor", value})
			}
		}}, change...)...)
		return Attempt{From: one.From, Probe: one.Probe, Read: editors}
	}
	direct := func(name string, change ...func(*traffic.Probe)) entryPoint {
		return AttackerTo(name, "east", EastAddress, change...)
	}
	wanting := func(want string, attempt Attempt) Attempt { attempt.Want = want; return attempt }
	const alone = "200 yes | 403"
	return []Case{
		Attempts("headers/required", guarantee.TwoControls, "The required header opens an excepted path, and another value does not",
			wanting("200 yes", with(callerOf, []string{"yes"})), wanting("200 yes", with(direct, []string{"yes"}, OverHTTP2)),
			wanting("403", with(direct, nil)), wanting("403", with(direct, []string{"no"})), wanting("403", with(direct, []string{"yes,no"}))),
		Attempts("headers/required-twice", guarantee.TwoControls|guarantee.ErrorsNotGuesses, "With several lines of the required header, the backend sees only the required value or no request",
			wanting(alone, with(callerOf, []string{"no", "yes"})), wanting(alone, with(callerOf, []string{"no", "yes"}, OverHTTP2)),
			wanting(alone, with(direct, []string{"no", "yes"})), wanting(alone, with(direct, []string{"yes", "no"})), wanting(alone, with(direct, []string{"no", "yes"}, OverHTTP2)),
			wanting(alone, with(direct, []string{"\xff", "yes"}, OverHTTP2)), wanting("403", with(direct, []string{"no", "no"}))),
	}
}

// editors is the outcome, and each line of the required header that the backend saw.
func editors(answer traffic.Answer) string {
	words := []string{answer.Outcome()}
	if answer.Seen != nil {
		for _, h := range answer.Seen.Header {
			if h[0] == "x-editor" {
				words = append(words, h[1])
			}
		}
	}
	return strings.Join(words, " ")
}

// removed are names that must not cross, besides those in the lists of the manifests.
var removed = []string{"x-envoy-original-method", "proxy-authorization", "te", "x-scheme", "front-end-https", "cf-connecting-ip", "x-middleware-subrequest", "client-cert"}

// hopHeaders are headers in which an earlier hop, or an attacker in its place, describes the request.
func hopHeaders() []Case {
	arrives := func(answer traffic.Answer) string {
		if answer.Seen == nil {
			return answer.Outcome()
		}
		var names []string
		for _, h := range answer.Seen.Header {
			if slices.Contains(removed, h[0]) {
				names = append(names, h[0])
			}
		}
		return strings.TrimSpace(answer.Outcome() + " " + strings.Join(names, " "))
	}
	saying := func(p *traffic.Probe) {
		p.Target = "/orders/1"
		for _, name := range removed {
			value := Forgery
			if name == "te" {
				value = "trailers"
			}
			p.Header = append(p.Header, [2]string{name, value})
		}
	}
	var all []Attempt
	for _, one := range []entryPoint{
		callerOf("orders", saying), AttackerTo("orders", "east", EastAddress, saying), AttackerTo("orders", "east", EastAddress, saying, OverHTTP2), AttackerTo("shared", "north", "203.0.113.30:443", saying),
	} {
		all = append(all, Attempt{From: one.From, Probe: one.Probe, Want: "200", Read: arrives})
	}
	return []Case{Attempts("headers/of-hops", guarantee.NothingInternal, "The gateways remove an earlier hop's headers for address, scheme, method and certificate", all...)}
}
