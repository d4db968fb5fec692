package cases

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

const (
	loginName = "https://login.example"
	staffName = "https://login.example/staff"
	ordersSNI = "p8080.orders.west.fed.east.example"
	ordersURL = "http://orders.shop:8080/orders/1"
)

// authorization is what a request has in that header, or in several.
type authorization func(*federation.Federation) []string

// tokens are demanded of users of west: whoever has none, or another one than that, and whom that must not concern.
func tokens() []Case {
	reads := func(name string, numbers []int, expect string, has authorization, want string) Case {
		return ask("tokens/"+name, numbers, expect, api, having(get(ordersURL), has), want)
	}
	writes := func(name string, numbers []int, expect string, has authorization, want string) Case {
		return ask("tokens/"+name, numbers, expect, api, having(send("POST", ordersURL), has), want)
	}
	finds := func(name string, numbers []int, expect string, has authorization, want string) Case {
		return ask("tokens/"+name, numbers, expect, api, having(call("search.shop:9000", "/search.Query/Find"), has), want)
	}
	directly := func(name, expect string, has authorization, want string, change ...func(*traffic.Probe)) Case {
		return ask("tokens/"+name, laws(3), expect, outside, straight(has, change...), want)
	}
	header := func(name, value string) func(*traffic.Probe) {
		return func(p *traffic.Probe) { p.Header = append(p.Header, [2]string{name, value}) }
	}
	return in("tokens",
		analyzed("tokens"),
		reads("good", laws(1), "whoever has the token gets in", bearer(reader), "200"),
		reads("good-audience-of-several", laws(1), "one of the token's audiences is enough", bearer(reader.with("aud", []string{"mail", "orders"})), "200"),
		reads("good-scope-of-several", laws(1), "and one word of its scope", bearer(reader.with("scope", "mail orders.read print")), "200"),
		reads("good-scope-as-list", laws(1), "also when it is written as a list", bearer(reader.with("scope", []string{"mail", "orders.read"})), "200"),
		Case{Name: "tokens/arrives", Laws: laws(7), Expect: "the service still sees the token, and nothing more", Run: tokenArrives},
		reads("none", laws(3), "nobody gets in without one", nothing, "403"),
		reads("wrong-audience", laws(3), "nor with one for another audience", bearer(reader.with("aud", "mail")), "403"),
		reads("longer-audience", laws(3), "be it longer", bearer(reader.with("aud", "orders.archive")), "403"),
		reads("no-audience", laws(3), "or for none", bearer(reader.with("aud", nil)), "403"),
		reads("wrong-claim", laws(3), "nor with another value of a claim", bearer(reader.with("scope", "orders.write")), "403"),
		reads("longer-claim", laws(3), "be it longer", bearer(reader.with("scope", "orders.read.all")), "403"),
		reads("no-claim", laws(3), "nor without the claim", bearer(reader.with("scope", nil)), "403"),
		reads("claim-of-another-kind", laws(3), "nor with one that is no text", bearer(reader.with("scope", map[string]any{"orders.read": true})), "403"),
		reads("expired", laws(3), "nor after its time", bearer(reader.with("exp", fromNow(-2*time.Minute))), "401"),
		reads("expired-a-moment-ago", laws(3), "but clocks may differ by a minute", bearer(reader.with("exp", fromNow(-20*time.Second))), "200"),
		reads("too-early", laws(3), "nor before", bearer(reader.with("nbf", fromNow(2*time.Minute))), "401"),
		reads("forged", laws(3), "nor with one that somebody else has signed", forgedToken(reader), "401"),
		reads("signed-by-other-issuer", laws(3), "another issuer that is believed elsewhere included", signedBy("staff", reader), "401"),
		reads("unsigned", laws(3), "nor with one that says it needs no signature", func(f *federation.Federation) []string {
			return []string{"Bearer " + issuer(f, "login").Unsigned(reader.claims())}
		}, "401"),
		reads("public-key-as-secret", laws(3), "nor with one that takes the public key for a secret", func(f *federation.Federation) []string {
			token, err := issuer(f, "login").WithPublicKey(reader.claims())
			if err != nil {
				panic(err)
			}
			return []string{"Bearer " + token}
		}, "401"),
		reads("other-issuer", laws(3), "the token of an issuer whose name is this one's and more, believed elsewhere, does not fit", signedBy("staff", reader.with("iss", staffName)), "403"),
		reads("shorter-issuer", laws(3), "one whose name is the beginning of this one's is not believed", bearer(reader.with("iss", "https://login")), "401"),
		reads("longer-issuer", laws(3), "nor one whose name goes on", bearer(reader.with("iss", loginName+".evil.example")), "401"),
		reads("no-issuer", laws(3), "nor one that names none", bearer(reader.with("iss", nil)), "401"),
		reads("opaque", laws(3), "what is no such token is none", text("Bearer 2YotnFZFEjr1zCsicMWpAA"), "401"),
		reads("basic", laws(3), "nor is a password", text("Basic dXNlcjpwYXNzd29yZA=="), "403"),
		reads("small-letters", laws(3), "the word before the token is as it is written", func(f *federation.Federation) []string {
			return []string{strings.Replace(bearer(reader)(f)[0], "Bearer", "bearer", 1)}
		}, "403"),
		reads("behind-something", laws(3), "a token behind something else is not what a backend would read", func(f *federation.Federation) []string {
			return []string{"Basic dXNlcjpwYXNzd29yZA==, " + bearer(reader)(f)[0]}
		}, "403"),
		reads("two-good", laws(3), "nor are two", twoGood, "401"),
		reads("two-one-forged", laws(3), "of which one is forged", func(f *federation.Federation) []string {
			return append(bearer(reader)(f), forgedToken(reader.with("sub", "somebody else"))(f)...)
		}, "401"),
		ask("tokens/in-query", laws(3), "a token in the address is none: it would stand in logs", api, func(f *federation.Federation) traffic.Probe {
			return traffic.Probe{URL: ordersURL + "?access_token=" + strings.TrimPrefix(bearer(reader)(f)[0], "Bearer ")}
		}, "403"),
		ask("tokens/other-path", laws(3), "a token opens no path that the rules do not name", api, having(get("http://orders.shop:8080/admin"), bearer(reader)), "403"),
		ask("tokens/excepted-path", laws(3), "nor one that they except", api, having(get("http://orders.shop:8080/orders/drafts/1"), bearer(reader)), "403"),
		ask("tokens/preflight", laws(3), "a browser's preflight has no token", api, func(*federation.Federation) traffic.Probe {
			return traffic.Probe{URL: ordersURL, Method: "OPTIONS", Header: [][2]string{{"origin", "https://a.example"}, {"access-control-request-method", "GET"}}}
		}, "403"),
		writes("writer", laws(1), "another rule demands other claims: one inside another, and one whose name is an address", bearer(writer), "200"),
		writes("writer-role-of-several", laws(1), "of lists one is enough", bearer(writer.with("realm_access", map[string]any{"roles": []string{"cook", "chief clerk"}})), "200"),
		writes("writer-role-missing", laws(3), "each of them is needed", bearer(writer.with("realm_access", map[string]any{"roles": []string{"cook"}})), "403"),
		writes("writer-role-outside", laws(3), "in its place", bearer(writer.with("realm_access", nil).with("roles", []string{"clerk"})), "403"),
		writes("writer-role-words", laws(3), "other claims are not read word by word", bearer(writer.with("realm_access", map[string]any{"roles": "clerk cook"})), "403"),
		writes("writer-desk-is-number", laws(3), "a number is no text", bearer(writer.with(loginName+"/desk", 7)), "403"),
		writes("reader-writes-not", laws(3), "the token of one rule does not do for another", bearer(reader), "403"),
		reads("writer-reads-not", laws(3), "nor the other way round", bearer(writer), "403"),
		finds("grpc", laws(1), "gRPC with a token of its own issuer", signedBy("staff", finder), "OK"),
		finds("grpc-none", laws(3), "and not without", nothing, "PERMISSION_DENIED"),
		finds("grpc-wrong-audience", laws(3), "nor for another audience", signedBy("staff", finder.with("aud", "shop")), "PERMISSION_DENIED"),
		finds("grpc-expired", laws(3), "nor after its time", signedBy("staff", finder.with("exp", fromNow(-time.Hour))), "UNAUTHENTICATED"),
		finds("grpc-other-issuer", laws(3), "the token of an issuer whose name is the beginning of this one's does not fit", bearer(reader.with("aud", "search")), "PERMISSION_DENIED"),
		finds("grpc-opaque", laws(3), "what is no such token is none", text("Bearer 2YotnFZFEjr1zCsicMWpAA"), "UNAUTHENTICATED"),
		attempts("tokens/elsewhere", laws(12), "where none is demanded, callers send what they like", elsewhere("reviews.shop:9080/reviews/1", api)...),
		attempts("tokens/elsewhere-same-service", laws(12), "also for the same service, to another peer", elsewhere("orders.shop:8080/orders/1", northAPI)...),
		directly("straight", "past the egress gateway nothing else holds: with the token", bearer(reader), "200"),
		directly("straight-none", "without it", nothing, "403"),
		directly("straight-two-good", "two tokens are not one", twoGood, "401 | 403"),
		directly("straight-two-good-http2", "in HTTP/2 neither", twoGood, "401 | 403", func(p *traffic.Probe) { p.Kind, p.TLS.ALPN = "h2", []string{"h2"} }),
		directly("straight-http2", "where one is", bearer(reader), "200", func(p *traffic.Probe) { p.Kind, p.TLS.ALPN = "h2", []string{"h2"} }),
		directly("straight-other-peer", "with it, on another peer's server", bearer(reader), "alert: *", sni("p8080.orders.north.fed.east.example")),
		directly("straight-claims-as-headers", "what a request says of its token in headers is not heard", nothing, "403",
			header("x-jwt-scope", "orders.read"), header("x-jwt-payload", "eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUifQ"), header("x-envoy-auth-jwt", "orders.read")),
		directly("straight-claims-as-route", "nor is the word of Istio's own routes", nothing, "400", header("@request.auth.claims[scope]", "orders.read")),
		Case{Name: "tokens/refusals-tell-nothing", Laws: laws(7), Expect: "refusals name nothing of the inside", Run: tokenRefusals},
		Case{Name: "tokens/others-allow-everything", Laws: laws(3), Expect: "a policy of the root namespace that allows everything opens nothing; without the routes it would", Run: tokensAgainstOthers},
		Case{Name: "tokens/others-route-everything", Laws: laws(3), Expect: "routes without tokens admit nothing; without the rules of the virtual host they would", Run: tokensByPolicyAlone},
		Case{Name: "tokens/issuer-deleted", Laws: laws(3, 15), Expect: "without what says whose tokens are believed, the service is closed", Run: issuerDeleted},
		Case{Name: "tokens/issuer-of-others", Laws: laws(12), Expect: "an issuer that the root namespace believes changes nothing where no token is demanded", Run: issuerOfOthers},
		Case{Name: "tokens/filter-deleted", Laws: laws(3, 12), Expect: "without the filter others' tokens are refused, and nothing opens", Run: filterDeleted},
		Case{Name: "tokens/keys-of-all-kinds", Laws: laws(1, 3), Expect: "keys of all kinds that a rule takes count, several at once, each for its own signatures", Run: keysOfAllKinds},
		Case{Name: "tokens/keys-fetched", Laws: laws(1, 3), Expect: "istiod fetches keys, from servers whose certificates it believes", Run: keysFetched},
		Case{Name: "tokens/keys-unreachable", Laws: laws(3), Expect: "with keys that nobody answers for, the service is closed", Run: keysUnreachable},
	)
}

// saying is what a token says.
type saying pki.Claims

// fromNow is a time, counted from when the token is signed: cases wait for their turn.
type fromNow time.Duration

// claims are what it says at this moment.
func (s saying) claims() pki.Claims {
	claims := pki.Claims{}
	for name, value := range s {
		if distance, ok := value.(fromNow); ok {
			value = time.Now().Add(time.Duration(distance)).Unix()
		}
		claims[name] = value
	}
	return claims
}

// with another value of a claim, or without it.
func (s saying) with(name string, value any) saying {
	changed := maps.Clone(s)
	changed[name] = value
	if value == nil {
		delete(changed, name)
	}
	return changed
}

var (
	reader = saying{"iss": loginName, "sub": "ada", "aud": "orders", "scope": "orders.read", "exp": fromNow(time.Hour)}
	writer = reader.with("scope", "orders.write").with("realm_access", map[string]any{"roles": []string{"clerk"}}).with(loginName+"/desk", "7")
	finder = reader.with("iss", staffName).with("aud", []string{"search"})
)

func nothing(*federation.Federation) []string { return nil }

func text(value string) authorization {
	return func(*federation.Federation) []string { return []string{value} }
}

// bearer of a token that the first issuer has signed.
func bearer(says saying) authorization { return signedBy("login", says) }

func twoGood(f *federation.Federation) []string {
	return append(bearer(reader)(f), bearer(reader.with("sub", "somebody else"))(f)...)
}

func signedBy(name string, says saying) authorization {
	return func(f *federation.Federation) []string { return []string{"Bearer " + signed(issuer(f, name), says)} }
}

// forgedToken names the right key and is signed by another.
func forgedToken(says saying) authorization {
	return func(*federation.Federation) []string {
		stranger, err := pki.NewIssuer("login-1", "RS256")
		if err != nil {
			panic(err)
		}
		return []string{"Bearer " + signed(stranger, says)}
	}
}

func issuer(f *federation.Federation, name string) *pki.Issuer {
	found, err := f.Issuer(name)
	if err != nil {
		panic(err)
	}
	return found
}

func signed(by *pki.Issuer, says saying) string {
	token, err := by.Token(says.claims())
	if err != nil {
		panic(err)
	}
	return token
}

// having puts it into a request.
func having(base func(*federation.Federation) traffic.Probe, has authorization) func(*federation.Federation) traffic.Probe {
	return func(f *federation.Federation) traffic.Probe {
		p := base(f)
		for _, value := range has(f) {
			p.Header = append(p.Header, [2]string{"authorization", value})
		}
		return p
	}
}

// elsewhere tries everything that is refused where a token is demanded.
func elsewhere(target string, from From) []Attempt {
	var all []Attempt
	for _, has := range []authorization{
		nothing, bearer(reader), bearer(reader.with("exp", fromNow(-time.Hour))), forgedToken(reader),
		signedBy("staff", reader.with("iss", "https://other.example")), text("Bearer 2YotnFZFEjr1zCsicMWpAA"), text("Basic dXNlcjpwYXNzd29yZA=="),
	} {
		all = append(all, Attempt{From: from, Probe: having(get("http://"+target), has), Want: "200"})
	}
	return append(all, Attempt{From: from, Probe: get("http://" + target + "?access_token=2YotnFZFEjr1zCsicMWpAA"), Want: "200"})
}

func tokenArrives(t *T) {
	p := having(get(ordersURL), bearer(reader))(t.Federation)
	seen := seenBy(t, t.Try(api, p)[0])
	if got := header(seen.Header, "authorization"); got != p.Header[0][1] {
		t.Errorf("the service sees %q", got)
	}
	for _, h := range seen.Header {
		if strings.Contains(h[0], "jwt") || strings.Contains(h[1], "orders.read") {
			t.Errorf("the service sees %s: %s", h[0], h[1])
		}
	}
	t.Seen("Authorization as it was sent, %d headers", len(seen.Header))
}

func tokenRefusals(t *T) {
	for _, one := range []struct {
		has    authorization
		status string
	}{{nothing, "403"}, {bearer(reader.with("aud", "mail")), "403"}, {text("Bearer 2YotnFZFEjr1zCsicMWpAA"), "401"}, {forgedToken(reader), "401"}} {
		answer := t.Try(outside, straight(one.has)(t.Federation))[0]
		if answer.Outcome() != one.status {
			t.Errorf("%s, and not %s", answer.Outcome(), one.status)
		}
		challenge := header(answer.Header, "www-authenticate")
		said := answer.Body + " " + challenge
		for _, inner := range []string{"svc", "login", "orders.read", "istio", "10.", "east/", "origins"} {
			if strings.Contains(said, inner) {
				t.Errorf("the refusal says %q", said)
			}
		}
		for _, h := range answer.Header {
			if !slices.Contains([]string{"content-length", "content-type", "date", "server", "www-authenticate"}, h[0]) {
				t.Errorf("the refusal has the header %s: %s", h[0], h[1])
			}
		}
		t.Seen("%s %q %s", one.status, answer.Body, challenge)
	}
}
