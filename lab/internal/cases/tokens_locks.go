package cases

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// others allow everything, and a marker tells when the gateway has heard of it.
const arrivalMarker = `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: they-have-arrived, namespace: istio-federation}
spec:
  selector: {matchLabels: {istio: istio-federation-ingress}}
  action: DENY
  rules: [{to: [{operation: {paths: [/orders/marker]}}]}]
`

// bypassingEgress is a request past the egress gateway, on a connection of its own: those that a gateway keeps have seen older configurations.
func bypassingEgress(has authorization, change ...func(*traffic.Probe)) func(*federation.Federation) traffic.Probe {
	all := append([]func(*traffic.Probe){withSNI(ordersSNI), func(p *traffic.Probe) { p.URL = "https://" + ordersSNI + "/orders/1" }}, change...)
	return withAuthorization(toIngress(genuineWest, all...), has)
}

// toSearch is the same for gRPC, toReviews where no token is demanded.
func toSearch(has authorization) func(*federation.Federation) traffic.Probe {
	name := "p9000.search.west.fed.east.example"
	return withAuthorization(toIngress(genuineWest, withSNI(name), func(p *traffic.Probe) {
		p.Kind, p.URL, p.Body, p.TLS.ALPN = "grpc", "https://"+name+"/search.Query/Find", "hello", []string{"h2"}
	}), has)
}

func toReviews(has authorization) func(*federation.Federation) traffic.Probe {
	return withAuthorization(toIngress(genuineWest), has)
}

// restoredTo waits at the end of a case until this is what it was.
func (t *T) restoredTo(want string, probe func(*federation.Federation) traffic.Probe) {
	t.Restore(func(ctx context.Context) error {
		return waitUntil(ctx, t.Federation, outside, want, probe(t.Federation))
	})
}

func atMarker(p *traffic.Probe) { p.URL = "https://" + ordersSNI + "/orders/marker" }

func tokensAgainstOthers(t *T) {
	t.restoredTo("403", bypassingEgress(noAuthorization))
	t.restoredTo("200", bypassingEgress(bearer(reader), atMarker))
	t.Put(t.East, allowAnything+arrivalMarker)
	t.Until(outside, "403", bypassingEgress(bearer(reader), atMarker)(t.Federation))
	refused := []authorization{noAuthorization, bearer(reader.with("scope", "mail")), bearer(reader.with("aud", "mail")), bearer(reader.with("scope", nil)),
		signedBy("staff", reader.with("iss", staffName)), authorizationHeader("Basic dXNlcjpwYXNzd29yZA==")}
	for _, has := range refused {
		t.Want(outside, "403", bypassingEgress(has)(t.Federation))
	}
	t.Want(outside, "PERMISSION_DENIED", toSearch(noAuthorization)(t.Federation))
	t.Want(outside, "200", bypassingEgress(bearer(reader))(t.Federation))
	t.Logf("%d tokens refused", len(refused))
	t.changeObject(t.East, t.manifest(t.East, "VirtualService", "fed-in-orders-8080-west"), withoutTokens)
	t.changeObject(t.East, t.manifest(t.East, "EnvoyFilter", "fed-in-edge"), withoutRulesOfOrders)
	took := t.Until(outside, "200", bypassingEgress(noAuthorization)(t.Federation))
	t.Logf("without tokens in the routes and in the rules of the virtual host 200 after %s", rounded(took))
}

func tokensByPolicyAlone(t *T) {
	behind := bypassingEgress(func(f *federation.Federation) []string { return []string{"Basic dXNlcg==, " + bearer(reader)(f)[0]} })
	t.restoredTo("403", bypassingEgress(noAuthorization))
	t.restoredTo("403", behind)
	t.changeObject(t.East, t.manifest(t.East, "VirtualService", "fed-in-orders-8080-west"), withoutTokens)
	t.Until(outside, "200", behind(t.Federation)) // only the routes ask for a token and nothing else
	for _, has := range []authorization{noAuthorization, bearer(reader.with("scope", "mail")), bearer(reader.with("aud", "mail")), bearer(reader.with("aud", "orders.x"))} {
		t.Want(outside, "403", bypassingEgress(has)(t.Federation))
	}
	t.changeObject(t.East, t.manifest(t.East, "EnvoyFilter", "fed-in-edge"), withoutRulesOfOrders)
	took := t.Until(outside, "200", bypassingEgress(noAuthorization)(t.Federation))
	t.Logf("403; without tokens in the rules of the virtual host 200 after %s", rounded(took))
}

// withoutRulesOfOrders lets the rules of the virtual host of orders allow every request.
func withoutRulesOfOrders(o map[string]any) {
	forAnything(ordersSNI)(&unstructured.Unstructured{Object: o})
}

// withoutTokens takes what concerns tokens out of a VirtualService.
func withoutTokens(o map[string]any) {
	routes, _, _ := unstructured.NestedSlice(o, "spec", "http")
	for _, route := range routes {
		matches, _ := route.(map[string]any)["match"].([]any)
		for _, match := range matches {
			delete(match.(map[string]any), "headers")
		}
	}
	if err := unstructured.SetNestedSlice(o, routes, "spec", "http"); err != nil {
		panic(err)
	}
}

func issuerDeleted(t *T) {
	opaque := authorizationHeader("Bearer 2YotnFZFEjr1zCsicMWpAA")
	t.restoredTo("200", bypassingEgress(bearer(reader)))
	t.restoredTo("OK", toSearch(signedBy("staff", finder)))
	for _, o := range t.manifests(t.East, "RequestAuthentication") {
		t.withoutObjects(t.East, o)
	}
	took := t.Until(outside, "403", bypassingEgress(opaque)(t.Federation)) // nobody looks at tokens
	for _, has := range []authorization{bearer(reader), noAuthorization, forgedToken(reader)} {
		t.Want(outside, "403", bypassingEgress(has)(t.Federation))
	}
	t.Want(outside, "PERMISSION_DENIED", toSearch(signedBy("staff", finder))(t.Federation))
	t.Want(outside, "200", toReviews(opaque)(t.Federation))
	t.Logf("403 after %s", rounded(took))
}

func issuerOfOthers(t *T) {
	staff, err := t.Issuer("staff")
	t.Must(err)
	theirs := bypassingEgress(signedBy("staff", reader.with("iss", "https://other.example")))
	t.restoredTo("401", theirs)
	t.Put(t.East, `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: of-the-mesh, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: istio-federation-ingress}}
  jwtRules: [{issuer: "https://other.example", jwks: '`+staff.JWKS()+`'}]
`)
	took := t.Until(outside, "403", theirs(t.Federation)) // it is believed, and not demanded
	t.Want(outside, "200", toReviews(authorizationHeader("Bearer 2YotnFZFEjr1zCsicMWpAA"))(t.Federation), bypassingEgress(bearer(reader))(t.Federation))
	t.Logf("believed after %s", rounded(took))
}

func filterDeleted(t *T) {
	opaque := authorizationHeader("Bearer 2YotnFZFEjr1zCsicMWpAA")
	t.restoredTo("200", toReviews(opaque))
	t.withoutObjects(t.East, t.manifest(t.East, "EnvoyFilter", "fed-in-jwt-elsewhere"))
	took := t.Until(outside, "401", toReviews(opaque)(t.Federation))
	t.Want(outside, "200", toReviews(noAuthorization)(t.Federation))
	t.Want(outside, "403", bypassingEgress(noAuthorization)(t.Federation))
	t.Want(outside, "200", bypassingEgress(bearer(reader))(t.Federation))
	t.Logf("401 elsewhere after %s", rounded(took))
}

// keysFrom makes the gateway believe the first issuer by keys from an address, believing by these keys, in place of those of the manifests.
func (t *T) keysFrom(address string) { t.setIssuer("jwksUri", address) }
func (t *T) keySet(keySet string)    { t.setIssuer("jwks", keySet) }

func (t *T) setIssuer(field, value string) {
	for _, o := range t.manifests(t.East, "RequestAuthentication") {
		rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "jwtRules")
		rule := rules[0].(map[string]any)
		if rule["issuer"] != loginName {
			continue
		}
		delete(rule, "jwks")
		rule[field] = value
		t.changeObject(t.East, o, func(o map[string]any) { t.Must(unstructured.SetNestedSlice(o, rules, "spec", "jwtRules")) })
	}
}

// serveKeys serves a key set to everybody, with a certificate of this authority, and returns where.
func (t *T) serveKeys(by *pki.Authority, keys string) string {
	here := net.ParseIP(t.Lab.Here())
	leaf, err := by.Issue(pki.Request{IPs: []net.IP{here}})
	t.Must(err)
	shown, err := tls.X509KeyPair([]byte(leaf.Cert), []byte(leaf.Key))
	t.Must(err)
	listener, err := tls.Listen("tcp", net.JoinHostPort(here.String(), "0"), &tls.Config{Certificates: []tls.Certificate{shown}, MinVersion: tls.VersionTLS12})
	t.Must(err)
	server := &http.Server{
		ReadHeaderTimeout: time.Second,
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, keys) }),
		ErrorLog:          log.New(io.Discard, "", 0), // whoever does not believe the certificate says so
	}
	go func() { _ = server.Serve(listener) }()
	t.Restore(func(context.Context) error { return server.Close() })
	return "https://" + listener.Addr().String() + "/keys"
}

func keysOfAllKinds(t *T) {
	t.restoredTo("200", bypassingEgress(bearer(reader)))
	var all []*pki.Issuer
	for _, algorithm := range pki.Algorithms {
		one, err := pki.NewIssuer("of-"+algorithm, algorithm)
		t.Must(err)
		all = append(all, one)
	}
	t.keySet(all[0].JWKS(all[1:]...))
	t.Until(outside, "200", bypassingEgress(authorizationHeader("Bearer "+signed(all[0], reader)))(t.Federation))
	for i, one := range all {
		t.Want(outside, "200", bypassingEgress(authorizationHeader("Bearer "+signed(one, reader)))(t.Federation))
		forger, err := pki.NewIssuer("of-"+pki.Algorithms[i], pki.Algorithms[i])
		t.Must(err)
		t.Want(outside, "401", bypassingEgress(authorizationHeader("Bearer "+signed(forger, reader)))(t.Federation))
		t.Logf("%s", pki.Algorithms[i])
	}
}

func keysFetched(t *T) {
	t.restoredTo("200", bypassingEgress(bearer(reader)))
	fresh, err := pki.NewIssuer("login-2", "RS256")
	t.Must(err)
	good := bypassingEgress(authorizationHeader("Bearer " + signed(fresh, reader)))
	t.Want(outside, "401", good(t.Federation))
	authority, err := t.Authority(federation.KeyServers)
	t.Must(err)
	t.keysFrom(t.serveKeys(authority, fresh.JWKS()))
	took := t.Until(outside, "200", good(t.Federation))
	t.Want(outside, "401", bypassingEgress(bearer(reader))(t.Federation))
	t.Want(outside, "403", bypassingEgress(noAuthorization)(t.Federation))
	t.Logf("200 after %s", rounded(took))
	stranger, err := pki.New("foreign")
	t.Must(err)
	t.keysFrom(t.serveKeys(stranger, fresh.JWKS()))
	took = t.Until(outside, "401", good(t.Federation))
	time.Sleep(2 * time.Second)
	t.Want(outside, "401", good(t.Federation))
	t.Logf("from a server that it does not believe: 401 after %s", rounded(took))
}

func keysUnreachable(t *T) {
	good := bypassingEgress(bearer(reader))
	t.restoredTo("200", good)
	t.keysFrom("https://nobody.login.example/keys")
	took := t.Until(outside, "401", good(t.Federation))
	answer := t.Try(outside, good(t.Federation))[0]
	t.Want(outside, "403", bypassingEgress(noAuthorization)(t.Federation))
	t.Want(outside, "OK", toSearch(signedBy("staff", finder))(t.Federation))
	t.Want(outside, "200", toReviews(noAuthorization)(t.Federation))
	t.Logf("401 after %s (%s)", rounded(took), answer.Body)
}

// tokensTakenAway: each thing that is asked of a token is asked twice.
func tokensTakenAway() []Mutation {
	const orders = "fed-in-orders-8080-west"
	rule := func(name string, permission, rule int) Mutation {
		return Mutation{Name: "tokens/rules/" + name, Guarantees: guarantee.TwoControls, Mesh: "east", Kind: "EnvoyFilter", Object: "fed-in-edge",
			Change: withoutRule(ordersSNI, permission, rule), Off: []string{"tokens/route/" + name}}
	}
	route := func(name, field string) Mutation {
		return Mutation{Name: "tokens/route/" + name, Guarantees: guarantee.TwoControls, Mesh: "east", Kind: "VirtualService", Object: orders,
			Change: withoutField("spec/http/5/match/" + field), Off: []string{"tokens/rules/" + name}}
	}
	header := route("header", "0/headers/authorization") // rules read the claims, and not where the token came from
	header.Off = nil
	return []Mutation{
		rule("issuer", 0, 3), route("issuer", "0/headers/@request.auth.claims[iss]"),
		rule("audience", 0, 4), route("audience", "0/headers/@request.auth.claims[aud]"),
		rule("claim", 0, 5), route("claim", "0/headers/@request.auth.claims[scope]"),
		rule("claim-inside-another", 1, 5), route("claim-inside-another", "1/headers/@request.auth.claims[realm_access][roles]"),
		header,
		{
			Name: "tokens/believed/in-one-header", Guarantees: guarantee.TwoControls, Mesh: "east", Kind: "RequestAuthentication", Object: "fed-in-jwt-login-example-22494105",
			Change: withoutField("spec/jwtRules/0/fromHeaders"), Off: []string{"tokens/route/header"},
		},
		{Name: "tokens/believed", Guarantees: guarantee.TwoControls, Mesh: "east", Kind: "RequestAuthentication", Object: "fed-in-jwt-login-example-staff-a79795a0"},
		{Name: "tokens/filter", Guarantees: guarantee.WorkloadsUntouched, Mesh: "east", Kind: "EnvoyFilter", Object: "fed-in-jwt-elsewhere"},
	}
}
