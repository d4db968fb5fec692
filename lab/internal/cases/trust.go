package cases

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// trust is whom a mesh believes: credentials and authorities of all kinds, and who is believed no more.
func trust() []Case {
	return slices.Concat(
		inScenario("two-peers",
			ask("trust/peer-before-isolation", guarantee.ExplicitAccess, "West calls east before east isolates it", productpage, get("http://reviews:9080/reviews/0"), "200"),
			ask("trust/peer-before-isolation-back", guarantee.ExplicitAccess, "East calls west before east isolates it", backend, get("http://details.catalogue:9080/details/0"), "200"),
			ask("trust/other-peer-before-isolation", guarantee.ExplicitAccess, "North calls east before east isolates west", northClient, get("http://reviews.partners:9080/reviews/0"), "200"),
			ask("trust/other-peer-before-isolation-back", guarantee.ExplicitAccess, "East calls north before east isolates west", backend, get("http://ratings.partners:9080/ratings/0"), "200"),
			Case{Name: "trust/isolated", Guarantees: guarantee.ExplicitAccess | guarantee.CompleteRemoval, Expect: "East rejects an isolated peer in both directions, on open connections as well; the other peer loses no call", Run: isolated},
		),
		inScenario("roots-kept-by-others",
			analyzed("roots-kept-by-others"),
			ask("trust/kept-roots", guarantee.ExplicitAccess|guarantee.ServerPerPeer, "West calls east when CA certificates are managed externally", productpage, get("http://reviews:9080/reviews/0"), "200"),
			ask("trust/kept-roots-back", guarantee.ExplicitAccess|guarantee.ServerPerPeer, "East calls west when CA certificates are managed externally", backend, get(detailsURL), "200"),
			Case{Name: "trust/kept-roots-change", Guarantees: guarantee.ServerPerPeer, Expect: "The same gateway pods reject the peer until its externally managed CA arrives, and follow its changes", Run: keptRootsChange},
		),
	)
}

// keptRootsChange takes the ConfigMap that others keep away before the gateways start, then brings, spoils and mends it.
func keptRootsChange(t *T) {
	root, err := os.ReadFile(filepath.Join(t.Trust(), "east.pem"))
	t.Must(err)
	foreign, err := pki.New("foreign")
	t.Must(err)
	t.Restore(func(ctx context.Context) error { return federation.PutRoots(ctx, t.West, string(root)) })
	t.answersAtTheEnd(productpage, reviews("/reviews/0"))
	t.answersAtTheEnd(backend, traffic.Probe{URL: detailsURL})
	t.oncePerConnectionBothWays()
	t.Must(t.West.Client.CoreV1().ConfigMaps(federation.Boundary).Delete(t.Context(), federation.KeptRoots, metav1.DeleteOptions{}))
	for _, name := range []string{"federation-ingress", "federation-egress"} {
		_, err := t.West.Kubectl(t.Context(), "", "-n", federation.Boundary, "rollout", "restart", "deployment/"+name)
		t.Must(err)
		t.Must(rolled(t.Context(), t.West, federation.Boundary, name))
	}
	var pods []string
	for _, workload := range []string{"istio-federation/federation-ingress", "istio-federation/federation-egress"} {
		pod, err := t.West.Pod(t.Context(), workload)
		t.Must(err)
		pods = append(pods, pod.Name)
	}
	t.pause(2 * time.Second)
	for i, step := range []struct{ roots, want string }{{"", "503"}, {string(root), "200"}, {foreign.PEM, "503"}, {string(root), "200"}, {foreign.PEM, "503"}, {string(root), "200"}} {
		if step.roots != "" {
			t.Must(federation.PutRoots(t.Context(), t.West, step.roots))
		}
		there := t.Until(productpage, step.want, reviews("/reviews/0"))
		back := t.Until(backend, step.want, traffic.Probe{URL: detailsURL})
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

var (
	backend     = From{"east", "default/reviews"}
	northClient = From{"north", "north/client"}
)

// calls is a stream of one call on connections that stay open.
func (t *T) calls(name string, from From, url string) *stream {
	return t.stream(name, from, traffic.Probe{URL: url, Every: 25 * time.Millisecond, Reuse: true})
}

// missingIn are the objects of a mesh that another scenario does not have, in the order in which they can go.
func (t *T) missingIn(m *mesh.Mesh, scenario string) []*unstructured.Unstructured {
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

// isolated applies east's file in which west is cut off, and takes away what it lacks.
func isolated(t *T) {
	t.restore()
	t.Restore(func(ctx context.Context) error {
		_, err := t.East.Kubectl(ctx, "", "-n", federation.Boundary, "delete", "--ignore-not-found",
			"authorizationpolicy/fed-in-isolated-west", "authorizationpolicy/fed-out-isolated-west")
		return err
	})
	gone := t.missingIn(t.East, "isolated-peer")
	calls := map[*stream]string{
		t.calls("west to east", productpage, "http://reviews:9080/reviews/0"):           "",
		t.calls("east to west", backend, "http://details.catalogue:9080/details/0"):     "",
		t.calls("north to east", northClient, "http://reviews.partners:9080/reviews/0"): "200",
		t.calls("east to north", backend, "http://ratings.partners:9080/ratings/0"):     "200",
	}
	t.pause(time.Second)
	began := time.Now()
	t.Must(t.East.ApplyFile(t.Context(), t.Files("isolated-peer", "east")[0]))
	t.Must(t.East.DeleteNow(t.Context(), gone...))
	applied := time.Now()
	t.pause(1500 * time.Millisecond)
	for stream, want := range calls {
		if want == "200" {
			t.steady(stream)
		} else {
			t.Logf("%s", stream.name)
			refusedInTime(t, t.samples(stream), began, applied)
		}
	}
	t.Want(outside, "refused | closed | reset | alert: *", toIngress(genuineWest)(t.Federation))
	t.Want(backend, "403 | 404 | 503", traffic.Probe{URL: "http://details.catalogue:9080/details/0"})
}
