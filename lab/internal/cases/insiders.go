package cases

import (
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// unlistedWorkloads are workloads of the consuming mesh that are not among the callers.
func unlistedWorkloads() []Case {
	local := get("http://reviews.default:9080/reviews/0")
	return inScenario("two-meshes-http",
		ask("insiders/another-account", guarantee.EgressCallers, "The egress gateway rejects another service account of the caller's namespace in the handshake", otherAccount, local, "503"),
		ask("insiders/another-namespace", guarantee.ExplicitAccess, "A workload of a namespace without callers has no route to the peer", otherNamespace, local, "reset | closed"),
		ask("insiders/no-sidecar", guarantee.TLSOnEveryHop, "A workload without a sidecar has no route to the peer", noSidecar, local, "refused | timeout | unreachable"),
		ask("insiders/egress-plaintext", guarantee.TLSOnEveryHop, "The egress gateway does not answer without TLS", noSidecar, func(*federation.Federation) traffic.Probe {
			return traffic.Probe{URL: "http://" + egressHost + ":15443/reviews/0", Host: bindingSNI}
		}, outcome.CutOff),
		ask("insiders/egress-genuine", guarantee.EgressCallers, "The egress gateway accepts the caller's own certificate, so the rejections below are not caused by the probe",
			noSidecar, toEgress(meshCA("west", otherOfWest)), "200"),
		ask("insiders/egress-no-certificate", guarantee.EgressCallers, "The egress gateway rejects a workload without a certificate", noSidecar, toEgress(noCertificate), outcome.NoCertificate),
		ask("insiders/egress-another-account", guarantee.EgressCallers, "The egress gateway rejects the genuine certificate of another service account",
			noSidecar, toEgress(meshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/other"})), outcome.WrongIdentity),
		ask("insiders/egress-foreign-ca", guarantee.EgressCallers, "The egress gateway rejects the caller's identity from an unknown CA",
			noSidecar, toEgress(foreignCA(pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/bookinfo-productpage"})), outcome.UnknownAuthority),
		ask("insiders/egress-peers-ca", guarantee.EgressCallers, "The egress gateway rejects the caller's identity from the peer's CA",
			noSidecar, toEgress(meshCA("east", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/bookinfo-productpage"})), outcome.UnknownAuthority),
		ask("insiders/egress-unknown-name", guarantee.ExplicitAccess, "The egress gateway rejects an SNI without a binding",
			noSidecar, toEgress(meshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/bookinfo-productpage"}), withSNI("p9080.ratings.default.east.egress.fed.west.example")), outcome.Rejected),
		ask("insiders/egress-as-peer", guarantee.ExplicitAccess, "The egress gateway rejects the SNI of the peer's export, so it is not an open relay",
			noSidecar, toEgress(meshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/bookinfo-productpage"}), withSNI(reviewsSNI)), outcome.Rejected),
		ask("insiders/ingress-direct", guarantee.ExplicitAccess, "The allowed caller cannot bypass the egress gateway with its own certificate",
			productpage, toIngress(meshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/bookinfo-productpage"})), outcome.Rejected), // its sidecar may lose the alert
		ask("insiders/ingress-direct-no-certificate", guarantee.ExplicitAccess, "An unlisted workload cannot bypass the egress gateway without a certificate", otherAccount, toIngress(noCertificate), outcome.Rejected),
		ask("insiders/ingress-plaintext", guarantee.TLSOnEveryHop, "An unlisted workload cannot bypass the egress gateway in plaintext", otherAccount, func(*federation.Federation) traffic.Probe {
			return traffic.Probe{URL: "http://" + reviewsSNI + "/reviews/0", Dial: eastAddress}
		}, "503 | 502 | "+outcome.CutOff),
		Case{Name: "insiders/alias-without-route", Guarantees: guarantee.ExplicitAccess, Expect: "The local name has no route to the peer after its VirtualService is deleted", Run: aliasWithoutRoute},
	)
}

// toEgress is a request to west's egress gateway with the TLS of whoever tries.
func toEgress(shown certificateSource, change ...func(*traffic.Probe)) func(*federation.Federation) traffic.Probe {
	return func(f *federation.Federation) traffic.Probe {
		leaf := shown(f)
		p := traffic.Probe{
			URL: "https://" + bindingSNI + "/reviews/0", Dial: egressHost + ":15443",
			TLS: &traffic.TLS{ServerName: bindingSNI, Cert: leaf.Cert, Key: leaf.Key, ALPN: []string{"istio"}},
		}
		for _, one := range change {
			one(&p)
		}
		return p
	}
}

func aliasWithoutRoute(t *T) {
	t.answersAtTheEnd(productpage, reviews("/reviews/0"))
	t.withoutObjects(t.West, t.manifest(t.West, "VirtualService", "fed-name-reviews-default"))
	took := t.Until(productpage, "503 | 502", reviews("/reviews/0"))
	t.Want(otherAccount, "503 | 502", reviews("/reviews/0"))
	t.Logf("503 after %s", rounded(took))
}
