package attackers

import (
	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Unlisted are workloads of the consuming mesh that no binding lists.
func Unlisted() []Case {
	local := Get("http://reviews.default:9080/reviews/0")
	return InScenario("two-meshes-http",
		Ask("unlisted/another-account", guarantee.EgressCallers, "The egress gateway rejects another service account of the caller's namespace in the handshake", OtherAccount, local, "503"),
		Ask("unlisted/another-namespace", guarantee.ExplicitAccess, "A workload of a namespace without callers has no route to the peer", OtherNamespace, local, "reset | closed"),
		Ask("unlisted/no-sidecar", guarantee.TLSOnEveryHop, "A workload without a sidecar has no route to the peer", NoSidecar, local, "refused | timeout | unreachable"),
		Ask("unlisted/egress-plaintext", guarantee.TLSOnEveryHop, "The egress gateway does not answer without TLS", NoSidecar, func(*federation.Federation) traffic.Probe {
			return traffic.Probe{URL: "http://" + EgressHost + ":15443/reviews/0", Host: BindingSNI}
		}, outcome.CutOff),
		Ask("unlisted/egress-genuine", guarantee.EgressCallers, "The egress gateway accepts the caller's own certificate, so no rejection of other certificates is caused by the probe",
			NoSidecar, ToEgress(MeshCA("west", OtherOfWest)), "200"),
		Ask("unlisted/egress-no-certificate", guarantee.EgressCallers, "The egress gateway rejects a workload without a certificate", NoSidecar, ToEgress(NoCertificate), outcome.NoCertificate),
		Ask("unlisted/egress-another-account", guarantee.EgressCallers, "The egress gateway rejects the genuine certificate of another service account",
			NoSidecar, ToEgress(MeshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/other"})), outcome.WrongIdentity),
		Ask("unlisted/egress-foreign-ca", guarantee.EgressCallers, "The egress gateway rejects the caller's identity from an unknown CA",
			NoSidecar, ToEgress(ForeignCA(pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/bookinfo-productpage"})), outcome.UnknownAuthority),
		Ask("unlisted/egress-peers-ca", guarantee.EgressCallers, "The egress gateway rejects the caller's identity from the peer's CA",
			NoSidecar, ToEgress(MeshCA("east", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/bookinfo-productpage"})), outcome.UnknownAuthority),
		Ask("unlisted/egress-unknown-sni", guarantee.ExplicitAccess, "The egress gateway rejects an SNI without a binding",
			NoSidecar, ToEgress(MeshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/bookinfo-productpage"}), WithSNI("p9080.ratings.default.east.egress.fed.west.example")), outcome.Rejected),
		Ask("unlisted/egress-as-peer", guarantee.ExplicitAccess, "The egress gateway rejects the SNI of the peer's export, so it is not an open relay",
			NoSidecar, ToEgress(MeshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/bookinfo-productpage"}), WithSNI(ReviewsSNI)), outcome.Rejected),
		Ask("unlisted/ingress-direct", guarantee.ExplicitAccess, "The allowed caller cannot bypass the egress gateway with its own certificate",
			Productpage, ToIngress(MeshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/bookinfo-productpage"})), outcome.Rejected), // its sidecar may lose the alert
		Ask("unlisted/ingress-direct-no-certificate", guarantee.ExplicitAccess, "An unlisted workload cannot bypass the egress gateway without a certificate", OtherAccount, ToIngress(NoCertificate), outcome.Rejected),
		Ask("unlisted/ingress-plaintext", guarantee.TLSOnEveryHop, "An unlisted workload cannot bypass the egress gateway in plaintext", OtherAccount, func(*federation.Federation) traffic.Probe {
			return traffic.Probe{URL: "http://" + ReviewsSNI + "/reviews/0", Dial: EastAddress}
		}, "503 | 502 | "+outcome.CutOff),
		Case{Name: "unlisted/local-name-without-route", Guarantees: guarantee.ExplicitAccess, Expect: "The local name has no route to the peer after its VirtualService is deleted", Run: aliasWithoutRoute},
	)
}

func aliasWithoutRoute(t *T) {
	t.AnswersAtTheEnd(Productpage, Reviews("/reviews/0"))
	t.WithoutObjects(t.West, t.Manifest(t.West, "VirtualService", "fed-name-reviews-default"))
	took := t.Until(Productpage, "503 | 502", Reviews("/reviews/0"))
	t.Want(OtherAccount, "503 | 502", Reviews("/reviews/0"))
	t.Logf("503 after %s", Rounded(took))
}
