package testbed

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Headers of a request, by their origin.
var (
	FromClient  = []string{"accept", "user-agent"}                                            // the caller's program
	FromEgress  = []string{"x-forwarded-proto", "x-request-id"}                               // west's proxies
	FromIngress = []string{"x-federation-peer", "x-forwarded-client-cert", "x-forwarded-for"} // east's proxies
	OwnWords    = []string{"authorization", "cookie", "origin", "referer", "x-custom",        // of the application: they are forwarded, as documented
		"traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
		"x-cloud-trace-context", "x-datadog-trace-id", "x-datadog-parent-id", "x-ot-span-context"}
	// Istio's own proxy puts the gateway's own in their place, in a filter that the lab's Envoy lacks. Removing them by
	// a route, which comes later, would remove those. West's egress gateway does so.
	ReplacedByIstio = []string{"x-envoy-peer-metadata", "x-envoy-peer-metadata-id"}
	// Frameworks take them in place of the method: the exporter removes them, since its own backend would
	// trust them.
	Methods = []string{"x-http-method", "x-http-method-override", "x-method-override"}
	// Envoy accepts these from callers, or generates them.
	envoys = []string{"x-envoy-internal", "x-envoy-force-trace", "x-envoy-max-retries", "x-envoy-retry-on", "x-envoy-expected-rq-timeout-ms",
		"x-envoy-upstream-rq-timeout-ms", "x-envoy-upstream-alt-stat-name", "x-envoy-ip-tags", "x-envoy-downstream-service-cluster", "x-envoy-downstream-service-node"}
)

// Forgery is the value of forged headers: the address of a pod, which proxies trust more than others.
const Forgery = "10.244.9.9"

// ForgedHeaders are all headers that the removal lists of both sides contain, those that Envoy trusts, and an
// application's own.
func ForgedHeaders(f *federation.Federation) [][2]string {
	names := slices.Concat(OwnWords, Methods, envoys, FromIngress)
	for _, meshName := range []string{"east", "west"} {
		objects, err := f.Objects(f.Current(), meshName)
		if err != nil {
			panic(err)
		}
		for _, o := range objects {
			routes, _, _ := unstructured.NestedSlice(o.Object, "spec", "http")
			for _, route := range routes {
				removed, _, _ := unstructured.NestedStringSlice(route.(map[string]any), "headers", "request", "remove")
				names = append(names, removed...)
			}
		}
	}
	slices.Sort(names)
	var headers [][2]string
	for _, name := range slices.Compact(names) {
		headers = append(headers, [2]string{name, Forgery})
	}
	return headers
}

// AtOnce divides headers into as many as one request may have: Envoy rejects more than 100.
func AtOnce(headers [][2]string) [][][2]string { return slices.Collect(slices.Chunk(headers, 70)) }

// WithForgedHeaders adds the headers to a probe, in several requests on one connection.
func WithForgedHeaders(p traffic.Probe, headers [][2]string) traffic.Probe {
	for i, part := range AtOnce(headers) {
		if i == 0 {
			p.Header = append(p.Header, part...)
			continue
		}
		p.Then = append(p.Then, traffic.Probe{URL: p.URL, Target: p.Target, Method: p.Method, Host: p.Host, Header: part})
	}
	return p
}
