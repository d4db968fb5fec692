// Package gateways has the cases for the deployment of boundary gateways: in separate namespaces, for two boundaries,
// on node ports, and as existing gateways.
package gateways

import (
	"context"
	"strings"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// SeparateNamespaces are cases with the ingress and the egress gateway in separate namespaces.
func SeparateNamespaces() []Case {
	details := "http://details.catalogue:9080/"
	return InScenario("gateway-namespaces",
		Analyzed("gateway-namespaces"),
		Ask("gateways/out", guarantee.ExplicitAccess, "East calls west when ingress and egress gateways are in separate namespaces", Backend, Get(details), "200"),
		Ask("gateways/out-anybody", guarantee.ExplicitAccess, "Any workload of east calls west by a local name for the whole mesh, through a separate egress namespace", Caller("east", "default/ratings"), Get("http://public.catalogue:9080/"), "200"),
		Ask("gateways/in", guarantee.ExplicitAccess, "West calls east when the gateways of east are in separate namespaces", Productpage, Get("http://reviews:9080/"), "200"),
		AskDetailed("gateways/in-bytes", guarantee.ExplicitAccess, "West reaches the TCP database of east when the gateways of east are in separate namespaces", Productpage, TcpBytes("mysql:3306", "hello"), "open: 220 lab ready echo: hello"),
		Ask("gateways/rule", guarantee.TwoControls, "The ingress gateway in a separate namespace applies the exporter's rules", Productpage, Request("POST", "http://reviews:9080/"), "403"),
		Ask("gateways/caller-of-east", guarantee.EgressCallers, "The egress gateway in a separate namespace rejects an unlisted workload of east", Caller("east", "default/ratings"), Get(details), "503"),
		Ask("gateways/caller-of-west", guarantee.EgressCallers, "The egress gateway of west rejects an unlisted workload", OtherAccount, Get("http://reviews:9080/"), "503"),
		Ask("gateways/no-certificate", guarantee.ServerPerPeer, "The ingress gateway in a separate namespace rejects a client without a certificate", Outside, ToIngress(NoCertificate), "alert: certificate required"),
		Ask("gateways/wrong-identity", guarantee.ServerPerPeer, "The ingress gateway in a separate namespace rejects another workload of west", Outside, ToIngress(MeshCA("west", OtherOfWest)), "alert: certificate unknown"),
		Ask("gateways/default-namespace", guarantee.ServerPerPeer, "West rejects an identity of east with the gateway's service account in the default namespace", Outside,
			toWest("spiffe://east.example/ns/istio-federation/sa/federation-egress"), "alert: certificate unknown"),
		Ask("gateways/own-namespace", guarantee.ServerPerPeer, "West accepts the identity of east's egress gateway in its own namespace", Outside,
			toWest("spiffe://east.example/ns/federation-out/sa/federation-egress"), "200"),
		Case{Name: "gateways/bytes-after-handshake", Guarantees: guarantee.EgressCallers, Expect: "The gateways in separate namespaces open no backend connection for unlisted workloads and external attackers", Run: connectsNothing},
		Case{Name: "gateways/guarded", Guarantees: guarantee.TenantsKeptOut, Expect: "The API server protects both namespaces from other tenants, and each gateway from the other gateway's namespace", Run: bothGuarded},
	)
}

// connectsNothing counts the database's connections while unlisted workloads and external attackers try to reach it.
func connectsNothing(t *T) {
	before := t.Connections("east", "db/mysql", 3306)
	t.Try(OtherAccount, TcpBytes("mysql:3306", "hello")(t.Federation))
	t.Try(Outside, ToServer(MysqlOf("west"), "tcp", NoCertificate)(t.Federation))
	time.Sleep(300 * time.Millisecond)
	if got := t.Connections("east", "db/mysql", 3306) - before; got != 0 {
		t.Errorf("they made the database accept %d connections", got)
	}
	t.Try(Productpage, TcpBytes("mysql:3306", "hello")(t.Federation))
	if got := t.Connections("east", "db/mysql", 3306) - before; got != 1 {
		t.Errorf("the caller made it accept %d connections, and not 1", got)
	}
	t.Logf("no connection for other clients, one for the caller")
}

// bothGuarded applies objects that would open or change a gateway, from outside of its namespace.
func bothGuarded(t *T) {
	CreateTenant(t, t.East)
	gateway := func(namespace, label string) string {
		return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: foreign, namespace: ` + namespace + `}
spec: {selector: {istio: ` + label + `}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}]}
`
	}
	route := func(gateways string) string {
		return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: foreign, namespace: tenant}
spec: {hosts: [foreign.example], gateways: [` + gateways + `], http: [{directResponse: {status: 200}}]}
`
	}
	filter := func(namespace string) string {
		return `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: foreign, namespace: ` + namespace + `}
spec: {configPatches: [{applyTo: HTTP_FILTER, match: {context: GATEWAY}, patch: {operation: REMOVE}}]}
`
	}
	refused := 0
	for text, why := range map[string]string{
		gateway("tenant", "federation-in-ingress"):         "add or block",
		gateway("tenant", "federation-out-egress"):         "add or block",
		gateway("federation-in", "federation-out-egress"):  "add or block",
		gateway("federation-out", "federation-in-ingress"): "add or block",
		route("federation-in/fed-in-west"):                 "attaches routes",
		route("federation-out/fed-out-west"):               "attaches routes",
		filter("federation-in"):                            "change the proxies",
		filter("federation-out"):                           "change the proxies",
	} {
		objects := ParseObjects(t, text)
		t.Restore(func(ctx context.Context) error { return t.East.Delete(ctx, objects...) })
		if err := t.East.Put(t.Context(), objects...); err == nil || !Refusal(err) || !strings.Contains(err.Error(), why) {
			t.Errorf("not denied with the reason %q: %v: %s", why, err, text)
			continue
		}
		refused++
	}
	t.Put(t.East, gateway("tenant", "tenants-own"))
	t.Logf("%d denied, one with the tenant's own selector accepted", refused)
}

// toWest builds a request to west's ingress gateway with a certificate of east for this identity.
func toWest(spiffeID string) func(*federation.Federation) traffic.Probe {
	const details = "p9080.details.east.fed.west.example"
	return ToIngress(MeshCA("east", pki.Request{SpiffeID: spiffeID}), WithSNI(details), WithURLHost(details), func(p *traffic.Probe) { p.Dial = "203.0.113.10:15443" })
}
