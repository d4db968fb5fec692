package gateways

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Nodes are cases without a load balancer. The public addresses of the lab belong to load balancers, so peers dial the
// node's own address.
func Nodes() []Case {
	return InScenario("node-port",
		Case{Name: "nodes/port", Guarantees: guarantee.ExplicitAccess | guarantee.ServerPerPeer, Expect: "The node port of the ingress gateway accepts peers and rejects external attackers", Run: portOfNodes},
		Case{Name: "nodes/ipv6-endpoint", Guarantees: guarantee.ValidObjects, Expect: "The egress gateway accepts an IPv6 address as endpoint; istiod rejects it in brackets", Run: ipv6Endpoint},
		Case{Name: "nodes/dual-stack-refused", Guarantees: guarantee.ErrorsNotGuesses, Expect: "A single-stack cluster rejects a Service that requires dual-stack, and does not drop an address family", Run: dualStackRefused},
		Case{Name: "nodes/openshift-ids", Guarantees: guarantee.WorkloadsUntouched, Expect: "With platform openshift, istiod assigns a gateway ids of its namespace's range; otherwise its own ids", Run: openShiftIDs},
	)
}

func portOfNodes(t *T) {
	service, err := t.East.Get(t.Context(), t.Manifest(t.East, "Service", "federation-ingress"))
	t.Must(err)
	ports, _, err := unstructured.NestedSlice(service.Object, "spec", "ports")
	t.Must(err)
	if got := ports[0].(map[string]any)["nodePort"]; len(ports) != 1 || got != int64(30443) {
		t.Errorf("the node port is %v, and not the endpoint's", got)
	}
	pod, err := t.East.Pod(t.Context(), GatewayOf("east"))
	t.Must(err)
	node := pod.Status.HostIP
	t.ChangeObject(t.West, t.Manifest(t.West, "ServiceEntry", "fed-out-reviews-9080-east"), func(entry map[string]any) {
		endpoint := map[string]any{"address": node, "ports": map[string]any{"http2-federation": int64(30443)}}
		t.Must(unstructured.SetNestedSlice(entry, []any{endpoint}, "spec", "endpoints"))
		t.Must(unstructured.SetNestedField(entry, "STATIC", "spec", "resolution"))
	})
	took := t.Until(Productpage, "200", Reviews("/reviews/0"))
	answer := t.Try(Productpage, Reviews("/reviews/0"))[0]
	if answer.Seen == nil || !strings.HasPrefix(answer.Seen.Pod, "reviews-") {
		t.Errorf("%s%s", answer.Outcome(), Detail(answer))
	}
	t.Want(OtherAccount, "503", Reviews("/reviews/0"))
	t.Want(Productpage, "403", traffic.Probe{URL: "http://reviews:9080/reviews/0", Method: "POST"})
	dial := func(p *traffic.Probe) { p.Dial = node + ":30443" }
	t.Want(Outside, "200", ToIngress(GenuineWest, dial)(t.Federation))
	t.Want(Outside, "alert: certificate required", ToIngress(NoCertificate, dial)(t.Federation))
	t.Logf("%s:30443, 200 after %s", node, Rounded(took))
}

func ipv6Endpoint(t *T) {
	entry := t.Manifest(t.West, "ServiceEntry", "fed-out-reviews-9080-east")
	six := func(address string) func(map[string]any) {
		return func(entry map[string]any) {
			t.Must(unstructured.SetNestedSlice(entry, []any{map[string]any{"address": address}}, "spec", "endpoints"))
			t.Must(unstructured.SetNestedField(entry, "STATIC", "spec", "resolution"))
		}
	}
	bracketed := entry.DeepCopy()
	bracketed.SetName("lab-brackets")
	six("[2001:db8::20]")(bracketed.Object)
	if words, refused := t.West.Refuses(t.Context(), bracketed); !refused || !strings.Contains(words, "not a valid IP address") {
		t.Errorf("an address in brackets: %q", words)
	}
	t.ChangeObject(t.West, entry, six("2001:db8::20"))
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		if clusters := EnvoyAdmin(t, t.West, GatewayOf("west"), "clusters"); !strings.Contains(clusters, "outbound|15443||"+ReviewsSNI+"::[2001:db8::20]:15443::") {
			return fmt.Errorf("the egress gateway does not have the address")
		}
		return nil
	}))
	t.Logf("the egress gateway has the endpoint [2001:db8::20]:15443")
}

func dualStackRefused(t *T) {
	service := t.Manifest(t.East, "Service", "federation-ingress").DeepCopy()
	service.SetName("lab-dual")
	t.Must(unstructured.SetNestedSlice(service.Object, []any{map[string]any{"port": int64(15443)}}, "spec", "ports"))
	if words, refused := t.East.Refuses(t.Context(), service); refused {
		t.Errorf("rejected without a change: %s", words)
	}
	t.Must(unstructured.SetNestedField(service.Object, "RequireDualStack", "spec", "ipFamilyPolicy"))
	words, refused := t.East.Refuses(t.Context(), service)
	if !refused || !strings.Contains(words, "not configured for dual-stack services") {
		t.Errorf("%q", words)
	}
	t.Logf("not configured for dual-stack services")
}

// uidRange is what OpenShift writes to every namespace, another one for each.
const uidRange = "1000650000/10000"

func openShiftIDs(t *T) {
	annotate := func(ctx context.Context, suffix string) error {
		_, err := t.East.Kubectl(ctx, "", "annotate", "--overwrite", "namespace", federation.Boundary,
			"openshift.io/sa.scc.uid-range"+suffix, "openshift.io/sa.scc.supplemental-groups"+suffix)
		return err
	}
	t.Restore(func(ctx context.Context) error { return t.East.SetIstiod(ctx, map[string]string{"PLATFORM": ""}) })
	t.Restore(func(ctx context.Context) error { return annotate(ctx, "-") })
	t.Must(annotate(t.Context(), "="+uidRange))
	if user, group := injectedIDs(t); user != 1337 || group != 1337 {
		t.Errorf("an istiod without OpenShift sets %d and %d", user, group)
	}
	t.Must(t.East.SetIstiod(t.Context(), map[string]string{"PLATFORM": "openshift"}))
	t.Must(mesh.Wait(t.Context(), 30*time.Second, func() error {
		if user, group := injectedIDs(t); user != 1000659999 || group != 1000659999 {
			return fmt.Errorf("the ids are %d and %d", user, group)
		}
		return nil
	}))
	t.Logf("1337 without, 1000659999 with platform openshift")
}

// injectedIDs are the ones of a gateway's pod that would be created now.
func injectedIDs(t *T) (user, group int64) {
	text, err := json.Marshal(t.Manifest(t.East, "Deployment", "federation-ingress").Object["spec"].(map[string]any)["template"])
	t.Must(err)
	pod := &core.Pod{}
	t.Must(json.Unmarshal(text, pod))
	pod.Name, pod.Namespace = "lab-asks", federation.Boundary
	created, err := t.East.Client.CoreV1().Pods(federation.Boundary).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	t.Must(err)
	context := created.Spec.Containers[0].SecurityContext
	return *context.RunAsUser, *context.RunAsGroup
}
