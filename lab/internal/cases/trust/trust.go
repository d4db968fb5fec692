// Package trust has the cases for CAs, revocation, rotation and the isolation of a peer.
package trust

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Cases are credentials and CAs of all kinds, and peers that are no longer trusted.
func Cases() []Case {
	return slices.Concat(
		InScenario("two-peers",
			Ask("trust/peer-before-isolation", guarantee.ExplicitAccess, "West calls east before east isolates it", Productpage, Get("http://reviews:9080/reviews/0"), "200"),
			Ask("trust/peer-before-isolation-back", guarantee.ExplicitAccess, "East calls west before east isolates it", Backend, Get("http://details.catalogue:9080/details/0"), "200"),
			Ask("trust/other-peer-before-isolation", guarantee.ExplicitAccess, "North calls east before east isolates west", northClient, Get("http://reviews.partners:9080/reviews/0"), "200"),
			Ask("trust/other-peer-before-isolation-back", guarantee.ExplicitAccess, "East calls north before east isolates west", Backend, Get("http://ratings.partners:9080/ratings/0"), "200"),
			Case{Name: "trust/isolated", Guarantees: guarantee.ExplicitAccess | guarantee.CompleteRemoval, Expect: "East rejects an isolated peer in both directions, on open connections as well; the other peer loses no call", Run: isolated},
		),
		InScenario("external-roots",
			Analyzed("external-roots"),
			Ask("trust/external-roots", guarantee.ExplicitAccess|guarantee.ServerPerPeer, "West calls east when CA certificates are managed externally", Productpage, Get("http://reviews:9080/reviews/0"), "200"),
			Ask("trust/external-roots-back", guarantee.ExplicitAccess|guarantee.ServerPerPeer, "East calls west when CA certificates are managed externally", Backend, Get(DetailsURL), "200"),
			Case{Name: "trust/external-roots-change", Guarantees: guarantee.ServerPerPeer, Expect: "The same gateway pods reject the peer until its externally managed CA arrives, and follow its changes", Run: keptRootsChange},
		),
	)
}

// keptRootsChange removes the externally managed ConfigMap before the gateways start, then adds, breaks and repairs it.
func keptRootsChange(t *T) {
	root, err := os.ReadFile(filepath.Join(t.Trust(), "east.pem"))
	t.Must(err)
	foreign, err := pki.New("foreign")
	t.Must(err)
	t.Restore(func(ctx context.Context) error { return federation.PutRoots(ctx, t.West, string(root)) })
	t.AnswersAtTheEnd(Productpage, Reviews("/reviews/0"))
	t.AnswersAtTheEnd(Backend, traffic.Probe{URL: DetailsURL})
	oncePerConnectionBothWays(t)
	t.Must(t.West.Client.CoreV1().ConfigMaps(federation.Boundary).Delete(t.Context(), federation.KeptRoots, metav1.DeleteOptions{}))
	for _, name := range []string{"federation-ingress", "federation-egress"} {
		_, err := t.West.Kubectl(t.Context(), "", "-n", federation.Boundary, "rollout", "restart", "deployment/"+name)
		t.Must(err)
		t.Must(Rolled(t.Context(), t.West, federation.Boundary, name))
	}
	var pods []string
	for _, workload := range []string{"istio-federation/federation-ingress", "istio-federation/federation-egress"} {
		pod, err := t.West.Pod(t.Context(), workload)
		t.Must(err)
		pods = append(pods, pod.Name)
	}
	t.Pause(2 * time.Second)
	for i, step := range []struct{ roots, want string }{{"", "503"}, {string(root), "200"}, {foreign.PEM, "503"}, {string(root), "200"}, {foreign.PEM, "503"}, {string(root), "200"}} {
		if step.roots != "" {
			t.Must(federation.PutRoots(t.Context(), t.West, step.roots))
		}
		there := t.Until(Productpage, step.want, Reviews("/reviews/0"))
		back := t.Until(Backend, step.want, traffic.Probe{URL: DetailsURL})
		t.Logf("step %d: %s after %.1f s and %.1f s", i, step.want, there.Seconds(), back.Seconds())
	}
	for i, workload := range []string{"istio-federation/federation-ingress", "istio-federation/federation-egress"} {
		pod, err := t.West.Pod(t.Context(), workload)
		t.Must(err)
		if pod.Name != pods[i] {
			t.Errorf("%s is another pod than before", workload)
		}
	}
}

var northClient = Caller("north", "north/client")

// calls is a stream of one call on connections that stay open.
func calls(t *T, name string, from From, url string) *Stream {
	return t.Stream(name, from, traffic.Probe{URL: url, Every: 25 * time.Millisecond, Reuse: true})
}

// missingIn are the objects of a mesh that another scenario does not have, in the order in which they can go.
func missingIn(t *T, m *mesh.Mesh, scenario string) []*unstructured.Unstructured {
	before, err := t.Objects(t.Current(), m.Name)
	t.Must(err)
	after, err := t.Objects(scenario, m.Name)
	t.Must(err)
	gone := slices.DeleteFunc(before, func(o *unstructured.Unstructured) bool {
		return slices.ContainsFunc(after, func(other *unstructured.Unstructured) bool { return mesh.Key(other) == mesh.Key(o) })
	})
	slices.Reverse(gone)
	return gone
}

// isolated applies east's file in which west is isolated, and deletes the objects that it lacks.
func isolated(t *T) {
	t.RestoreScenario()
	t.Restore(func(ctx context.Context) error {
		_, err := t.East.Kubectl(ctx, "", "-n", federation.Boundary, "delete", "--ignore-not-found",
			"authorizationpolicy/fed-in-isolated-west", "authorizationpolicy/fed-out-isolated-west")
		return err
	})
	gone := missingIn(t, t.East, "isolated-peer")
	calls := map[*Stream]string{
		calls(t, "west to east", Productpage, "http://reviews:9080/reviews/0"):           "",
		calls(t, "east to west", Backend, "http://details.catalogue:9080/details/0"):     "",
		calls(t, "north to east", northClient, "http://reviews.partners:9080/reviews/0"): "200",
		calls(t, "east to north", Backend, "http://ratings.partners:9080/ratings/0"):     "200",
	}
	t.Pause(time.Second)
	began := time.Now()
	t.Must(t.East.ApplyFile(t.Context(), t.Files("isolated-peer", "east")[0]))
	t.Must(t.East.DeleteNow(t.Context(), gone...))
	applied := time.Now()
	t.Pause(1500 * time.Millisecond)
	for stream, want := range calls {
		if want == "200" {
			t.Steady(stream)
		} else {
			t.Logf("%s", stream.Name)
			RefusedInTime(t, t.Samples(stream), began, applied)
		}
	}
	t.Want(Outside, "refused | closed | reset | alert: *", ToIngress(GenuineWest)(t.Federation))
	t.Want(Backend, "403 | 404 | 503", traffic.Probe{URL: "http://details.catalogue:9080/details/0"})
}
