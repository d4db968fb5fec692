// Package meshconfig has the cases for meshes whose MeshConfig and root namespace change every default.
package meshconfig

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
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

const local, additional = "http://reviews:9080", "http://reviews.east.example:9080"

// Cases are the ordinary calls and attacks, and what each setting would change.
func Cases() []Case {
	return InScenario(federation.HostileMeshConfig,
		Case{Name: "mesh-config/in-force", Guarantees: guarantee.ValidObjects, Expect: "The sidecar of the caller has the baseline of MeshConfig where no DestinationRule applies, and the gateways have the policies of the root namespace", Run: inForce},
		Case{Name: "mesh-config/connections", Guarantees: guarantee.CompleteRemoval, Expect: "The gateways keep their own drain time and have no runtime values, although defaultConfig sets both", Run: ownConnections},
		Ask("mesh-config/http", guarantee.ExplicitAccess, "The allowed caller reaches an HTTP export in meshes with a hostile MeshConfig", Productpage, Get(local+"/reviews/0"), "200"),
		AskDetailed("mesh-config/tcp", guarantee.ExplicitAccess, "The allowed caller reaches a TCP export in meshes with a hostile MeshConfig", ShopAPI, TcpBytes("mysql:3306", "hello"), "open: 220 lab ready echo: hello"),
		Ask("mesh-config/grpc", guarantee.ExplicitAccess, "The allowed caller reaches a gRPC export in meshes with a hostile MeshConfig", ShopAPI, GrpcCall("search:9000", "/search.Query/Find"), "OK"),
		Ask("mesh-config/additional-host", guarantee.ExplicitAccess, "The allowed caller reaches an additional host although ServiceEntries are visible in their own namespace only", Productpage, Get(additional+"/reviews/0"), "200"),
		Ask("mesh-config/method", guarantee.TwoControls, "The exporter denies a method that no rule allows, although a policy of the root namespace allows everything", Productpage, Request("POST", local+"/reviews/0"), "403"),
		Ask("mesh-config/path", guarantee.TwoControls, "The exporter denies a path that no rule allows, although a policy of the root namespace allows everything", Productpage, Get(local+"/admin"), "403"),
		Ask("mesh-config/unlisted", guarantee.EgressCallers, "An unlisted workload gets no answer, although a policy of the root namespace allows everything", OtherAccount, Get(local+"/reviews/0"), "503"),
		Ask("mesh-config/unlisted-tcp", guarantee.EgressCallers, "An unlisted workload receives no byte of a TCP export, although a policy of the root namespace allows everything", ShopOther, TcpBytes("mysql:3306", "hello"), outcome.CutOff),
		Ask("mesh-config/unlisted-grpc", guarantee.EgressCallers, "An unlisted workload gets no answer from a gRPC export, although a policy of the root namespace allows everything", ShopOther, GrpcCall("search:9000", "/search.Query/Find"), "UNAVAILABLE"),
		Ask("mesh-config/unlisted-additional-host", guarantee.EgressCallers, "An unlisted workload gets no answer at an additional host", OtherAccount, Get(additional+"/reviews/0"), "503"),
		Ask("mesh-config/no-certificate", guarantee.ServerPerPeer, "The ingress gateway rejects an external attacker without a certificate, whatever tlsDefaults say", Outside, ToIngress(NoCertificate), outcome.NoCertificate),
		Ask("mesh-config/tls-1.2", guarantee.ServerPerPeer, "The ingress gateway rejects TLS 1.2 although tlsDefaults allow it", Outside, ToIngress(GenuineWest, func(p *traffic.Probe) { p.TLS.MaxVersion = "1.2" }), outcome.ProtocolVersion),
		Ask("mesh-config/aliases", guarantee.ServerPerPeer, "The ingress gateway rejects its own mesh's identity although trustDomainAliases equate it with the peer's", Outside, ToIngress(MeshCA("east", pki.Request{SpiffeID: "spiffe://east.example/ns/istio-federation/sa/federation-egress"})), outcome.AnyAlert),
		Ask("mesh-config/aliases-of-peer", guarantee.ServerPerPeer, "The ingress gateway rejects another workload of the peer although trustDomainAliases contain its trust domain", Outside, ToIngress(MeshCA("west", OtherOfWest)), outcome.AnyAlert),
		Case{Name: "mesh-config/errors-eject-nothing", Guarantees: guarantee.ExplicitAccess, Expect: "Responses of 5xx by the peer's application eject neither the peer's only address nor the egress gateway", Run: errorsEjectNothing},
		Case{Name: "mesh-config/simultaneous", Guarantees: guarantee.ExplicitAccess, Expect: "Ten simultaneous calls of each protocol succeed although the baseline allows one connection", Run: simultaneous},
		Case{Name: "mesh-config/forged-headers", Guarantees: guarantee.NothingInternal, Expect: "The ingress gateway replaces the request id, the address and the certificate that a peer claims", Run: forgedHeaders},
		Case{Name: "mesh-config/access-log", Guarantees: guarantee.ValidObjects, Expect: "Both gateways write access logs although a Telemetry of the root namespace disables them", Run: accessLogs},
		Case{Name: "mesh-config/custom-denies", Guarantees: guarantee.TwoControls, Expect: "The external service of a CUSTOM policy can deny a call that the boundary allows, and cannot allow one that it denies", Run: customDenies},
	)
}

// inForce guards against a MeshConfig that istiod rejects as a whole, and against a root namespace that istiod does not
// discover: all other cases would pass.
func inForce(t *T) {
	var dump struct {
		Configs []struct {
			Cluster struct {
				Name             string
				OutlierDetection struct {
					Consecutive int `json:"consecutive_5xx"`
				} `json:"outlier_detection"`
			}
		}
	}
	t.Must(json.Unmarshal([]byte(EnvoyAdmin(t, t.West, Productpage.Workload, "config_dump?resource=dynamic_active_clusters")), &dump))
	var counted, ours []string
	for _, c := range dump.Configs {
		if c.Cluster.OutlierDetection.Consecutive == 1 {
			counted = append(counted, c.Cluster.Name)
			if strings.Contains(c.Cluster.Name, "-9080-") {
				ours = append(ours, c.Cluster.Name)
			}
		}
	}
	t.Logf("%d clusters of the caller have the baseline", len(counted))
	if len(counted) == 0 {
		t.Errorf("no cluster has the baseline, so this MeshConfig is not in force")
	}
	if len(ours) > 0 {
		t.Errorf("the baseline applies to %v", ours)
	}
	for _, gateway := range []Workload{t.Ingress(), t.Egress()} {
		config := EnvoyAdmin(t, gateway.Mesh, gateway.Workload, "config_dump")
		for _, policy := range []string{"everybody", "decisions"} {
			if !strings.Contains(config, "ns[istio-system]-policy["+policy+"]") {
				t.Errorf("the policy %s of the root namespace does not apply to the gateway of %s", policy, gateway.Mesh.Name)
			}
		}
	}
}

// ownConnections compares the gateways with a sidecar, which has what defaultConfig says.
func ownConnections(t *T) {
	for _, c := range []struct {
		Workload
		drain, exits string
		values       int
	}{
		{t.Caller(), "86400s", "true", 2},
		{t.Ingress(), "45s", "false", 0},
		{t.Egress(), "45s", "false", 0},
	} {
		var server struct {
			Options struct {
				Drain string `json:"drain_time"`
			} `json:"command_line_options"`
			Node struct {
				Metadata struct {
					Config struct {
						Metadata map[string]string `json:"proxyMetadata"`
					} `json:"PROXY_CONFIG"`
				}
			}
		}
		t.Must(json.Unmarshal([]byte(EnvoyAdmin(t, c.Mesh, c.Workload.Workload, "server_info")), &server))
		var runtime struct{ Entries map[string]any }
		t.Must(json.Unmarshal([]byte(EnvoyAdmin(t, c.Mesh, c.Workload.Workload, "runtime")), &runtime))
		values := 0
		for _, name := range []string{"outlier_detection.consecutive_5xx", "upstream.use_retry"} {
			if runtime.Entries[name] != nil {
				values++
			}
		}
		exits := server.Node.Metadata.Config.Metadata["EXIT_ON_ZERO_ACTIVE_CONNECTIONS"]
		t.Logf("%s of %s: drain time %s, %d runtime values, exit on zero connections: %s", c.Workload.Workload, c.Mesh.Name, server.Options.Drain, values, exits)
		if server.Options.Drain != c.drain || values != c.values || exits != c.exits {
			t.Errorf("%s of %s has the drain time %s, %d runtime values and EXIT_ON_ZERO_ACTIVE_CONNECTIONS %q", c.Workload.Workload, c.Mesh.Name, server.Options.Drain, values, exits)
		}
	}
}

// afterErrors calls until the application has answered ten times with 503, and returns the outcomes of what is called
// then, on other exports as well.
func afterErrors(ctx context.Context, f *federation.Federation) ([]string, error) {
	for _, status := range []string{"503", "500", "502"} {
		failing := slices.Repeat([]traffic.Probe{{URL: local + "/reviews/0?status=" + status}}, 4)
		if _, err := Probe(ctx, f, Productpage, failing...); err != nil {
			return nil, err
		}
	}
	time.Sleep(2 * time.Second) // the interval of the baseline is a second
	var outcomes []string
	for _, one := range []struct {
		from  From
		probe traffic.Probe
	}{{Productpage, Reviews("/reviews/0")}, {Productpage, Reviews("/reviews/1")}, {ShopAPI, TcpBytes("mysql:3306", "hello")(f)}, {ShopAPI, GrpcCall("search:9000", "/search.Query/Find")(f)}} {
		answers, err := Probe(ctx, f, one.from, one.probe)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, answers[0].Outcome())
	}
	return outcomes, nil
}

func errorsEjectNothing(t *T) {
	got, err := afterErrors(t.Context(), t.Federation)
	t.Must(err)
	t.Logf("after twelve errors: %s", strings.Join(got, ", "))
	if want := []string{"200", "200", "open", "OK"}; !slices.Equal(got, want) {
		t.Errorf("after twelve errors of the application: %v, and not %v", got, want)
	}
}

// AfterErrors is the same as an attempt, for the mutation check.
func AfterErrors() Attempt {
	return Attempt{Do: func(ctx context.Context, f *federation.Federation) string {
		got, err := afterErrors(ctx, f)
		if err != nil {
			return err.Error()
		}
		return strings.Join(got, " ")
	}}
}

func simultaneous(t *T) {
	for _, one := range []struct {
		from  From
		probe traffic.Probe
		want  string
	}{
		{Productpage, traffic.Probe{URL: local + "/reviews/0?delay=500ms"}, "200"},
		{ShopAPI, TcpBytes("mysql:3306", "hello")(t.Federation), "open"},
		{ShopAPI, GrpcCall("search:9000", "/search.Query/Find")(t.Federation), "OK"},
	} {
		t.Want(one.from, one.want, slices.Repeat([]traffic.Probe{one.probe}, 10)...)
	}
	t.Logf("30 of 30")
}

func forgedHeaders(t *T) {
	const forged = "forged-by-west"
	answer := t.Try(Outside, ToIngress(GenuineWest, func(p *traffic.Probe) {
		for _, name := range []string{"x-request-id", "x-forwarded-for", "x-forwarded-client-cert", "x-federation-peer"} {
			p.Header = append(p.Header, [2]string{name, forged})
		}
	})(t.Federation))[0]
	for _, header := range SeenBy(t, answer).Header {
		if strings.Contains(header[1], forged) {
			t.Errorf("the backend receives %s: %s", header[0], header[1])
		}
	}
	if Header(answer.Seen.Header, "x-request-id") == "" {
		t.Errorf("the ingress gateway gives the request no id")
	}
	t.Logf("x-forwarded-for %s", Header(answer.Seen.Header, "x-forwarded-for"))
}

func accessLogs(t *T) {
	path := fmt.Sprintf("/reviews/%d", time.Now().UnixNano())
	t.Want(Productpage, "200", Reviews(path))
	for _, m := range []*mesh.Mesh{t.East, t.West} {
		t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
			pod, err := m.Pod(t.Context(), GatewayOf(m.Name))
			if err != nil {
				return err
			}
			if text, err := m.Logs(t.Context(), pod, "istio-proxy"); err != nil || !strings.Contains(text, path) {
				return fmt.Errorf("the gateway of %s has not logged %s (%v)", m.Name, path, err)
			}
			return nil
		}))
	}
	t.Pause(2 * time.Second) // Envoy writes its log once a second
	backend, err := t.East.Pod(t.Context(), "default/reviews")
	t.Must(err)
	text, err := t.East.Logs(t.Context(), backend, "istio-proxy")
	t.Must(err)
	if strings.Contains(text, path) {
		t.Errorf("the sidecar of the backend has logged %s, so no Telemetry disables logs", path)
	}
	t.Logf("both gateways log, the sidecar of the backend does not")
}

// customDenies passes the status with which the external service is to answer in the query: it reads it as the
// application would.
func customDenies(t *T) {
	answer := t.Try(Productpage, Reviews("/reviews/0?a=b&status=403"))[0]
	if pod := SeenBy(t, answer).Pod; answer.Outcome() != "403" || !strings.HasPrefix(pod, "decisions-") {
		t.Errorf("%s by %s, and not 403 by the external service", answer.Outcome(), pod)
	}
	t.Want(Productpage, "403", traffic.Probe{URL: local + "/reviews/0?a=b&status=200", Method: "POST"})
	t.Logf("403 by the external service; 403 for what the boundary denies, although it answers 200")
}
