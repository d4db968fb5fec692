// Package tokens has the cases for end-user JWTs: which are required, accepted, rejected and ignored.
package tokens

import (
	"maps"
	"slices"
	"strings"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

const (
	loginName = "https://login.example"
	staffName = "https://login.example/staff"
	OrdersSNI = "p8080.orders.west.fed.east.example"
	ordersURL = "http://orders.shop:8080/orders/1"
)

// authorization are the values of the request's Authorization headers.
type authorization func(*federation.Federation) []string

// Cases are exports that require end-user JWTs: requests without one, with a wrong one, and requests that need none.
func Cases() []Case {
	reads := func(name string, guarantees guarantee.Set, expect string, has authorization, want string) Case {
		return Ask("tokens/"+name, guarantees, expect, ShopAPI, withAuthorization(Get(ordersURL), has), want)
	}
	writes := func(name string, guarantees guarantee.Set, expect string, has authorization, want string) Case {
		return Ask("tokens/"+name, guarantees, expect, ShopAPI, withAuthorization(Request("POST", ordersURL), has), want)
	}
	finds := func(name string, guarantees guarantee.Set, expect string, has authorization, want string) Case {
		return Ask("tokens/"+name, guarantees, expect, ShopAPI, withAuthorization(GrpcCall("search.shop:9000", "/search.Query/Find"), has), want)
	}
	directly := func(name, expect string, has authorization, want string, change ...func(*traffic.Probe)) Case {
		return Ask("tokens/"+name, guarantee.TwoControls, expect, Outside, bypassingEgress(has, change...), want)
	}
	header := func(name, value string) func(*traffic.Probe) {
		return func(p *traffic.Probe) { p.Header = append(p.Header, [2]string{name, value}) }
	}
	return InScenario("tokens",
		Analyzed("tokens"),
		reads("good", guarantee.ExplicitAccess, "The ingress gateway accepts an end-user JWT that matches the rule", Bearer(Reader), "200"),
		reads("good-audience-of-several", guarantee.ExplicitAccess, "The ingress gateway accepts an end-user JWT in which one of several audiences matches", Bearer(Reader.with("aud", []string{"mail", "orders"})), "200"),
		reads("good-scope-of-several", guarantee.ExplicitAccess, "The ingress gateway accepts an end-user JWT in which one word of the scope matches", Bearer(Reader.with("scope", "mail orders.read print")), "200"),
		reads("good-scope-as-list", guarantee.ExplicitAccess, "The ingress gateway accepts an end-user JWT whose scope is a list", Bearer(Reader.with("scope", []string{"mail", "orders.read"})), "200"),
		Case{Name: "tokens/arrives", Guarantees: guarantee.NothingInternal, Expect: "The backend receives the end-user JWT and no header derived from it", Run: tokenArrives},
		reads("none", guarantee.TwoControls, "The ingress gateway denies a request without an end-user JWT", noAuthorization, "403"),
		reads("wrong-audience", guarantee.TwoControls, "The ingress gateway denies an end-user JWT for another audience", Bearer(Reader.with("aud", "mail")), "403"),
		reads("longer-audience", guarantee.TwoControls, "The ingress gateway denies an end-user JWT whose audience only begins with ours", Bearer(Reader.with("aud", "orders.archive")), "403"),
		reads("no-audience", guarantee.TwoControls, "The ingress gateway denies an end-user JWT without an audience", Bearer(Reader.with("aud", nil)), "403"),
		reads("wrong-claim", guarantee.TwoControls, "The ingress gateway denies an end-user JWT with another value of a required claim", Bearer(Reader.with("scope", "orders.write")), "403"),
		reads("longer-claim", guarantee.TwoControls, "The ingress gateway denies an end-user JWT whose claim only begins with the required value", Bearer(Reader.with("scope", "orders.read.all")), "403"),
		reads("no-claim", guarantee.TwoControls, "The ingress gateway denies an end-user JWT without the required claim", Bearer(Reader.with("scope", nil)), "403"),
		reads("claim-of-another-kind", guarantee.TwoControls, "The ingress gateway denies an end-user JWT whose claim is an object in place of a string", Bearer(Reader.with("scope", map[string]any{"orders.read": true})), "403"),
		reads("expired", guarantee.TwoControls, "The ingress gateway rejects an expired end-user JWT", Bearer(Reader.with("exp", fromNow(-2*time.Minute))), "401"),
		reads("expired-a-moment-ago", guarantee.TwoControls, "The ingress gateway accepts an end-user JWT that expired within the clock skew of a minute", Bearer(Reader.with("exp", fromNow(-20*time.Second))), "200"),
		reads("too-early", guarantee.TwoControls, "The ingress gateway rejects an end-user JWT that is not valid yet", Bearer(Reader.with("nbf", fromNow(2*time.Minute))), "401"),
		reads("forged", guarantee.TwoControls, "The ingress gateway rejects an end-user JWT that is signed with another key", forgedToken(Reader), "401"),
		reads("signed-by-other-issuer", guarantee.TwoControls, "The ingress gateway rejects an end-user JWT that is signed by another trusted issuer", signedBy("staff", Reader), "401"),
		reads("unsigned", guarantee.TwoControls, "The ingress gateway rejects an end-user JWT with the algorithm none", func(f *federation.Federation) []string {
			return []string{"Bearer " + issuer(f, "login").Unsigned(Reader.claims())}
		}, "401"),
		reads("public-key-as-secret", guarantee.TwoControls, "The ingress gateway rejects an end-user JWT that uses the public key as an HMAC secret", func(f *federation.Federation) []string {
			token, err := issuer(f, "login").WithPublicKey(Reader.claims())
			if err != nil {
				panic(err)
			}
			return []string{"Bearer " + token}
		}, "401"),
		reads("other-issuer", guarantee.TwoControls, "The ingress gateway denies the token of another trusted issuer whose name begins with the required one", signedBy("staff", Reader.with("iss", staffName)), "403"),
		reads("shorter-issuer", guarantee.TwoControls, "The ingress gateway rejects an issuer that is a prefix of the trusted one", Bearer(Reader.with("iss", "https://login")), "401"),
		reads("longer-issuer", guarantee.TwoControls, "The ingress gateway rejects an issuer that begins with the trusted one", Bearer(Reader.with("iss", loginName+".evil.example")), "401"),
		reads("no-issuer", guarantee.TwoControls, "The ingress gateway rejects an end-user JWT without an issuer", Bearer(Reader.with("iss", nil)), "401"),
		reads("opaque", guarantee.TwoControls, "The ingress gateway rejects an opaque token", authorizationHeader("Bearer 2YotnFZFEjr1zCsicMWpAA"), "401"),
		reads("basic", guarantee.TwoControls, "The ingress gateway denies basic authentication", authorizationHeader("Basic dXNlcjpwYXNzd29yZA=="), "403"),
		reads("small-letters", guarantee.TwoControls, "The ingress gateway denies the authorization scheme in lower case", func(f *federation.Federation) []string {
			return []string{strings.Replace(Bearer(Reader)(f)[0], "Bearer", "bearer", 1)}
		}, "403"),
		reads("behind-something", guarantee.TwoControls, "The ingress gateway denies an end-user JWT behind another credential in one header", func(f *federation.Federation) []string {
			return []string{"Basic dXNlcjpwYXNzd29yZA==, " + Bearer(Reader)(f)[0]}
		}, "403"),
		reads("two-good", guarantee.TwoControls, "The ingress gateway rejects two valid end-user JWTs in one request", twoTokens, "401"),
		reads("two-one-forged", guarantee.TwoControls, "The ingress gateway rejects a valid end-user JWT beside a forged one", func(f *federation.Federation) []string {
			return append(Bearer(Reader)(f), forgedToken(Reader.with("sub", "somebody else"))(f)...)
		}, "401"),
		Ask("tokens/in-query", guarantee.TwoControls, "The ingress gateway denies an end-user JWT in the query, where logs would contain it", ShopAPI, func(f *federation.Federation) traffic.Probe {
			return traffic.Probe{URL: ordersURL + "?access_token=" + strings.TrimPrefix(Bearer(Reader)(f)[0], "Bearer ")}
		}, "403"),
		Ask("tokens/other-path", guarantee.TwoControls, "The ingress gateway denies a valid end-user JWT on a path that no rule allows", ShopAPI, withAuthorization(Get("http://orders.shop:8080/admin"), Bearer(Reader)), "403"),
		Ask("tokens/excepted-path", guarantee.TwoControls, "The ingress gateway denies a valid end-user JWT on an excepted path", ShopAPI, withAuthorization(Get("http://orders.shop:8080/orders/drafts/1"), Bearer(Reader)), "403"),
		Ask("tokens/preflight", guarantee.TwoControls, "The ingress gateway denies a browser's preflight request without an end-user JWT", ShopAPI, func(*federation.Federation) traffic.Probe {
			return traffic.Probe{URL: ordersURL, Method: "OPTIONS", Header: [][2]string{{"origin", "https://a.example"}, {"access-control-request-method", "GET"}}}
		}, "403"),
		writes("writer", guarantee.ExplicitAccess, "The ingress gateway accepts the other claims of another rule: a nested claim, and one whose name is a URL", Bearer(writer), "200"),
		writes("writer-role-of-several", guarantee.ExplicitAccess, "The ingress gateway accepts a required value as an element of a list claim", Bearer(writer.with("realm_access", map[string]any{"roles": []string{"cook", "chief clerk"}})), "200"),
		writes("writer-role-missing", guarantee.TwoControls, "The ingress gateway denies an end-user JWT whose list claim lacks the required value", Bearer(writer.with("realm_access", map[string]any{"roles": []string{"cook"}})), "403"),
		writes("writer-role-outside", guarantee.TwoControls, "The ingress gateway denies the required value outside of its nested claim", Bearer(writer.with("realm_access", nil).with("roles", []string{"clerk"})), "403"),
		writes("writer-role-words", guarantee.TwoControls, "The ingress gateway does not split claims other than scope into words", Bearer(writer.with("realm_access", map[string]any{"roles": "clerk cook"})), "403"),
		writes("writer-desk-is-number", guarantee.TwoControls, "The ingress gateway denies a number where the claim must be a string", Bearer(writer.with(loginName+"/desk", 7)), "403"),
		writes("reader-writes-not", guarantee.TwoControls, "The ingress gateway denies the reader's token under the rule for writers", Bearer(Reader), "403"),
		reads("writer-reads-not", guarantee.TwoControls, "The ingress gateway denies the writer's token under the rule for readers", Bearer(writer), "403"),
		finds("grpc", guarantee.ExplicitAccess, "The ingress gateway accepts a gRPC call with an end-user JWT of its own issuer", signedBy("staff", finder), "OK"),
		finds("grpc-none", guarantee.TwoControls, "The ingress gateway denies a gRPC call without an end-user JWT", noAuthorization, "PERMISSION_DENIED"),
		finds("grpc-wrong-audience", guarantee.TwoControls, "The ingress gateway denies a gRPC call with an end-user JWT for another audience", signedBy("staff", finder.with("aud", "shop")), "PERMISSION_DENIED"),
		finds("grpc-expired", guarantee.TwoControls, "The ingress gateway rejects a gRPC call with an expired end-user JWT", signedBy("staff", finder.with("exp", fromNow(-time.Hour))), "UNAUTHENTICATED"),
		finds("grpc-other-issuer", guarantee.TwoControls, "The ingress gateway denies a gRPC call with the token of another trusted issuer", Bearer(Reader.with("aud", "search")), "PERMISSION_DENIED"),
		finds("grpc-opaque", guarantee.TwoControls, "The ingress gateway rejects a gRPC call with an opaque token", authorizationHeader("Bearer 2YotnFZFEjr1zCsicMWpAA"), "UNAUTHENTICATED"),
		Attempts("tokens/elsewhere", guarantee.WorkloadsUntouched, "Callers send any authorization header where no rule requires an end-user JWT", anyAuthorization("reviews.shop:9080/reviews/1", ShopAPI)...),
		Attempts("tokens/elsewhere-same-service", guarantee.WorkloadsUntouched, "Another peer sends any authorization header to the exported service, where its own grant requires no end-user JWT", anyAuthorization("orders.shop:8080/orders/1", NorthAPI)...),
		directly("straight", "A peer that bypasses its egress gateway with a valid end-user JWT is accepted", Bearer(Reader), "200"),
		directly("straight-none", "A peer that bypasses its egress gateway without an end-user JWT is denied", noAuthorization, "403"),
		directly("straight-two-good", "A peer that bypasses its egress gateway with two end-user JWTs is denied", twoTokens, "401 | 403"),
		directly("straight-two-good-http2", "A peer that bypasses its egress gateway over HTTP/2 with two end-user JWTs is denied", twoTokens, "401 | 403", func(p *traffic.Probe) { p.Kind, p.TLS.ALPN = "h2", []string{"h2"} }),
		directly("straight-http2", "A peer that bypasses its egress gateway over HTTP/2 with one end-user JWT is accepted", Bearer(Reader), "200", func(p *traffic.Probe) { p.Kind, p.TLS.ALPN = "h2", []string{"h2"} }),
		directly("straight-other-peer", "The ingress gateway rejects west's certificate on another peer's SNI despite a valid end-user JWT", Bearer(Reader), "alert: *", WithSNI("p8080.orders.north.fed.east.example")),
		directly("straight-claims-as-headers", "The ingress gateway ignores claims that a request sends in headers", noAuthorization, "403",
			header("x-jwt-scope", "orders.read"), header("x-jwt-payload", "eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUifQ"), header("x-envoy-auth-jwt", "orders.read")),
		directly("straight-claims-as-route", "The ingress gateway rejects a request that forges the claims of Istio's JWT routing", noAuthorization, "400", header("@request.auth.claims[scope]", "orders.read")),
		Case{Name: "tokens/refusals-tell-nothing", Guarantees: guarantee.NothingInternal, Expect: "Denials of end-user JWTs reveal no internal name", Run: tokenRefusals},
		Case{Name: "tokens/tenant-allow-everything", Guarantees: guarantee.TwoControls, Expect: "An ALLOW policy for everything in the root namespace opens no export that requires an end-user JWT; the routes deny", Run: tokensAgainstOthers},
		Case{Name: "tokens/tenant-route-everything", Guarantees: guarantee.TwoControls, Expect: "Routes without JWT conditions open no export; the RBAC rules of the virtual host deny", Run: tokensByPolicyAlone},
		Case{Name: "tokens/issuer-deleted", Guarantees: guarantee.TwoControls | guarantee.CompleteRemoval, Expect: "The export is closed after its RequestAuthentications are deleted", Run: issuerDeleted},
		Case{Name: "tokens/tenants-issuer", Guarantees: guarantee.WorkloadsUntouched, Expect: "An additional issuer in the root namespace changes nothing where no rule requires an end-user JWT", Run: issuerOfOthers},
		Case{Name: "tokens/filter-deleted", Guarantees: guarantee.TwoControls | guarantee.WorkloadsUntouched, Expect: "Without our JWT filter, foreign tokens are rejected everywhere, and no export opens", Run: filterDeleted},
		Case{Name: "tokens/keys-of-all-kinds", Guarantees: guarantee.ExplicitAccess | guarantee.TwoControls, Expect: "The ingress gateway verifies each supported key type with its own signatures only, several keys at once", Run: keysOfAllKinds},
		Case{Name: "tokens/keys-fetched", Guarantees: guarantee.ExplicitAccess | guarantee.TwoControls, Expect: "istiod fetches key sets, and only from servers whose certificates it trusts", Run: keysFetched},
		Case{Name: "tokens/keys-unreachable", Guarantees: guarantee.TwoControls, Expect: "The export is closed while its key set cannot be fetched", Run: keysUnreachable},
	)
}

// tokenClaims are the claims of an end-user JWT.
type tokenClaims pki.Claims

// fromNow is a time, counted from when the token is signed: cases wait for their turn.
type fromNow time.Duration

// claims are the current claims of the token.
func (s tokenClaims) claims() pki.Claims {
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
func (s tokenClaims) with(name string, value any) tokenClaims {
	changed := maps.Clone(s)
	changed[name] = value
	if value == nil {
		delete(changed, name)
	}
	return changed
}

var (
	Reader = tokenClaims{"iss": loginName, "sub": "ada", "aud": "orders", "scope": "orders.read", "exp": fromNow(time.Hour)}
	writer = Reader.with("scope", "orders.write").with("realm_access", map[string]any{"roles": []string{"clerk"}}).with(loginName+"/desk", "7")
	finder = Reader.with("iss", staffName).with("aud", []string{"search"})
)

func noAuthorization(*federation.Federation) []string { return nil }

func authorizationHeader(value string) authorization {
	return func(*federation.Federation) []string { return []string{value} }
}

// Bearer is an end-user JWT that the first issuer has signed.
func Bearer(says tokenClaims) authorization { return signedBy("login", says) }

func twoTokens(f *federation.Federation) []string {
	return append(Bearer(Reader)(f), Bearer(Reader.with("sub", "somebody else"))(f)...)
}

func signedBy(name string, says tokenClaims) authorization {
	return func(f *federation.Federation) []string { return []string{"Bearer " + signed(issuer(f, name), says)} }
}

// forgedToken names the right key and is signed with another one.
func forgedToken(says tokenClaims) authorization {
	return func(*federation.Federation) []string {
		forger, err := pki.NewIssuer("login-1", "RS256")
		if err != nil {
			panic(err)
		}
		return []string{"Bearer " + signed(forger, says)}
	}
}

func issuer(f *federation.Federation, name string) *pki.Issuer {
	found, err := f.Issuer(name)
	if err != nil {
		panic(err)
	}
	return found
}

func signed(by *pki.Issuer, says tokenClaims) string {
	token, err := by.Token(says.claims())
	if err != nil {
		panic(err)
	}
	return token
}

// withAuthorization adds the headers to a request.
func withAuthorization(base func(*federation.Federation) traffic.Probe, has authorization) func(*federation.Federation) traffic.Probe {
	return func(f *federation.Federation) traffic.Probe {
		p := base(f)
		for _, value := range has(f) {
			p.Header = append(p.Header, [2]string{"authorization", value})
		}
		return p
	}
}

// anyAuthorization tries every credential that is rejected where a JWT is required.
func anyAuthorization(target string, from From) []Attempt {
	var all []Attempt
	for _, has := range []authorization{
		noAuthorization, Bearer(Reader), Bearer(Reader.with("exp", fromNow(-time.Hour))), forgedToken(Reader),
		signedBy("staff", Reader.with("iss", "https://other.example")), authorizationHeader("Bearer 2YotnFZFEjr1zCsicMWpAA"), authorizationHeader("Basic dXNlcjpwYXNzd29yZA=="),
	} {
		all = append(all, Attempt{From: from, Probe: withAuthorization(Get("http://"+target), has), Want: "200"})
	}
	return append(all, Attempt{From: from, Probe: Get("http://" + target + "?access_token=2YotnFZFEjr1zCsicMWpAA"), Want: "200"})
}

func tokenArrives(t *T) {
	p := withAuthorization(Get(ordersURL), Bearer(Reader))(t.Federation)
	seen := SeenBy(t, t.Try(ShopAPI, p)[0])
	if got := Header(seen.Header, "authorization"); got != p.Header[0][1] {
		t.Errorf("the service sees %q", got)
	}
	for _, h := range seen.Header {
		if strings.Contains(h[0], "jwt") || strings.Contains(h[1], "orders.read") {
			t.Errorf("the service sees %s: %s", h[0], h[1])
		}
	}
	t.Logf("Authorization is unchanged, %d headers", len(seen.Header))
}

func tokenRefusals(t *T) {
	for _, one := range []struct {
		has    authorization
		status string
	}{{noAuthorization, "403"}, {Bearer(Reader.with("aud", "mail")), "403"}, {authorizationHeader("Bearer 2YotnFZFEjr1zCsicMWpAA"), "401"}, {forgedToken(Reader), "401"}} {
		answer := t.Try(Outside, bypassingEgress(one.has)(t.Federation))[0]
		if answer.Outcome() != one.status {
			t.Errorf("%s, and not %s", answer.Outcome(), one.status)
		}
		challenge := Header(answer.Header, "www-authenticate")
		said := answer.Body + " " + challenge
		for _, inner := range []string{"svc", "login", "orders.read", "istio", "10.", "east/", "origins"} {
			if strings.Contains(said, inner) {
				t.Errorf("the rejection contains %q", said)
			}
		}
		for _, h := range answer.Header {
			if !slices.Contains([]string{"content-length", "content-type", "date", "server", "www-authenticate"}, h[0]) {
				t.Errorf("the rejection has the header %s: %s", h[0], h[1])
			}
		}
		t.Logf("%s %q %s", one.status, answer.Body, challenge)
	}
}
