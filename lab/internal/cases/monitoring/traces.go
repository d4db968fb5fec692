package monitoring

import (
	"fmt"
	"strings"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Traces are cases in meshes whose proxies report spans of every request.
func Traces() []Case {
	return InScenario("traced",
		Ask("traces/works", guarantee.ExplicitAccess, "The allowed caller reaches the export in meshes with tracing", ShopAPI, Get("http://reviews.shop:9080/reviews/0"), "200"),
		traceOf("traces/stripped", ShopAPI, "another trace", "The backend receives another trace than the caller's from a peer with stripTracing, although both gateways report spans"),
		traceOf("traces/forwarded", NorthAPI, "the caller's trace", "The backend receives the caller's trace from a peer without stripTracing"),
		Case{Name: "traces/spans", Guarantees: guarantee.ExplicitAccess, Expect: "Both gateways report spans to the collector of their mesh, although stripTracing is set for one peer", Run: spans},
	)
}

const callersTrace = "0af7651916cd43dd8448eb211c80319c"

func traceOf(name string, from From, want, expect string) Case {
	attempt := TraceFrom(from)
	attempt.Want = want
	return Attempts(name, guarantee.NothingInternal, expect, attempt)
}

// TraceFrom reads whose trace the backend receives.
func TraceFrom(from From) Attempt {
	return Attempt{
		From: from,
		Probe: func(*federation.Federation) traffic.Probe {
			return traffic.Probe{URL: "http://reviews.shop:9080/reviews/0", Header: [][2]string{{"traceparent", "00-" + callersTrace + "-b7ad6b7169203331-01"}}}
		},
		Read: func(answer traffic.Answer) string {
			switch {
			case answer.Seen == nil:
				return answer.Outcome()
			case strings.Contains(Header(answer.Seen.Header, "traceparent"), callersTrace):
				return "the caller's trace"
			case Header(answer.Seen.Header, "traceparent") == "":
				return "no trace"
			}
			return "another trace"
		},
		Words: []string{"the caller's trace", "another trace", "no trace"},
	}
}

func spans(t *T) {
	for _, m := range []*mesh.Mesh{t.East, t.West} {
		address := PodIP(t, m, GatewayOf(m.Name))
		t.Must(mesh.Wait(t.Context(), 30*time.Second, func() error {
			t.Want(ShopAPI, "200", traffic.Probe{URL: "http://reviews.shop:9080/reviews/0"})
			pod, err := m.Pod(t.Context(), "spans/collector")
			if err != nil {
				return err
			}
			text, err := m.Logs(t.Context(), pod, "app")
			if err != nil {
				return err
			}
			for _, line := range strings.Split(text, "\n") {
				if strings.Contains(line, "/v1/traces") && strings.Contains(line, "remote="+address+":") {
					return nil
				}
			}
			return fmt.Errorf("the gateway of %s has reported no span", m.Name)
		}))
	}
	t.Logf("the collectors of both meshes have spans of the gateways")
}
