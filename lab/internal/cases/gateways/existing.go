package gateways

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// shopName is the host of the operator's shop on the existing gateway.
const shopName = "shop.example"

// Existing are ingress gateways that another team operates, with listeners of its own.
func Existing() []Case {
	genuine, workload := ByBoundary("west-boundary", BoundaryEgress), ByBoundary("west-boundary", "spiffe://boundary.west.example/ns/default/sa/bookinfo-productpage")
	shopper := func(f *federation.Federation) traffic.Probe {
		return ToShared(NoCertificate, WithURLHost(shopName), WithSNI(shopName))(f)
	}
	return InScenario("existing-gateways",
		Analyzed("existing-gateways"),
		Ask("gateways/shared-in", guarantee.ExplicitAccess, "West calls east through an existing gateway that presents the certificate of its operator", Productpage, Get("http://reviews:9080/reviews/0"), "200"),
		AskDetailed("gateways/shared-in-bytes", guarantee.ExplicitAccess, "West reaches the TCP database of east through an existing gateway", Productpage, TcpBytes("mysql:3306", "hello"), "open: 220 lab ready echo: hello"),
		Ask("gateways/shared-back", guarantee.ExplicitAccess|guarantee.ServerPerPeer, "East calls west through an existing gateway that presents a certificate of the boundary's own CA", Backend, Get(DetailsURL), "200"),
		Ask("gateways/shared-caller", guarantee.EgressCallers, "The egress gateway rejects an unlisted workload that calls toward an existing gateway", OtherAccount, Get("http://reviews:9080/reviews/0"), "503"),
		Attempts("gateways/shared-rules", guarantee.TwoControls, "An existing gateway applies each combination of method and path of the exporter's rules",
			Attempt{From: Productpage, Probe: Request("POST", "http://reviews:9080/votes"), Want: "200"},
			Attempt{From: Productpage, Probe: Get("http://reviews:9080/votes"), Want: "403"},
			Attempt{From: Productpage, Probe: Request("POST", "http://reviews:9080/reviews/0"), Want: "403"},
			Attempt{From: Productpage, Probe: Request("DELETE", "http://reviews:9080/reviews/0"), Want: "403"},
			Attempt{From: Productpage, Probe: Get("http://reviews:9080/admin"), Want: "403"},
			Attempt{From: Productpage, Probe: Get("http://reviews:9080/reviews/%2e%2e%2fadmin"), Want: "400"},
		),
		Ask("gateways/shared-genuine", guarantee.ServerPerPeer, "An existing gateway accepts the egress gateway of west", Outside, ToShared(genuine), "200"),
		Ask("gateways/shared-no-certificate", guarantee.ServerPerPeer, "An existing gateway rejects a client without a certificate on our servers", Outside, ToShared(NoCertificate), "alert: certificate required"),
		Ask("gateways/shared-wrong-identity", guarantee.ServerPerPeer, "An existing gateway rejects another identity of the boundary CA on our servers", Outside, ToShared(workload), "alert: certificate unknown"),
		Ask("gateways/shared-wrong-authority", guarantee.ServerPerPeer, "An existing gateway rejects the right identity in a certificate of west's mesh CA", Outside, ToShared(MeshCA("west", pki.Request{SpiffeID: BoundaryEgress})), "alert: unknown certificate authority"),
		Ask("gateways/shared-other-host", guarantee.ServerPerPeer, "West cannot reach the operator's shop through the SNI of our export", Outside, ToShared(genuine, WithHost(shopName)), "403"),
		Ask("gateways/shared-other-name", guarantee.ServerPerPeer, "A customer of the operator's shop cannot reach our export through the shop's SNI", Outside, func(f *federation.Federation) traffic.Probe {
			return ToShared(NoCertificate, WithSNI(shopName), WithHost(ReviewsSNI))(f)
		}, "404"),
		Ask("gateways/shared-shop", guarantee.WorkloadsUntouched, "The operator's shop answers its customers at its own port", Outside, inPlain, "200"),
		Ask("gateways/shared-shop-same-port", guarantee.WorkloadsUntouched, "The operator's shop answers its customers at the port that it shares with us", Outside, shopper, "200"),
		Case{Name: "gateways/shared-guarded", Guarantees: guarantee.TenantsKeptOut, Expect: "The API server denies other tenants changes to an existing gateway, and allows those of its operator and customers", Run: sharedGuarded},
		Case{Name: "gateways/shared-policies", Guarantees: guarantee.TwoControls, Expect: "Without the identity check, our policies deny other identities and requests that no rule allows, despite an ALLOW for all", Run: sharedPolicies},
		Case{Name: "gateways/shared-wildcard", Guarantees: guarantee.ServerPerPeer | guarantee.TwoControls, Expect: "A wildcard server of the operator takes none of our SNIs, not even one that is granted to no peer", Run: sharedWildcard},
		Case{Name: "gateways/shared-plain", Guarantees: guarantee.ServerPerPeer, Expect: "A plaintext listener of the operator at our port serves none of our exports, and closes them if it is older", Run: sharedPlain},
		Case{Name: "gateways/shared-allow", Guarantees: guarantee.TwoControls | guarantee.WorkloadsUntouched, Expect: "ALLOW policies of the operator close our exports until they allow our port, which opens it to no one else", Run: sharedAllow},
		Case{Name: "gateways/shared-headers", Guarantees: guarantee.NothingInternal, Expect: "The gateways remove identity and hop headers of a peer, and answers reveal only the product's name", Run: sharedHeaders},
		Case{Name: "gateways/shared-restart", Guarantees: guarantee.WorkloadsUntouched, Expect: "Existing gateway pods without our peer's CA or the Secret serve everyone else, and none of our exports", Run: sharedRestart},
		Case{Name: "gateways/shared-passthrough", Guarantees: guarantee.ServerPerPeer | guarantee.WorkloadsUntouched, Expect: "A passthrough server of the operator at our port leaves our exports unchanged", Run: sharedPassthrough},
		Case{Name: "gateways/shared-bytes-after-handshake", Guarantees: guarantee.EgressCallers, Expect: "An existing gateway opens no backend connection for other clients", Run: sharedConnects},
	)
}

// ToShared builds a request to east's existing gateway, which has another port.
func ToShared(shown CertificateSource, change ...func(*traffic.Probe)) func(*federation.Federation) traffic.Probe {
	return ToIngress(shown, append([]func(*traffic.Probe){func(p *traffic.Probe) { p.Dial = "203.0.113.20:443" }}, change...)...)
}

// inPlain is a customer of the shop.
func inPlain(*federation.Federation) traffic.Probe {
	return traffic.Probe{URL: "http://" + shopName + ":8080/", Dial: "203.0.113.20:8080"}
}

// shopOpen checks that the operator's shop answers, whatever we do.
func shopOpen(t *T) {
	t.Want(Outside, "200", inPlain(t.Federation), ToShared(NoCertificate, WithURLHost(shopName), WithSNI(shopName))(t.Federation))
}

func sharedGuarded(t *T) {
	CreateTenant(t, t.East)
	for text, why := range map[string]string{
		"kind: Gateway\nmetadata: {name: foreign, namespace: tenant}\nspec: {selector: {istio: shared}, servers: [{port: {number: 8081, name: http, protocol: HTTP}, hosts: [\"*\"]}]}":        "add or block",
		"kind: VirtualService\nmetadata: {name: foreign, namespace: tenant}\nspec: {hosts: [foreign.example], gateways: [istio-ingress/fed-in-west], http: [{directResponse: {status: 200}}]}": "attaches routes",
		"kind: VirtualService\nmetadata: {name: foreign, namespace: tenant}\nspec: {hosts: [" + ReviewsSNI + "], gateways: [istio-ingress/public], http: [{directResponse: {status: 200}}]}":   "takes a host name",
	} {
		objects := ParseObjects(t, "apiVersion: networking.istio.io/v1\n"+text)
		t.Restore(func(ctx context.Context) error { return t.East.Delete(ctx, objects...) })
		if err := t.East.Put(t.Context(), objects...); err == nil || !Refusal(err) || !strings.Contains(err.Error(), why) {
			t.Errorf("not denied because it %s: %v", why, err)
		}
	}
	t.Put(t.East, `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: more, namespace: istio-ingress}
spec: {selector: {istio: shared}, servers: [{port: {number: 8082, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: more, namespace: tenant}
spec: {hosts: [more.example], gateways: [istio-ingress/public], http: [{directResponse: {status: 204}}]}
`)
	t.Until(Outside, "204", traffic.Probe{URL: "http://more.example:8080/", Dial: "203.0.113.20:8080"})
	t.Logf("three objects denied; the operator's Gateway and a customer's route accepted, 204")
}

const allowAll = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: lab-allows-everything, namespace: istio-system}
spec: {action: ALLOW, rules: [{}]}
`

func sharedPolicies(t *T) {
	t.Put(t.East, allowAll)
	t.ChangeObject(t.East, t.Manifest(t.East, "Gateway", "fed-in-west"), func(o map[string]any) {
		for _, server := range o["spec"].(map[string]any)["servers"].([]any) {
			delete(server.(map[string]any)["tls"].(map[string]any), "subjectAltNames")
		}
	})
	t.Until(Outside, "403", ToShared(ByBoundary("west-boundary", "spiffe://boundary.west.example/ns/default/sa/bookinfo-productpage"))(t.Federation))
	t.Want(Outside, "200", ToShared(ByBoundary("west-boundary", BoundaryEgress))(t.Federation))
	// The routes reject it as well, so they are opened for a moment.
	t.ChangeObject(t.East, t.Manifest(t.East, "VirtualService", "fed-in-reviews-9080-west"), func(o map[string]any) {
		spec := o["spec"].(map[string]any)
		for _, route := range spec["http"].([]any) {
			if route := route.(map[string]any); route["route"] != nil {
				delete(route, "match")
				spec["http"] = []any{route}
			}
		}
	})
	opened := ToShared(ByBoundary("west-boundary", BoundaryEgress), WithPath("/votes"))(t.Federation)
	t.Must(mesh.Wait(t.Context(), time.Minute, func() error { // the rejection by the routes has no body
		if answer := t.Try(Outside, opened)[0]; answer.Outcome() != "403" || answer.Body == "" {
			return fmt.Errorf("the routes are not open yet: %s %q", answer.Outcome(), answer.Body)
		}
		return nil
	}))
	for _, change := range []func(*traffic.Probe){WithPath("/votes"), WithPath("/admin"), func(p *traffic.Probe) { p.Method = "DELETE" }} {
		t.Want(Outside, "403", ToShared(ByBoundary("west-boundary", BoundaryEgress), change)(t.Federation))
	}
	shopOpen(t)
	t.Logf("another identity 403; with open routes, a method, a path and a combination that no rule allows 403")
}

// EveryName is the operator's server for every SNI, at our port.
const EveryName = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: everything, namespace: istio-ingress}
spec:
  selector: {istio: shared}
  servers: [{port: {number: 15443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: "builtin://"}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: everything, namespace: default}
spec:
  hosts: [any.example]
  gateways: [istio-ingress/everything]
  http: [{route: [{destination: {host: ratings.default.svc.cluster.local, port: {number: 9080}}}]}]
`

func sharedWildcard(t *T) {
	t.Put(t.East, EveryName)
	t.Until(Outside, "200", ToShared(NoCertificate, WithURLHost("any.example"), WithSNI("any.example"))(t.Federation))
	t.Want(Outside, "alert: certificate required", ToShared(NoCertificate)(t.Federation))
	t.Want(Outside, "200", ToShared(ByBoundary("west-boundary", BoundaryEgress))(t.Federation))
	for _, name := range []string{"p9080.ratings.west.fed.east.example", "p9080.ratings.nobody.fed.east.example"} {
		t.Want(Outside, "403", ToShared(NoCertificate, WithSNI(name), WithHost("any.example"))(t.Federation))
	}
	t.Want(Productpage, "200", Reviews("/reviews/0"))
	t.Logf("our SNI: as before; our SNIs that are granted to no peer: 403")
}

func sharedPlain(t *T) {
	const plain = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: plain, namespace: istio-ingress}
spec:
  selector: {istio: shared}
  servers: [{port: {number: 15443, name: http, protocol: HTTP}, hosts: ["*"]}]
`
	unencrypted := traffic.Probe{URL: "http://" + ReviewsSNI + "/reviews/0", Dial: "203.0.113.20:443"}
	t.Put(t.East, plain)
	t.Until(Outside, "404", unencrypted)
	t.Want(Productpage, "200", Reviews("/reviews/0"))
	t.Want(Outside, "alert: certificate required", ToShared(NoCertificate)(t.Federation))
	shopOpen(t)
	// The creation times of objects have whole seconds.
	gateways := t.Manifests(t.East, "Gateway")
	t.Restore(func(ctx context.Context) error { return t.East.PutOwn(ctx, gateways...) })
	public := ParseObjects(t, federation.SharedListeners)
	t.Restore(func(ctx context.Context) error { return t.East.Put(ctx, public...) })
	t.Must(t.East.Delete(t.Context(), append(gateways, public...)...))
	t.Pause(2 * time.Second)
	t.Must(t.East.PutOwn(t.Context(), gateways...))
	t.Must(t.East.Put(t.Context(), public...))
	t.Until(Productpage, "503", Reviews("/reviews/0"))
	t.Want(Outside, "404", unencrypted)
	t.Logf("our Gateway is older: as before; the operator's is older: 503 for the caller; plaintext 404 both times")
}

func sharedAllow(t *T) {
	policy := func(name, rule string) string {
		return "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: " + name + ", namespace: istio-ingress}\n" +
			"spec: {selector: {matchLabels: {istio: shared}}, action: ALLOW, rules: [" + rule + "]}\n"
	}
	t.Put(t.East, policy("shop", `{to: [{operation: {hosts: [`+shopName+`, "`+shopName+`:*"]}}]}`))
	t.Until(Productpage, "403", Reviews("/reviews/0"))
	shopOpen(t)
	t.Put(t.East, policy("federation", `{when: [{key: connection.sni, values: ["*.fed.east.example"]}]}`))
	t.Until(Productpage, "200", Reviews("/reviews/0"))
	shopOpen(t)
	t.Want(Productpage, "403", Reviews("/admin"))
	t.Want(Outside, "alert: certificate required", ToShared(NoCertificate)(t.Federation))
	t.Want(Outside, "403", traffic.Probe{URL: "http://any.example:8080/", Dial: "203.0.113.20:8080"})
	t.Logf("403 for the caller, then 200; the shop 200 throughout, nothing else opened")
}

func sharedHeaders(t *T) {
	headers := append(ForgedHeaders(t.Federation), [2]string{"x-forwarded-proto", "http"}, [2]string{"x-request-id", "chosen-by-the-peer"})
	seen := SeenByAll(t, t.Try(Outside, WithForgedHeaders(ToShared(ByBoundary("west-boundary", BoundaryEgress))(t.Federation), headers))[0])
	allowed := slices.Concat(OwnWords, ReplacedByIstio)
	for _, h := range seen.Header {
		if strings.Contains(h[1], Forgery) && !slices.Contains(allowed, h[0]) {
			t.Errorf("the backend has %s: %q", h[0], h[1])
		}
	}
	for name, want := range map[string]string{"x-forwarded-for": "198.18.*", "x-federation-peer": "west", "x-forwarded-proto": "https"} {
		if got := Header(seen.Header, name); !outcome.Matches(got, want) {
			t.Errorf("%s is %q, and not %s", name, got, want)
		}
	}
	t.Logf("x-forwarded-client-cert %s", Header(seen.Header, "x-forwarded-client-cert"))
	for _, one := range []struct {
		want   string
		change func(*traffic.Probe)
	}{{"200", WithPath("/reviews/0")}, {"403", WithPath("/admin")}, {"403", WithHost("nobody.example")}, {"400", WithPath("/reviews/%2fadmin")}} {
		want, call := one.want, ToShared(ByBoundary("west-boundary", BoundaryEgress))(t.Federation)
		one.change(&call)
		answer := t.Try(Outside, call)[0]
		if answer.Outcome() != want {
			t.Errorf("%s, and not %s", answer.Outcome(), want)
		}
		for _, h := range answer.Header {
			if known := []string{"connection", "content-length", "content-type", "date"}; !slices.Contains(known, h[0]) && (h[0] != "server" || h[1] != "istio-envoy") {
				t.Errorf("%s has the header %s: %s", answer.Outcome(), h[0], h[1])
			}
		}
	}
	t.Logf("answers have server: istio-envoy, and no other header of the gateway")
}

func sharedConnects(t *T) {
	dial := func(p traffic.Probe) traffic.Probe { p.URL = "tcp://203.0.113.20:443"; return p }
	before := t.Connections("east", "db/mysql", 3306)
	t.Try(OtherAccount, TcpBytes("mysql:3306", "hello")(t.Federation))
	t.Try(Outside, dial(ToServer(MysqlOf("west"), "tcp", NoCertificate)(t.Federation)))
	t.Try(Outside, dial(ToServer(MysqlOf("west"), "tcp", MeshCA("west", pki.Request{SpiffeID: BoundaryEgress}))(t.Federation)))
	time.Sleep(300 * time.Millisecond)
	if got := t.Connections("east", "db/mysql", 3306) - before; got != 0 {
		t.Errorf("they made the database accept %d connections", got)
	}
	t.Try(Outside, dial(ToServer(MysqlOf("west"), "tcp", ByBoundary("west-boundary", BoundaryEgress))(t.Federation)))
	if got := t.Connections("east", "db/mysql", 3306) - before; got != 1 {
		t.Errorf("the peer made it accept %d connections, and not 1", got)
	}
	t.Logf("no connection for other clients, one for the peer")
}

// sharedRestart replaces the gateway's pods while our servers lack what they need.
func sharedRestart(t *T) {
	restarted := func(m *mesh.Mesh) time.Duration {
		began := time.Now()
		_, err := m.Kubectl(t.Context(), "", "-n", "istio-ingress", "rollout", "restart", "deployment/shared")
		t.Must(err)
		t.Must(Rolled(t.Context(), m, "istio-ingress", "shared"))
		took := Rounded(time.Since(began))
		t.Pause(5 * time.Second) // until the old one has ended
		return took
	}
	before := restarted(t.East)
	t.WithoutObjects(t.East, t.Manifest(t.East, "ConfigMap", "fed-in-trust-west"))
	authority := restarted(t.East)
	t.Until(Outside, "200", inPlain(t.Federation))
	shopOpen(t)
	t.Want(Outside, "alert: * | closed | reset", ToShared(ByBoundary("west-boundary", BoundaryEgress))(t.Federation))
	t.Must(t.East.PutOwn(t.Context(), t.Manifest(t.East, "ConfigMap", "fed-in-trust-west")))
	opened := t.Until(Outside, "200", ToShared(ByBoundary("west-boundary", BoundaryEgress))(t.Federation))
	t.Logf("the gateway is ready after %s, without the peer's CA after %s; the peer gets 200 %s after it arrives", before, authority, Rounded(opened))
	t.Restore(func(ctx context.Context) error { return t.PutCredentials(ctx, t.West, t.Current()) })
	t.Must(t.West.Client.CoreV1().Secrets("istio-ingress").Delete(t.Context(), "federation-ingress-tls", metav1.DeleteOptions{}))
	secret := restarted(t.West)
	shop := inPlain(t.Federation)
	shop.Dial = "203.0.113.10:8080"
	t.Until(Outside, "200", shop)
	t.Want(Backend, "503", traffic.Probe{URL: DetailsURL})
	t.Must(t.PutCredentials(t.Context(), t.West, t.Current()))
	opened = t.Until(Backend, "200", traffic.Probe{URL: DetailsURL})
	t.Logf("without its Secret after %s; and %s", secret, Rounded(opened))
}

// sharedPassthrough additionally configures the gateway as an Istio east-west gateway.
func sharedPassthrough(t *T) {
	t.Put(t.East, `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: cross-network, namespace: istio-ingress}
spec:
  selector: {istio: shared}
  servers: [{port: {number: 15443, name: tls, protocol: TLS}, hosts: ["*.local"], tls: {mode: AUTO_PASSTHROUGH}}]
`)
	passed := IntoMesh
	passed.URL = "tls://203.0.113.20:443"
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		answer := t.Try(Outside, passed)[0]
		if id := SpiffeIDOf(answer.Certificates); id != "spiffe://east.example/ns/default/sa/bookinfo-ratings" {
			return fmt.Errorf("no bytes pass: %q: %s", id, answer.Outcome())
		}
		return nil
	}))
	t.Want(Productpage, "200", Reviews("/reviews/0"))
	t.Want(Outside, "alert: certificate required", ToShared(NoCertificate)(t.Federation))
	t.Want(Outside, "200", ToShared(ByBoundary("west-boundary", BoundaryEgress))(t.Federation))
	t.Want(Outside, "alert: unknown certificate authority", ToShared(MeshCA("west", pki.Request{SpiffeID: BoundaryEgress}))(t.Federation))
	shopOpen(t)
	t.Logf("the operator's server passes bytes through, our exports are as before")
}
