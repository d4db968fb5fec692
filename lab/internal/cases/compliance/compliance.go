// Package compliance has the cases for istiod's COMPLIANCE_POLICY. The lab's Envoy is no FIPS build: what these cases
// show is which versions, suites and groups are negotiated, and not a validated module.
package compliance

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Cases are combinations of policies in the meshes of the exporter and of its peers.
func Cases() []Case {
	return InScenario("compliance",
		Ask("compliance/none", guarantee.ExplicitAccess, "Without a policy, a peer that may use TLS 1.2 is answered", ShopAPI, Get(reviews), "200"),
		Case{Name: "compliance/fips-140-2", Guarantees: guarantee.ServerPerPeer, Expect: "With fips-140-2 in both meshes, the gateways negotiate TLS 1.2 with a listed suite", Run: fips2},
		Case{Name: "compliance/fips-140-2-caller", Guarantees: guarantee.ServerPerPeer, Expect: "With fips-140-2 in the callers' meshes only, the peer with allowTls12 is answered and the peer without it fails in the handshake", Run: fips2Caller},
		Case{Name: "compliance/fips-140-2-exporter", Guarantees: guarantee.ServerPerPeer, Expect: "With fips-140-2 in the exporter's mesh only, both peers are answered with TLS 1.2, also the one without allowTls12", Run: fips2Exporter},
		Case{Name: "compliance/fips-140-3", Guarantees: guarantee.ServerPerPeer, Expect: "With fips-140-3, the gateways negotiate TLS 1.3, and TLS 1.2 is accepted from every peer", Run: fips3},
		Case{Name: "compliance/pqc", Guarantees: guarantee.ServerPerPeer, Expect: "With pqc, the gateways negotiate TLS 1.3, and a peer without the hybrid key exchange is rejected", Run: pqc},
	)
}

const reviews = "http://reviews.shop:9080/reviews/0"

// inForce sets the policy of meshes for the rest of the case, restarts their gateways, and waits until calls have the
// expected outcome again.
func inForce(t *T, policy string, meshes ...*mesh.Mesh) {
	set := func(ctx context.Context, value string) error {
		for _, m := range meshes {
			if err := m.SetIstiod(ctx, map[string]string{"COMPLIANCE_POLICY": value}); err != nil {
				return err
			}
			if _, err := m.Kubectl(ctx, "", "-n", federation.Boundary, "rollout", "restart", "deployment"); err != nil {
				return err
			}
		}
		for _, m := range meshes {
			for _, name := range []string{"federation-ingress", "federation-egress"} {
				if (name == "federation-ingress") == (m.Name == "east") {
					if err := m.RolledOut(ctx, federation.Boundary, "deployment/"+name); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}
	t.Restore(func(ctx context.Context) error {
		if err := set(ctx, ""); err != nil {
			return err
		}
		return WaitUntilAlways(ctx, t.Federation, ShopAPI, "200", traffic.Probe{URL: reviews})
	})
	t.Must(set(t.Context(), policy))
	for _, m := range meshes {
		pod, err := m.Pod(t.Context(), gatewayOf(m))
		t.Must(err)
		var given []string
		for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
			for _, variable := range c.Env {
				if variable.Name == "COMPLIANCE_POLICY" {
					given = append(given, variable.Value)
				}
			}
		}
		if !slices.Equal(given, []string{policy}) {
			t.Errorf("the agent of the gateway of %s has the policies %v", m.Name, given)
		}
	}
}

func gatewayOf(m *mesh.Mesh) string {
	if m.Name == "east" {
		return GatewayOf("east")
	}
	return "istio-federation/federation-egress"
}

// negotiated calls until the ingress gateway of east has logged an answered request to this peer's server, and returns
// the TLS version and the suite of that line. A call soon after a restart may be answered by the pod that ends.
func negotiated(t *T, from From, peer string) (version, cipher string) {
	t.Must(mesh.Wait(t.Context(), time.Minute, func() error {
		path := fmt.Sprintf("/reviews/%d", time.Now().UnixNano())
		t.Must(WaitUntil(t.Context(), t.Federation, from, "200", traffic.Probe{URL: strings.TrimSuffix(reviews, "/reviews/0") + path}))
		time.Sleep(time.Second) // Envoy writes its log with some delay
		entry, err := logEntry(t, t.East, map[string]string{"path": path, "listener": ReviewOf(peer)})
		if err == nil {
			version, cipher = fmt.Sprint(entry["tls"]), fmt.Sprint(entry["cipher"])
		}
		return err
	}))
	t.Logf("%s: %s, %s", peer, version, cipher)
	return version, cipher
}

// logEntry is the last line in the access log of a gateway in which the fields are these.
func logEntry(t *T, m *mesh.Mesh, fields map[string]string) (map[string]any, error) {
	pod, err := m.Pod(t.Context(), gatewayOf(m))
	if err != nil {
		return nil, err
	}
	text, err := m.Logs(t.Context(), pod, "istio-proxy")
	if err != nil {
		return nil, err
	}
	for _, line := range slices.Backward(strings.Split(text, "\n")) {
		var entry map[string]any
		if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &entry) != nil {
			continue
		}
		if matches(entry, fields) {
			return entry, nil
		}
	}
	return nil, fmt.Errorf("the gateway of %s has not logged %v", m.Name, fields)
}

func matches(entry map[string]any, fields map[string]string) bool {
	for name, value := range fields {
		if !outcome.Matches(fmt.Sprint(entry[name]), value) {
			return false
		}
	}
	return true
}

// suites are those of TLS 1.2 that allowTls12 lists, as BoringSSL names them.
var suites = []string{"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"}

func wantVersion(t *T, from From, peer, want string) {
	version, cipher := negotiated(t, from, peer)
	if version != want || want == "TLSv1.2" && !slices.Contains(suites, cipher) {
		t.Errorf("%s: %s with %s, and not %s", peer, version, cipher, want)
	}
}

// direct is a request to east's ingress gateway past the egress gateway of a peer.
func direct(t *T, peer string, change ...func(*traffic.TLS)) traffic.Probe {
	shown := GenuineWest
	if peer == "north" {
		shown = GenuineNorth
	}
	p := ToIngress(shown, WithSNI(ReviewOf(peer)), WithURLHost(ReviewOf(peer)))(t.Federation)
	for _, one := range change {
		one(p.TLS)
	}
	return p
}

func most(version string) func(*traffic.TLS)  { return func(c *traffic.TLS) { c.MaxVersion = version } }
func least(version string) func(*traffic.TLS) { return func(c *traffic.TLS) { c.MinVersion = version } }
func classical(c *traffic.TLS)                { c.Classical = true }

func fips2(t *T) {
	inForce(t, "fips-140-2", t.East, t.West)
	wantVersion(t, ShopAPI, "west", "TLSv1.2")
	t.Want(Outside, "200", direct(t, "west", most("1.2")))
	t.Want(Outside, outcome.ProtocolVersion, direct(t, "west", least("1.3")))
}

func fips2Caller(t *T) {
	inForce(t, "fips-140-2", t.West, t.North)
	wantVersion(t, ShopAPI, "west", "TLSv1.2")
	t.Until(NorthAPI, "503", traffic.Probe{URL: reviews})
	answer := t.Try(NorthAPI, traffic.Probe{URL: reviews})[0]
	var entry map[string]any
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() (err error) {
		entry, err = logEntry(t, t.North, map[string]string{"status": "503", "failure": "TLS_error*"})
		return err
	}))
	t.Logf("north: %s%s, logged as %v", answer.Outcome(), Detail(answer), entry["failure"])
	if failure := fmt.Sprint(entry["failure"]); !strings.Contains(failure, "PROTOCOL_VERSION") {
		t.Errorf("the egress gateway of north logs %q", failure)
	}
}

func fips2Exporter(t *T) {
	inForce(t, "fips-140-2", t.East)
	wantVersion(t, ShopAPI, "west", "TLSv1.2")
	wantVersion(t, NorthAPI, "north", "TLSv1.2")
}

func fips3(t *T) {
	inForce(t, "fips-140-3", t.East, t.West)
	wantVersion(t, ShopAPI, "west", "TLSv1.3")
	t.Want(Outside, "200", direct(t, "north", most("1.2")))
	t.Logf("TLS 1.2 of north, which has no allowTls12: 200")
}

func pqc(t *T) {
	inForce(t, "pqc", t.East, t.West)
	wantVersion(t, ShopAPI, "west", "TLSv1.3")
	t.Want(Outside, "200", direct(t, "north"))
	t.Want(Outside, outcome.AnyAlert, direct(t, "north", classical))
	t.Want(Outside, outcome.AnyAlert, direct(t, "west", most("1.2")))
}
