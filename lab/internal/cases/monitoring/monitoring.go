// Package monitoring has the cases for access logs and metrics of the gateways.
package monitoring

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Cases are what the owner of a mesh sees of each peer and each caller, as docs/how-to/monitoring.md describes.
func Cases() []Case {
	prometheus := Caller("east", "monitoring/prometheus")
	scrape := func(path string) func(*federation.Federation) traffic.Probe {
		return func(f *federation.Federation) traffic.Probe {
			return traffic.Probe{URL: "http://" + podAddress(f, "east") + path}
		}
	}
	public := func(port string) func(*federation.Federation) traffic.Probe {
		return Get("http://203.0.113.20:" + port + "/stats/prometheus")
	}
	return slices.Concat(InScenario("two-meshes-http",
		Case{Name: "monitoring/default-log", Guarantees: guarantee.ServerPerPeer, Expect: "The default access log identifies the peer by the SNI, and contains no identity", Run: defaultLog},
		Case{Name: "monitoring/impostor", Guarantees: guarantee.TLSOnEveryHop, Expect: "The egress gateway logs and counts an impostor in a peer's place under the peer's name", Run: impostor},
	), InScenario("monitored",
		Case{Name: "monitoring/log-in", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway logs an incoming call with its peer's identity and SNI", Run: watched(loggedIn)},
		Case{Name: "monitoring/log-out", Guarantees: guarantee.EgressCallers, Expect: "The egress gateway logs an outgoing call with the caller and the peer that answered", Run: watched(loggedOut)},
		Case{Name: "monitoring/log-refused", Guarantees: guarantee.TwoControls, Expect: "Both gateways log a call that a rule denies, with its peer", Run: watched(loggedRefusal)},
		Case{Name: "monitoring/log-tcp", Guarantees: guarantee.ServerPerPeer | guarantee.EgressCallers, Expect: "The gateways log a TCP connection with peer and caller when it ends", Run: watched(loggedConnection)},
		Case{Name: "monitoring/log-tcp-refused", Guarantees: guarantee.EgressCallers, Expect: "Each gateway logs a TCP connection whose handshake fails, with the caller if it is known, and zero bytes", Run: watched(loggedRefusedConnection)},
		Case{Name: "monitoring/log-unknown-sni", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway logs a connection to an unknown SNI with that SNI", Run: watched(loggedUnknownName)},
		Case{Name: "monitoring/handshake-in", Guarantees: guarantee.ServerPerPeer, Expect: "The ingress gateway counts a failed handshake by its reason, and writes no log line", Run: watched(countedAttackers)},
		Case{Name: "monitoring/handshake-out", Guarantees: guarantee.EgressCallers, Expect: "The egress gateway counts a caller's failed handshake by its reason, and writes no log line", Run: watched(countedCaller)},
		Case{Name: "monitoring/counters", Guarantees: guarantee.ServerPerPeer | guarantee.TwoControls, Expect: "The gateways count answers and denials of each peer separately", Run: countedApart},
		Case{Name: "monitoring/dead-peer", Guarantees: guarantee.TLSOnEveryHop, Expect: "The egress gateway logs and counts an unreachable peer with its name", Run: watched(deadPeer)},
		Ask("monitoring/scraped", guarantee.NothingInternal, "The monitoring namespace can scrape the gateways' metrics", prometheus, scrape(":15020/stats/prometheus"), "200"),
		Ask("monitoring/admin-not", guarantee.NothingInternal, "The monitoring namespace cannot reach Envoy's admin interface", prometheus, scrape(":15000/stats"), "refused"),
		Attempts("monitoring/not-outside", guarantee.NothingInternal, "An external attacker cannot scrape the gateways' metrics",
			Attempt{From: Outside, Probe: public("15020"), Want: "refused | timeout | unreachable"},
			Attempt{From: Outside, Probe: public("15090"), Want: "refused | timeout | unreachable"},
		),
	))
}

func podAddress(f *federation.Federation, meshName string) string {
	ctx, cancel := patience.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	pod, err := f.Mesh(meshName).Pod(ctx, GatewayOf(meshName))
	if err != nil {
		panic(err)
	}
	return pod.Status.PodIP
}

const (
	northEgressID = "spiffe://north.example/ns/istio-federation/sa/federation-egress"
	shopReviews   = "http://reviews.shop:9080"
	shopListener  = "p9080.reviews.shop.east.egress.fed.west.example"
)

func unique() string { return "/reviews/" + strconv.FormatInt(time.Now().UnixNano(), 36) }

// readCounter reads a Prometheus counter with these labels; a counter that does not exist is 0.
func readCounter(t *T, m *mesh.Mesh, name string, labels ...string) int {
	text, err := m.Admin(t.Context(), GatewayOf(m.Name), "stats/prometheus")
	t.Must(err)
	for _, line := range strings.Split(text, "\n") {
		found := prometheusSample.FindStringSubmatch(line)
		if found == nil || found[1] != name || slices.ContainsFunc(labels, func(label string) bool { return !strings.Contains(found[2], label) }) {
			continue
		}
		value, err := strconv.Atoi(found[3])
		t.Must(err)
		return value
	}
	return 0
}
