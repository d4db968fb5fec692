// Package spire has the cases of meshes in which SPIRE's agent issues the certificates of workloads. The lab's agent is
// package spiffe, and not SPIRE.
package spire

import (
	"context"
	"fmt"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

const (
	reviews   = "http://reviews:9080/reviews/0"
	exportSNI = "p9080.reviews.west.fed.spire.east.example"
)

// Cases of the scenario.
func Cases() []Case {
	return InScenario(federation.Spire,
		Analyzed(federation.Spire),
		Ask("spire/call", guarantee.ExplicitAccess|guarantee.ServerPerPeer, "West calls east when SPIRE issues the certificates of workloads and each boundary has its own CA", Productpage, Get(reviews), "200"),
		Ask("spire/rule", guarantee.ExplicitAccess, "The exporter's rules apply to callers with certificates from SPIRE", Productpage, Get("http://reviews:9080/ratings/0"), "403"),
		Ask("spire/unlisted", guarantee.ExplicitAccess|guarantee.EgressCallers, "The egress gateway rejects an unlisted workload with a certificate from SPIRE", OtherAccount, Get(reviews), "503"),
		Ask("spire/listed-certificate", guarantee.EgressCallers, "The egress gateway accepts the listed caller's certificate from SPIRE", NoSidecar, toEgress(bySpire("spiffe://west.example/ns/default/sa/bookinfo-productpage")), "200"),
		Ask("spire/other-certificate", guarantee.EgressCallers, "The egress gateway rejects another workload's certificate from SPIRE in the handshake", NoSidecar, toEgress(bySpire("spiffe://west.example/ns/default/sa/other")), "alert: *"),
		Ask("spire/other-authority", guarantee.EgressCallers, "The egress gateway rejects the listed caller's identity from istiod's CA", NoSidecar, toEgress(MeshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/bookinfo-productpage"})), "alert: *"),
		Ask("spire/at-the-ingress", guarantee.ServerPerPeer, "The ingress gateway rejects the egress gateway's certificate from SPIRE", Outside,
			ToIngress(bySpire(EgressID), WithSNI(exportSNI), withURL("https://"+exportSNI+"/reviews/0")), "alert: *"),
		Case{Name: "spire/certificates", Guarantees: guarantee.TLSOnEveryHop, Expect: "Gateways and workloads present certificates of SPIRE's CA inside their mesh", Run: certificates},
		Case{Name: "spire/default-credential", Guarantees: guarantee.ExplicitAccess, Expect: "With the default credential, the egress gateway does not become ready, and its agent logs that it serves files only", Run: defaultCredential},
	)
}

// bySpire issues a certificate with the CA of west's workloads.
func bySpire(id string) CertificateSource {
	return IssuedBy(func(f *federation.Federation) (*pki.Authority, error) { return f.WorkloadCA("west") }, pki.Request{SpiffeID: id})
}

func withURL(url string) func(*traffic.Probe) { return func(p *traffic.Probe) { p.URL = url } }

// toEgress is a request to west's egress gateway with the SNI of this scenario.
func toEgress(shown CertificateSource) func(*federation.Federation) traffic.Probe {
	const sni = "p9080.reviews.default.east.egress.fed.spire.west.example"
	return ToEgress(shown, WithSNI(sni), withURL("https://"+sni+"/reviews/0"))
}

func certificates(t *T) {
	for _, c := range []Workload{
		{Mesh: t.West, Workload: Productpage.Workload}, t.Egress(), t.Ingress(), {Mesh: t.East, Workload: Backend.Workload},
	} {
		authority, err := t.WorkloadCA(c.Mesh.Name)
		t.Must(err)
		root := ParseChain(authority.PEM)[0]
		shown, err := CertificatesOf(t.Context(), c.Mesh, c.Workload)
		t.Must(err)
		t.Logf("%s of %s: %s", c.Workload, c.Mesh.Name, shown)
		if err := shown.Leaves["default"].CheckSignatureFrom(root); err != nil {
			t.Errorf("%s of %s: %v", c.Workload, c.Mesh.Name, err)
		}
		if len(shown.Roots) != 1 || !shown.Roots[0].Equal(root) {
			t.Errorf("%s of %s trusts other roots", c.Workload, c.Mesh.Name)
		}
	}
}

// defaultCredential applies another program to north, which has nothing else in this scenario.
func defaultCredential(t *T) {
	const scenario = "spire-default-credential"
	t.Must(t.Add(t.Context(), scenario))
	objects, err := t.Objects(scenario, "north")
	t.Must(err)
	t.Restore(func(ctx context.Context) error { return t.North.DeleteNow(ctx, objects...) })
	t.Must(t.North.ApplyFile(t.Context(), t.Files(scenario, "north")[0]))
	const words = "Default Istio SDS Server will only serve files"
	var pod *core.Pod
	t.Must(mesh.Wait(t.Context(), time.Minute, func() error {
		pods, err := t.North.Client.CoreV1().Pods(federation.Boundary).List(t.Context(), metav1.ListOptions{LabelSelector: "app=federation-egress"})
		if err != nil {
			return err
		}
		if len(pods.Items) != 1 {
			return fmt.Errorf("north has %d pods of the egress gateway", len(pods.Items))
		}
		pod = &pods.Items[0]
		log, err := t.North.Logs(t.Context(), pod, "istio-proxy")
		if err == nil && !strings.Contains(log, words) {
			err = fmt.Errorf("the agent of the egress gateway does not log %q", words)
		}
		return err
	}))
	t.Pause(20 * time.Second) // with a certificate, the pod is ready after about two
	pod, err = t.North.Client.CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{})
	t.Must(err)
	if mesh.IsReady(pod) {
		t.Errorf("the egress gateway is ready")
	}
}
