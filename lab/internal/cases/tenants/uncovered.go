package tenants

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// uncoveredObjects are objects that the admission policy does not cover, or that have no effect without it.
var uncoveredObjects = []struct {
	name, what string
	guarantees guarantee.Set
	run        func(*T)
}{
	{"allow-everything", "An ALLOW policy for everything in both root namespaces opens none of our exports", guarantee.TwoControls | guarantee.TenantsKeptOut, allowEverything},
	{"deny-elsewhere", "Policies in the namespace of another tenant do not affect the boundary gateways, whatever they select", guarantee.TenantsKeptOut, denyElsewhere},
	{"peer-authentication", "A tenant that disables mutual TLS for its own namespace does not affect the boundary", guarantee.TLSOnEveryHop | guarantee.TenantsKeptOut, changesNothing("", `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: tenant}
spec: {mtls: {mode: DISABLE}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: ours, namespace: tenant}
spec: {mtls: {mode: PERMISSIVE}, selector: {matchLabels: {app: reviews}}}
`)},
	{"rule-for-all-tenant", "A tenant's DestinationRule for all Services does not disable the callers' TLS", guarantee.TLSOnEveryHop | guarantee.TenantsKeptOut, changesNothing("west", withoutTLS("tenant", "*.svc.cluster.local"))},
	{"rule-for-all-root", "A DestinationRule for all Services in the root namespace does not disable the callers' TLS", guarantee.TLSOnEveryHop | guarantee.TenantsKeptOut, changesNothing("west", withoutTLS("istio-system", "*.svc.cluster.local"))},
	{"rule-for-all-local", "A DestinationRule for all local hosts does not disable the callers' TLS", guarantee.TLSOnEveryHop | guarantee.TenantsKeptOut, changesNothing("west", withoutTLS("istio-system", "*.local"))},
	{"rule-for-all-caller", "A DestinationRule for all Services in the callers' namespace does not disable the callers' TLS", guarantee.TLSOnEveryHop | guarantee.TenantsKeptOut, changesNothing("west", withoutTLS("default", "*.svc.cluster.local"))},
	{"rule-for-egress", "A tenant's DestinationRule for the egress gateway does not disable the callers' TLS", guarantee.TLSOnEveryHop | guarantee.TenantsKeptOut, changesNothing("west", withoutTLS("tenant", EgressHost))},
	{"rule-for-egress-root", "A DestinationRule for the egress gateway in the root namespace does not disable the callers' TLS", guarantee.TLSOnEveryHop | guarantee.TenantsKeptOut, changesNothing("west", withoutTLS("istio-system", EgressHost))},
	{"rule-for-peer", "A tenant's DestinationRule for the SNI of the peer's export does not disable the egress gateway's TLS", guarantee.TLSOnEveryHop | guarantee.TenantsKeptOut, changesNothing("west", withoutTLS("tenant", ReviewsSNI))},
	{"rule-for-peer-root", "A DestinationRule for the SNI of the peer's export in the root namespace does not disable the egress gateway's TLS", guarantee.TLSOnEveryHop | guarantee.TenantsKeptOut, changesNothing("west", withoutTLS("istio-system", ReviewsSNI))},
	{"rule-for-all-east", "A tenant's DestinationRule in the exporting mesh does not affect the ingress gateway", guarantee.TenantsKeptOut, changesNothing("east", withoutTLS("tenant", "*.svc.cluster.local"))},
	{"rule-for-backend", "A tenant's DestinationRule for the exported Service does not affect the ingress gateway", guarantee.TenantsKeptOut, changesNothing("east", withoutTLS("tenant", ReviewsHost))},
	{"route-for-backend", "A tenant's VirtualService for the exported Service does not redirect the peer", guarantee.TenantsKeptOut, changesNothing("east", tenantRoute("tenant", ReviewsHost, `["*"]`))},
	{"route-for-egress", "A tenant's VirtualService for the egress gateway does not redirect callers", guarantee.TenantsKeptOut, changesNothing("west", tenantRoute("tenant", EgressHost, `["*"]`))},
	{"entry-for-peer", "Without the policy, a tenant's ServiceEntry for the SNI of the peer's export redirects no one, even if it is older than ours", guarantee.TenantsKeptOut, entryForPeer},
	{"entry-for-egress", "Without the policy, a tenant's ServiceEntry with the egress gateway's host does not redirect callers", guarantee.TenantsKeptOut, entryFor(EgressHost, 15443)},
	{"entry-for-local-name", "Without the policy, a tenant's ServiceEntry with the local name does not redirect callers", guarantee.TenantsKeptOut, entryFor(ReviewsHost, 9080)},
	{"entry-for-binding", "Without the policy, a tenant's ServiceEntry with the SNI of the binding does not redirect callers", guarantee.TenantsKeptOut, entryFor(BindingSNI, 15443)},
	{"sidecar-own-namespace", "Callers whose Sidecar imports only their own namespace reach the local name", guarantee.TenantsKeptOut, changesNothing("west", sidecar("default", `{hosts: ["./*"]}`))},
	{"sidecar-registry-only", "Callers with REGISTRY_ONLY whose Sidecar imports only the local name reach it", guarantee.TenantsKeptOut,
		changesNothing("west", sidecar("default", `{hosts: ["./reviews.default.svc.cluster.local", "./*.lab.example"]}`)+"  outboundTrafficPolicy: {mode: REGISTRY_ONLY}\n")},
	{"sidecar-per-port", "Callers whose Sidecar declares a listener for the port need one more that imports the egress gateway: 503 without, 200 with it", guarantee.TenantsKeptOut, sidecarPerPort},
	{"sidecar-in-root", "Callers reach the local name when the whole mesh has a Sidecar that imports only the own namespace", guarantee.TenantsKeptOut, sidecarInRoot},
}

// changesNothing applies objects to a mesh, or to both, and checks that nothing changes.
func changesNothing(meshName, text string) func(*T) {
	return func(t *T) {
		meshes := []*mesh.Mesh{t.East, t.West}
		if meshName != "" {
			meshes = []*mesh.Mesh{t.Mesh(meshName)}
		}
		for _, m := range meshes {
			CreateTenant(t, m)
			t.Put(m, text)
		}
		waitForConfig(t, meshes...)
		expectUnharmed(t)
		t.Logf("200 and 503 as before")
	}
}

func withoutTLS(namespace, host string) string {
	return fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: neighbour, namespace: %s}
spec: {host: "%s", exportTo: ["*"], trafficPolicy: {tls: {mode: DISABLE}}}
`, namespace, host)
}

func sidecar(namespace, egress string) string {
	return fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: %s}
spec:
  egress: [%s]
`, namespace, egress)
}

func allowEverything(t *T) {
	t.Put(t.East, AllowAnything)
	t.Put(t.West, AllowAnything)
	waitForConfig(t, t.East, t.West)
	expectUnharmed(t)
	t.Want(Productpage, "403", traffic.Probe{URL: "http://reviews:9080/reviews/0", Method: "DELETE"}, Reviews("/reviews"), Reviews("/reviews/../admin"))
	t.Want(Outside, "403", ToIngress(GenuineWest, WithPath("/admin"))(t.Federation))
	t.Want(Outside, "reset | closed", ToIngress(GenuineWest, WithSNI("p9080.ratings.west.fed.east.example"))(t.Federation))
	t.Want(Outside, "403", ToIngress(GenuineWest, WithHost(ReviewsHost))(t.Federation))
	t.Logf("other accounts 503, other methods and paths 403, external attackers rejected")
}

func denyElsewhere(t *T) {
	text := `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody, namespace: tenant}
spec: {action: DENY, rules: [{}]}
`
	for _, label := range []string{"istio-federation-ingress", "istio-federation-egress"} {
		text += fmt.Sprintf(`---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: %[1]s, namespace: tenant}
spec: {action: DENY, rules: [{}], selector: {matchLabels: {istio: %[1]s}}}
`, label)
	}
	changesNothing("", text)(t)
}

// entryForPeer tries both ages: istiod often prefers the older object.
func entryForPeer(t *T) {
	entryFor(ReviewsSNI, 15443)(t)
	Recreate(t, t.West, "ServiceEntry fed-out-reviews-9080-east", "DestinationRule fed-out-reviews-9080-east")
	t.Until(Productpage, "200", Reviews("/reviews/0"))
	waitForConfig(t, t.West)
	expectUnharmed(t)
}

// entryFor points a host to a pod of another tenant, which answers every request.
func entryFor(host string, port int) func(*T) {
	return func(t *T) {
		CreateTenant(t, t.West)
		withoutPolicy(t, t.West)
		t.Put(t.West, fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: neighbour, namespace: tenant}
spec:
  hosts: [%s]
  exportTo: ["*"]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{number: %d, name: http, protocol: HTTP, targetPort: 8000}]
  endpoints: [{address: %s}]
---
`, host, port, PodIP(t, t.West, "plain/plain"))+withoutTLS("tenant", host))
		waitForConfig(t, t.West)
		expectUnharmed(t)
		t.Logf("200 from the peer's backend")
	}
}

// sidecarPerPort is the one setting of a caller's namespace that needs more than the local name. A listener for the
// port imports Services of that port only, so a second listener must import the egress gateway, which has another port.
func sidecarPerPort(t *T) {
	listener := `{port: {number: 9080, name: http, protocol: HTTP}, hosts: ["./*"]}`
	WithObjects(t, t.West, sidecar("default", listener), func() { t.Until(Productpage, "503", Reviews("/reviews/0")) })
	t.Put(t.West, sidecar("default", listener+`, {hosts: ["./*", "istio-federation/*"]}`))
	t.Until(Productpage, "200", Reviews("/reviews/0"))
	waitForConfig(t, t.West)
	expectUnharmed(t)
	t.Logf("503 without a listener that imports istio-federation/*, 200 with one")
}

// sidecarInRoot applies the default of every namespace without a Sidecar, the gateways' namespace included; gateways
// ignore it.
func sidecarInRoot(t *T) {
	changesNothing("", sidecar("istio-system", `{hosts: ["./*", "istio-system/*"]}`))(t)
}

// neitherProtection shows the attacks that the admission policy and istiod's variable each prevent. They run in one
// case, since istiod restarts twice for it.
func neitherProtection(t *T) {
	m := t.East
	CreateTenantPod(t, m)
	withoutPolicy(t, m)
	scope := func(ctx context.Context, value string) error {
		return m.SetIstiod(ctx, map[string]string{"PILOT_SCOPE_GATEWAY_TO_NAMESPACE": value})
	}
	t.Restore(func(ctx context.Context) error {
		if err := scope(ctx, "true"); err != nil {
			return err
		}
		return waitForConfigWithin(ctx, t.Federation, m, 30*time.Second)
	})
	t.Must(scope(t.Context(), "false"))
	waitForConfig(t, m)
	opensPort(t)
	passesThrough(t)
	freezes(t)
	takesOver(t)
	staysOpen(t)
}

// opensPort opens a listener. The guard policy, which allows no such SNI, stops the attacker.
func opensPort(t *T) {
	WithObjects(t, t.East, foreignGateway("v1", ourIngress, ownPort)+foreignRoutes("*"), func() {
		plaintext := traffic.Probe{URL: "http://" + PodIP(t, t.East, "istio-federation/federation-ingress") + ":8080/reviews/0"}
		t.Until(TenantPod, "403", plaintext)
		t.Logf("a port of its own: a plaintext listener on our gateway, where the guard policy answers 403")
		WithObjects(t, t.East, AllowAnything, func() {
			waitForConfig(t, t.East)
			t.Want(TenantPod, "403", plaintext)
		})
	})
}

// passesThrough shows that our EnvoyFilter stops AUTO_PASSTHROUGH. It gives every filter chain of the port a TLS
// context, so Envoy rejects a chain that passes bytes through. Without it, an external attacker would reach a workload
// that is not exported.
func passesThrough(t *T) {
	WithObjects(t, t.East, foreignGateway("v1", ourIngress, passThrough), func() {
		time.Sleep(2 * time.Second)
		frozen := waitForConfigWithin(t.Context(), t.Federation, t.East, 6*time.Second) != nil
		answer := t.Try(Outside, IntoMesh)[0]
		if id := SpiffeIDOf(answer.Certificates); id != "" {
			t.Errorf("the external attacker reaches %q: %s", id, answer.Outcome())
		}
		expectAgreedCall(t)
		t.Logf("passthrough: an external attacker reaches no workload (%s); our gateway rejects updates meanwhile: %t", answer.Outcome(), frozen)
	})
	waitForConfig(t, t.East)
}

// freezes shows that two servers for one SNI create a listener that Envoy rejects, together with all later changes.
func freezes(t *T) {
	WithObjects(t, t.East, foreignGateway("v1", ourIngress, sameName)+foreignRoutes(ReviewsSNI), func() {
		time.Sleep(time.Second) // the mark must come after the foreign Gateway, not together with it
		if err := waitForConfigWithin(t.Context(), t.Federation, t.East, 6*time.Second); err == nil {
			t.Errorf("our gateway still takes updates beside a foreign server of the same name")
		}
		expectAgreedCall(t)
		t.Logf("the same SNI: our gateway rejects every update")
	})
	waitForConfig(t, t.East)
}

// takesOver shows that the older server of an SNI takes precedence. Policies still apply, but the peer is rejected.
func takesOver(t *T) {
	WithObjects(t, t.East, foreignGateway("v1", ourIngress, sameName)+foreignRoutes(ReviewsSNI), func() {
		Recreate(t, t.East, "Gateway fed-in-west")
		t.Until(Outside, "403", ToIngress(NoCertificate)(t.Federation))
		answer := t.Try(Outside, ToIngress(GenuineWest)(t.Federation))[0]
		if answer.Outcome() != "403" {
			t.Errorf("the peer: %s", answer.Outcome())
		}
		t.Logf("the same SNI, older: a client without a certificate reaches the policies (403), the peer gets %s", answer.Outcome())
	})
	t.Until(Outside, "200", ToIngress(GenuineWest)(t.Federation))
	waitForConfig(t, t.East)
}

// staysOpen is the reason why policies precede Gateways in the files. An older foreign Gateway, and ours together with
// our policies, create a listener that Envoy rejects: it continues to use the previous listener, which has no policy.
func staysOpen(t *T) {
	listeners := slices.Concat(t.Manifests(t.East, "VirtualService"), t.Manifests(t.East, "Gateway"))
	policies := t.Manifests(t.East, "AuthorizationPolicy")
	t.WithoutObjects(t.East, slices.Concat(policies, listeners)...)
	WithObjects(t, t.East, foreignGateway("v1", ourIngress, sameName)+foreignRoutes(ReviewsSNI), func() {
		t.Until(Outside, "200", ToIngress(NoCertificate)(t.Federation))
		t.Must(t.East.PutOwn(t.Context(), listeners...)) // the wrong way round: the order of the files puts policies first
		time.Sleep(2 * time.Second)                      // until the proxy has rejected our listener, and with it every later change
		t.Must(t.East.PutOwn(t.Context(), policies...))
		if err := waitForConfigWithin(t.Context(), t.Federation, t.East, 5*time.Second); err == nil {
			t.Errorf("our gateway takes updates")
		}
		t.Want(Outside, "200", ToIngress(NoCertificate)(t.Federation))
		t.Logf("older than our listener, with our policies applied last: a client without a certificate gets 200")
	})
	t.Until(Outside, "alert: certificate required", ToIngress(NoCertificate)(t.Federation))
	t.Until(Outside, "200", ToIngress(GenuineWest)(t.Federation))
}
