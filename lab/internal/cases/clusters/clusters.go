// Package clusters has the cases for a mesh of two clusters: west and west2, to which the same manifests are applied.
package clusters

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

var (
	productpage2 = Caller("west2", "default/productpage")
	other2       = Caller("west2", "default/other")
)

const (
	reviewsURL = "http://reviews:9080/reviews/0"
	detailsURL = "http://details.catalogue:9080/details/0"
	pricesURL  = "http://prices.catalogue:9080/prices/0"

	egress       = "istio-federation/federation-egress"
	ingress      = "istio-federation/federation-ingress"
	callersOwn   = "outbound|15443|reviews-9080-default-east|federation-egress.istio-federation.svc.cluster.local"
	toEast       = "outbound|15443||p9080.reviews.west.fed.east.example"
	toDetails    = "outbound|15443||p9080.details.east.fed.west.example"
	firstAddress = "203.0.113.10"
	otherAddress = "203.0.113.12"
)

// Cases are those of a mesh of two clusters.
func Cases() []Case {
	return InScenario("several-clusters",
		Ask("clusters/first", guarantee.ExplicitAccess, "A caller in the first cluster of a mesh reaches the peer", Productpage, Get(reviewsURL), "200"),
		Ask("clusters/second", guarantee.ExplicitAccess, "A caller in the second cluster of a mesh reaches the peer", productpage2, Get(reviewsURL), "200"),
		Ask("clusters/second-refuses", guarantee.EgressCallers, "The second cluster rejects a workload that the binding does not list", other2, Get(reviewsURL), "503"),
		Ask("clusters/second-rules", guarantee.TwoControls, "The exporter's rules apply to callers in the second cluster", productpage2, Request("POST", reviewsURL), "403"),
		Ask("clusters/export-of-both", guarantee.ExplicitAccess, "A peer reaches an export with pods in both clusters", Backend, Get(detailsURL), "200"),
		Ask("clusters/export-of-one", guarantee.ExplicitAccess, "A peer reaches an export with pods in one cluster", Backend, Get(pricesURL), "200"),
		Case{Name: "clusters/own-egress", Guarantees: guarantee.ExplicitAccess, Expect: "Callers in each cluster use the egress gateway of their own cluster", Run: ownEgress},
		Case{Name: "clusters/other-egress", Guarantees: guarantee.ExplicitAccess, Expect: "Callers use the other cluster's egress gateway while their own cluster has none, without a failed call", Run: otherEgress},
		Case{Name: "clusters/each-ingress", Guarantees: guarantee.ServerPerPeer, Expect: "Each cluster's ingress gateway serves every export alone, with the same identity", Run: eachIngress},
		Case{Name: "clusters/two-networks", Guarantees: guarantee.ExplicitAccess, Expect: "In a mesh of two networks, callers know only the egress gateway of their own cluster, and get 503 while it has no pod", Run: twoNetworks},
		Case{Name: "clusters/tenants", Guarantees: guarantee.TenantsKeptOut, Expect: "The API server of the second cluster rejects another tenant's Gateway at the boundary", Run: tenantsKeptOut},
		Case{Name: "clusters/lost", Guarantees: guarantee.ExplicitAccess, Expect: "The loss of a cluster fails only calls of its first seconds, and none of the other cluster's callers", Run: lost},
		Case{Name: "clusters/lost-without-rule", Guarantees: guarantee.ExplicitAccess, Expect: "Without a preference for the own cluster, an export uses pods of a lost cluster until its remote Secret is deleted", Run: lostWithoutRule},
		Analyzed("several-clusters"),
	)
}

// host is one address of a cluster of Envoy's.
type host struct{ priority, requests int }

// hostsOf reads what Envoy knows of one of its clusters.
func hostsOf(ctx context.Context, m *mesh.Mesh, workload, cluster string) (map[string]host, error) {
	page, err := m.Admin(ctx, workload, "clusters")
	if err != nil {
		return nil, err
	}
	hosts := map[string]host{}
	for _, line := range strings.Split(page, "\n") {
		fields := strings.Split(line, "::")
		if len(fields) != 4 || fields[0] != cluster {
			continue
		}
		number, err := strconv.Atoi(fields[3])
		if err != nil {
			continue
		}
		one, known := hosts[fields[1]]
		switch fields[2] {
		case "priority":
			one.priority = number
		case "rq_total":
			one.requests = number
		default:
			if !known {
				continue
			}
		}
		hosts[fields[1]] = one
	}
	return hosts, nil
}

// requestsTo is the number of requests that a workload has sent to a cluster of Envoy's.
func requestsTo(t *T, m *mesh.Mesh, workload, cluster string) int {
	hosts, err := hostsOf(t.Context(), m, workload, cluster)
	t.Must(err)
	total := 0
	for _, one := range hosts {
		total += one.requests
	}
	return total
}

// OwnEgress sends calls from the first cluster and reports whether only its own egress gateway has passed them on.
func OwnEgress(ctx context.Context, f *federation.Federation) string {
	count := func(m *mesh.Mesh) (total int, err error) {
		hosts, err := hostsOf(ctx, m, egress, toEast)
		for _, one := range hosts {
			total += one.requests
		}
		return total, err
	}
	before, err := count(f.West2)
	if err != nil {
		return err.Error()
	}
	if _, err := Probe(ctx, f, Productpage, slices.Repeat([]traffic.Probe{{URL: reviewsURL}}, 20)...); err != nil {
		return err.Error()
	}
	after, err := count(f.West2)
	if err != nil {
		return err.Error()
	}
	if after > before {
		return "also the other cluster's"
	}
	return "its own"
}

func ownEgress(t *T) {
	const calls = 40
	for _, from := range []From{Productpage, productpage2} {
		own, other := t.Mesh(from.Mesh), t.West
		if own == t.West {
			other = t.West2
		}
		known := bothKnown(t, from)
		ownBefore, otherBefore := requestsTo(t, own, egress, toEast), requestsTo(t, other, egress, toEast)
		t.Want(from, "200", slices.Repeat([]traffic.Probe{{URL: reviewsURL}}, calls)...)
		passed, strayed := requestsTo(t, own, egress, toEast)-ownBefore, requestsTo(t, other, egress, toEast)-otherBefore
		t.Logf("%s knows %s and sent %d calls: %d through its own cluster's egress gateway, %d through the other one's", from, known, calls, passed, strayed)
		if passed != calls || strayed != 0 {
			t.Errorf("%s: %d of %d calls through its own cluster's egress gateway, %d through the other one's", from, passed, calls, strayed)
		}
	}
}

// bothKnown waits until a caller's sidecar knows the egress gateways of both clusters: otherwise it has no choice.
func bothKnown(t *T, from From) string {
	t.Must(mesh.Wait(t.Context(), 30*time.Second, func() error {
		hosts, err := hostsOf(t.Context(), t.Mesh(from.Mesh), from.Workload, callersOwn)
		if err != nil {
			return err
		}
		first, second := 0, 0
		for _, one := range hosts {
			if one.priority == 0 {
				first++
			} else {
				second++
			}
		}
		if first != 1 || second != 1 {
			return fmt.Errorf("the sidecar of %s knows %d egress gateways of the first priority and %d of another one", from, first, second)
		}
		return nil
	}))
	return "one gateway of each cluster"
}

func otherEgress(t *T) {
	scale := func(ctx context.Context, replicas int) error {
		_, err := t.West2.Kubectl(ctx, "", "-n", federation.Boundary, "scale", "deployment/federation-egress", "--replicas="+strconv.Itoa(replicas))
		return err
	}
	bothKnown(t, productpage2)
	stream := t.Stream("calls of the second cluster", productpage2, traffic.Probe{URL: reviewsURL, Every: time.Second / 20})
	before := requestsTo(t, t.West, egress, toEast)
	t.Restore(func(ctx context.Context) error {
		if err := scale(ctx, 1); err != nil {
			return err
		}
		return t.West2.Ready(ctx, federation.Boundary)
	})
	t.Must(scale(t.Context(), 0))
	t.Pause(10 * time.Second)
	t.Logf("%d calls through the first cluster's egress gateway", requestsTo(t, t.West, egress, toEast)-before)
	if requestsTo(t, t.West, egress, toEast) == before {
		t.Errorf("no call went through the other cluster's egress gateway")
	}
	t.Must(scale(t.Context(), 1))
	t.Must(t.West2.Ready(t.Context(), federation.Boundary))
	bothKnown(t, productpage2)
	t.Pause(2 * time.Second)
	t.Steady(stream)
	after := requestsTo(t, t.West, egress, toEast)
	t.Want(productpage2, "200", slices.Repeat([]traffic.Probe{{URL: reviewsURL}}, 20)...)
	if strayed := requestsTo(t, t.West, egress, toEast) - after; strayed != 0 {
		t.Errorf("%d calls did not return to their own cluster's egress gateway", strayed)
	}
}

// twoNetworks puts the second cluster into a network of its own. Istio replaces the addresses of its sidecars by that of the
// gateway between the networks, and leaves out those of gateways, which lack a sidecar's label.
func twoNetworks(t *T) {
	label := func(ctx context.Context, label string) error {
		_, err := t.West2.Kubectl(ctx, "", "label", "--overwrite", "namespace", mesh.System, label)
		return err
	}
	t.Restore(func(ctx context.Context) error {
		if err := label(ctx, "topology.istio.io/network-"); err != nil {
			return err
		}
		return t.Reapply(ctx)
	})
	bothKnown(t, Productpage)
	t.Must(label(t.Context(), "topology.istio.io/network=second"))
	t.Put(t.West2, eastWestGateway)
	t.Must(mesh.Wait(t.Context(), 30*time.Second, func() error {
		hosts, err := hostsOf(t.Context(), t.West, Productpage.Workload, callersOwn)
		if err != nil {
			return err
		}
		if len(hosts) != 1 {
			return fmt.Errorf("the caller's sidecar knows %v", hosts)
		}
		return nil
	}))
	before := requestsTo(t, t.West, egress, toEast)
	t.Want(Productpage, "200", slices.Repeat([]traffic.Probe{{URL: reviewsURL}}, 20)...)
	if passed := requestsTo(t, t.West, egress, toEast) - before; passed != 20 {
		t.Errorf("%d of 20 calls through the own egress gateway", passed)
	}
	t.Logf("the caller's sidecar knows one egress gateway, its own cluster's")
	scaled := func(ctx context.Context, replicas int) error {
		_, err := t.West.Kubectl(ctx, "", "-n", federation.Boundary, "scale", "deployment/federation-egress", "--replicas="+strconv.Itoa(replicas))
		return err
	}
	t.Restore(func(ctx context.Context) error {
		if err := scaled(ctx, 1); err != nil {
			return err
		}
		return t.West.Ready(ctx, federation.Boundary)
	})
	t.Must(scaled(t.Context(), 0))
	t.Must(WaitUntilAlways(t.Context(), t.Federation, Productpage, "503", traffic.Probe{URL: reviewsURL}))
	t.Logf("without it: 503")
}

// eastWestGateway stands for Istio's gateway between two networks: for istiod, the label of its Service makes it one.
const eastWestGateway = `apiVersion: v1
kind: Service
metadata:
  name: eastwest
  namespace: istio-federation
  labels: {topology.istio.io/network: second, networking.istio.io/gatewayPort: "15999"}
spec:
  type: LoadBalancer
  selector: {istio: istio-federation-ingress}
  ports: [{name: tls, port: 15999, targetPort: 15443}]
`

// eachIngress cuts the public address of one cluster after the other.
func eachIngress(t *T) {
	for address, m := range map[string]*mesh.Mesh{otherAddress: t.West, firstAddress: t.West2} {
		cut := t.West
		if m == t.West {
			cut = t.West2
		}
		t.Restore(func(context.Context) error { return t.Lab.Mend(cut.Name, address) })
		t.Must(t.Lab.Cut(cut.Name, address))
		before := ingressRequests(t, m)
		for _, url := range []string{detailsURL, pricesURL} {
			// Calls fail while they wait in connections from before the cut, at most for 3 s.
			t.Must(WaitUntilAlways(t.Context(), t.Federation, Backend, "200", traffic.Probe{URL: url, Timeout: 4 * time.Second}))
			t.Pause(4 * time.Second)
			t.Want(Backend, "200", slices.Repeat([]traffic.Probe{{URL: url, Timeout: 4 * time.Second}}, 10)...)
		}
		passed := ingressRequests(t, m) - before
		t.Logf("%s alone: %d requests", m.Name, passed)
		if passed < 20 {
			t.Errorf("the ingress gateway of %s has passed on %d requests", m.Name, passed)
		}
		t.Must(t.Lab.Mend(cut.Name, address))
	}
	t.Restore(func(ctx context.Context) error { return bothAddressesServe(ctx, t) })
}

// ingressRequests is the number of requests that the ingress gateway of a cluster has passed on to exported services.
func ingressRequests(t *T, m *mesh.Mesh) int {
	return requestsTo(t, m, ingress, "outbound|9080||details.default.svc.cluster.local") + requestsTo(t, m, ingress, "outbound|9080||prices.default.svc.cluster.local")
}

// bothAddressesServe waits until the peer uses both addresses again.
func bothAddressesServe(ctx context.Context, t *T) error {
	return mesh.Wait(ctx, time.Minute, func() error {
		before, err := hostsOf(ctx, t.East, egress, toDetails)
		if err != nil {
			return err
		}
		if _, err := Probe(ctx, t.Federation, Backend, slices.Repeat([]traffic.Probe{{URL: detailsURL, Timeout: 4 * time.Second}}, 20)...); err != nil {
			return err
		}
		after, err := hostsOf(ctx, t.East, egress, toDetails)
		if err != nil {
			return err
		}
		used := 0
		for address, one := range after {
			if one.requests > before[address].requests {
				used++
			}
		}
		if used < 2 {
			return fmt.Errorf("the peer uses %d addresses", used)
		}
		return nil
	})
}

func tenantsKeptOut(t *T) {
	objects := ParseObjects(t, `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: foreign, namespace: elsewhere}
spec:
  selector: {istio: istio-federation-ingress}
  servers: [{port: {number: 15443, name: tls, protocol: TLS}, hosts: ["*"], tls: {mode: PASSTHROUGH}}]
`)
	words, refused := t.West2.Refuses(t.Context(), objects[0])
	if !refused || !strings.Contains(words, "istio-federation-boundary") {
		t.Errorf("the API server of west2 answers %q", words)
	}
}
