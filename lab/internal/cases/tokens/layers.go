package tokens

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/edits"
	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// others allow everything, and a marker shows when the gateway has received the change.
const arrivalMarker = `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: they-have-arrived, namespace: istio-federation}
spec:
  selector: {matchLabels: {istio: istio-federation-ingress}}
  action: DENY
  rules: [{to: [{operation: {paths: [/orders/marker]}}]}]
`

// bypassingEgress is a request that bypasses the egress gateway, on a new connection: reused connections of a gateway
// have older configurations.
func bypassingEgress(has authorization, change ...func(*traffic.Probe)) func(*federation.Federation) traffic.Probe {
	all := append([]func(*traffic.Probe){WithSNI(OrdersSNI), func(p *traffic.Probe) { p.URL = "https://" + OrdersSNI + "/orders/1" }}, change...)
	return withAuthorization(ToIngress(GenuineWest, all...), has)
}

// toSearch is the same for gRPC; toReviews is a request where no JWT is required.
func toSearch(has authorization) func(*federation.Federation) traffic.Probe {
	name := "p9000.search.west.fed.east.example"
	return withAuthorization(ToIngress(GenuineWest, WithSNI(name), func(p *traffic.Probe) {
		p.Kind, p.URL, p.Body, p.TLS.ALPN = "grpc", "https://"+name+"/search.Query/Find", "hello", []string{"h2"}
	}), has)
}

func toReviews(has authorization) func(*federation.Federation) traffic.Probe {
	return withAuthorization(ToIngress(GenuineWest), has)
}

// restoredTo waits at the end of a case until this is what it was.
func restoredTo(t *T, want string, probe func(*federation.Federation) traffic.Probe) {
	t.Restore(func(ctx context.Context) error {
		return WaitUntil(ctx, t.Federation, Outside, want, probe(t.Federation))
	})
}

func atMarker(p *traffic.Probe) { p.URL = "https://" + OrdersSNI + "/orders/marker" }

func tokensAgainstOthers(t *T) {
	restoredTo(t, "403", bypassingEgress(noAuthorization))
	restoredTo(t, "200", bypassingEgress(Bearer(Reader), atMarker))
	t.Put(t.East, AllowAnything+arrivalMarker)
	t.Until(Outside, "403", bypassingEgress(Bearer(Reader), atMarker)(t.Federation))
	refused := []authorization{noAuthorization, Bearer(Reader.with("scope", "mail")), Bearer(Reader.with("aud", "mail")), Bearer(Reader.with("scope", nil)),
		signedBy("staff", Reader.with("iss", staffName)), authorizationHeader("Basic dXNlcjpwYXNzd29yZA==")}
	for _, has := range refused {
		t.Want(Outside, "403", bypassingEgress(has)(t.Federation))
	}
	t.Want(Outside, "PERMISSION_DENIED", toSearch(noAuthorization)(t.Federation))
	t.Want(Outside, "200", bypassingEgress(Bearer(Reader))(t.Federation))
	t.Logf("%d tokens denied", len(refused))
	t.ChangeObject(t.East, t.Manifest(t.East, "VirtualService", "fed-in-orders-8080-west"), withoutTokens)
	t.ChangeObject(t.East, t.Manifest(t.East, "EnvoyFilter", "fed-in-edge"), withoutRulesOfOrders)
	took := t.Until(Outside, "200", bypassingEgress(noAuthorization)(t.Federation))
	t.Logf("without JWT conditions in the routes and in the rules of the virtual host, 200 after %s", Rounded(took))
}

func tokensByPolicyAlone(t *T) {
	behind := bypassingEgress(func(f *federation.Federation) []string { return []string{"Basic dXNlcg==, " + Bearer(Reader)(f)[0]} })
	restoredTo(t, "403", bypassingEgress(noAuthorization))
	restoredTo(t, "403", behind)
	t.ChangeObject(t.East, t.Manifest(t.East, "VirtualService", "fed-in-orders-8080-west"), withoutTokens)
	t.Until(Outside, "200", behind(t.Federation)) // only the routes require a token
	for _, has := range []authorization{noAuthorization, Bearer(Reader.with("scope", "mail")), Bearer(Reader.with("aud", "mail")), Bearer(Reader.with("aud", "orders.x"))} {
		t.Want(Outside, "403", bypassingEgress(has)(t.Federation))
	}
	t.ChangeObject(t.East, t.Manifest(t.East, "EnvoyFilter", "fed-in-edge"), withoutRulesOfOrders)
	took := t.Until(Outside, "200", bypassingEgress(noAuthorization)(t.Federation))
	t.Logf("403; without JWT conditions in the rules of the virtual host, 200 after %s", Rounded(took))
}

// withoutRulesOfOrders changes the rules of the virtual host of orders to allow every request.
func withoutRulesOfOrders(o map[string]any) {
	edits.ForAnything(OrdersSNI)(&unstructured.Unstructured{Object: o})
}

// withoutTokens removes the JWT conditions from a VirtualService.
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
	restoredTo(t, "200", bypassingEgress(Bearer(Reader)))
	restoredTo(t, "OK", toSearch(signedBy("staff", finder)))
	for _, o := range t.Manifests(t.East, "RequestAuthentication") {
		t.WithoutObjects(t.East, o)
	}
	took := t.Until(Outside, "403", bypassingEgress(opaque)(t.Federation)) // no filter checks tokens
	for _, has := range []authorization{Bearer(Reader), noAuthorization, forgedToken(Reader)} {
		t.Want(Outside, "403", bypassingEgress(has)(t.Federation))
	}
	t.Want(Outside, "PERMISSION_DENIED", toSearch(signedBy("staff", finder))(t.Federation))
	t.Want(Outside, "200", toReviews(opaque)(t.Federation))
	t.Logf("403 after %s", Rounded(took))
}

func issuerOfOthers(t *T) {
	staff, err := t.Issuer("staff")
	t.Must(err)
	theirs := bypassingEgress(signedBy("staff", Reader.with("iss", "https://other.example")))
	restoredTo(t, "401", theirs)
	t.Put(t.East, `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: of-the-mesh, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: istio-federation-ingress}}
  jwtRules: [{issuer: "https://other.example", jwks: '`+staff.JWKS()+`'}]
`)
	took := t.Until(Outside, "403", theirs(t.Federation)) // the issuer is trusted, and no rule requires its token
	t.Want(Outside, "200", toReviews(authorizationHeader("Bearer 2YotnFZFEjr1zCsicMWpAA"))(t.Federation), bypassingEgress(Bearer(Reader))(t.Federation))
	t.Logf("the additional issuer is trusted after %s", Rounded(took))
}

func filterDeleted(t *T) {
	opaque := authorizationHeader("Bearer 2YotnFZFEjr1zCsicMWpAA")
	restoredTo(t, "200", toReviews(opaque))
	t.WithoutObjects(t.East, t.Manifest(t.East, "EnvoyFilter", "fed-in-jwt-elsewhere"))
	took := t.Until(Outside, "401", toReviews(opaque)(t.Federation))
	t.Want(Outside, "200", toReviews(noAuthorization)(t.Federation))
	t.Want(Outside, "403", bypassingEgress(noAuthorization)(t.Federation))
	t.Want(Outside, "200", bypassingEgress(Bearer(Reader))(t.Federation))
	t.Logf("401 elsewhere after %s", Rounded(took))
}

// keysFrom configures the gateway to fetch the first issuer's keys from an address; keySet replaces them by these keys.
func keysFrom(t *T, address string) { setIssuer(t, "jwksUri", address) }

func keySet(t *T, keySet string) { setIssuer(t, "jwks", keySet) }

func setIssuer(t *T, field, value string) {
	for _, o := range t.Manifests(t.East, "RequestAuthentication") {
		rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "jwtRules")
		rule := rules[0].(map[string]any)
		if rule["issuer"] != loginName {
			continue
		}
		delete(rule, "jwks")
		rule[field] = value
		t.ChangeObject(t.East, o, func(o map[string]any) { t.Must(unstructured.SetNestedSlice(o, rules, "spec", "jwtRules")) })
	}
}

// serveKeys serves a key set with a certificate of this CA, and returns its address.
func serveKeys(t *T, by *pki.Authority, keys string) string {
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
		ErrorLog:          log.New(io.Discard, "", 0), // of clients that do not trust the certificate
	}
	go func() { _ = server.Serve(listener) }()
	t.Restore(func(context.Context) error { return server.Close() })
	return "https://" + listener.Addr().String() + "/keys"
}

func keysOfAllKinds(t *T) {
	restoredTo(t, "200", bypassingEgress(Bearer(Reader)))
	var all []*pki.Issuer
	for _, algorithm := range pki.Algorithms {
		one, err := pki.NewIssuer("of-"+algorithm, algorithm)
		t.Must(err)
		all = append(all, one)
	}
	keySet(t, all[0].JWKS(all[1:]...))
	t.Until(Outside, "200", bypassingEgress(authorizationHeader("Bearer "+signed(all[0], Reader)))(t.Federation))
	for i, one := range all {
		t.Want(Outside, "200", bypassingEgress(authorizationHeader("Bearer "+signed(one, Reader)))(t.Federation))
		forger, err := pki.NewIssuer("of-"+pki.Algorithms[i], pki.Algorithms[i])
		t.Must(err)
		t.Want(Outside, "401", bypassingEgress(authorizationHeader("Bearer "+signed(forger, Reader)))(t.Federation))
		t.Logf("%s", pki.Algorithms[i])
	}
}

func keysFetched(t *T) {
	restoredTo(t, "200", bypassingEgress(Bearer(Reader)))
	fresh, err := pki.NewIssuer("login-2", "RS256")
	t.Must(err)
	good := bypassingEgress(authorizationHeader("Bearer " + signed(fresh, Reader)))
	t.Want(Outside, "401", good(t.Federation))
	authority, err := t.Authority(federation.KeyServers)
	t.Must(err)
	keysFrom(t, serveKeys(t, authority, fresh.JWKS()))
	took := t.Until(Outside, "200", good(t.Federation))
	t.Want(Outside, "401", bypassingEgress(Bearer(Reader))(t.Federation))
	t.Want(Outside, "403", bypassingEgress(noAuthorization)(t.Federation))
	t.Logf("200 after %s", Rounded(took))
	foreign, err := pki.New("foreign")
	t.Must(err)
	keysFrom(t, serveKeys(t, foreign, fresh.JWKS()))
	took = t.Until(Outside, "401", good(t.Federation))
	time.Sleep(2 * time.Second)
	t.Want(Outside, "401", good(t.Federation))
	t.Logf("with keys from an untrusted server, 401 after %s", Rounded(took))
}

func keysUnreachable(t *T) {
	good := bypassingEgress(Bearer(Reader))
	restoredTo(t, "200", good)
	keysFrom(t, "https://nobody.login.example/keys")
	took := t.Until(Outside, "401", good(t.Federation))
	answer := t.Try(Outside, good(t.Federation))[0]
	t.Want(Outside, "403", bypassingEgress(noAuthorization)(t.Federation))
	t.Want(Outside, "OK", toSearch(signedBy("staff", finder))(t.Federation))
	t.Want(Outside, "200", toReviews(noAuthorization)(t.Federation))
	t.Logf("401 after %s (%s)", Rounded(took), answer.Body)
}
