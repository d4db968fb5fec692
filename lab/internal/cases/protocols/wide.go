package protocols

import (
	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
)

// WideCallers are callers that a binding allows without listing them one by one.
func WideCallers() []Case {
	return InScenario("wide-callers",
		Analyzed("wide-callers"),
		Ask("callers/anybody", guarantee.EgressCallers, "A local name for the whole mesh accepts a workload of any namespace", Productpage, Get("http://public.partners:9080/"), "200"),
		Ask("callers/anybody-beside-own-rule", guarantee.EgressCallers, "A local name for the whole mesh accepts a workload whose namespace is listed for another local name", OtherNamespace, Get("http://public.partners:9080/"), "200"),
		Ask("callers/anybody-rules", guarantee.TwoControls, "The exporter's rules apply to a local name for the whole mesh", Productpage, Request("POST", "http://public.partners:9080/"), "403"),
		Ask("callers/anybody-with-a-sidecar", guarantee.TLSOnEveryHop, "A local name for the whole mesh rejects a workload without a sidecar, which has no identity", NoSidecar, Get("http://public.partners:9080/"), "refused | timeout | unreachable"),
		Ask("callers/namespace", guarantee.EgressCallers, "A local name for one namespace accepts any service account of that namespace", OtherAccount, Get("http://shared.partners:9080/"), "200"),
		Ask("callers/namespace-only", guarantee.EgressCallers, "A local name for one namespace rejects workloads of other namespaces", OtherNamespace, Get("http://shared.partners:9080/"), "403 | 503 | reset | closed"),
		Ask("callers/egress-other-namespace", guarantee.EgressCallers, "The egress gateway denies the genuine certificate of a workload outside the allowed namespace", NoSidecar,
			ToEgress(MeshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/elsewhere/sa/visitor"}), WithSNI("p9080.shared.partners.east.egress.fed.west.example"), WithURLHost("p9080.shared.partners.east.egress.fed.west.example")), "403"),
		Ask("callers/egress-own-namespace", guarantee.EgressCallers, "The egress gateway accepts the genuine certificate of a workload in the allowed namespace", NoSidecar,
			ToEgress(MeshCA("west", OtherOfWest), WithSNI("p9080.shared.partners.east.egress.fed.west.example"), WithURLHost("p9080.shared.partners.east.egress.fed.west.example")), "200"),
		Ask("callers/named-beside", guarantee.EgressCallers, "A local name for one service account accepts that account beside wider local names", OtherNamespace, Get("http://own.partners:9080/"), "200"),
		Ask("callers/named-beside-refused", guarantee.EgressCallers, "A local name for one service account rejects other workloads beside wider local names", Productpage, Get("http://own.partners:9080/"), "503 | reset | closed"),
	)
}
