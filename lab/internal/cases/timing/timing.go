// Package timing has the cases for changes during calls.
package timing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
)

// Cases are changes while calls are under way, and how long they take.
func Cases() []Case {
	return slices.Concat(
		InScenario("two-meshes-http",
			Case{Name: "time/grant-withdrawn", Guarantees: guarantee.ExplicitAccess | guarantee.CompleteRemoval, Expect: "The ingress gateway denies a pruned grant within a second, on open connections as well", Run: func(t *T) {
				withdrawn(t, "grant-withdrawn", "Gateway fed-in-west", "VirtualService fed-in-reviews-9080-west", "AuthorizationPolicy fed-in-peer-west",
					"AuthorizationPolicy fed-in-guard-west", "ConfigMap fed-in-trust-west")
			}},
			Case{Name: "time/peer-removed", Guarantees: guarantee.ExplicitAccess | guarantee.CompleteRemoval, Expect: "The ingress gateway rejects a pruned peer, and the peer's CA is removed", Run: func(t *T) {
				withdrawn(t, "peer-removed", "Gateway fed-in-west", "VirtualService fed-in-reviews-9080-west", "AuthorizationPolicy fed-in-peer-west",
					"AuthorizationPolicy fed-in-guard-west", "ConfigMap fed-in-trust-west")
			}},
			Case{Name: "time/ca-object-deleted", Guarantees: guarantee.CompleteRemoval, Expect: "Deleting only the CA objects does not disconnect any peer", Run: authorityDeleted},
			Case{Name: "time/istiod-away", Guarantees: guarantee.ExplicitAccess, Expect: "Calls succeed while both istiods are down, and after they are back", Run: istiodAway},
			Case{Name: "time/gateways-replaced", Guarantees: guarantee.ExplicitAccess, Expect: "Replacing the gateways with two pods each fails no call", Run: gatewaysReplaced},
			Case{Name: "time/certificates-renewed", Guarantees: guarantee.NoPrivateKeys, Expect: "Gateways and callers renew their certificates without a failed call", Run: certificatesRenewed},
			Case{Name: "time/keep-alive", Guarantees: guarantee.ExplicitAccess, Expect: "Both gateways send keep-alive probes on the connection between them after at most two minutes of silence", Run: keptAlive},
			Case{Name: "time/egress-trust-changes", Guarantees: guarantee.ServerPerPeer, Expect: "The egress gateway loads every change of its peers' CAs", Run: trustChanges},
			Case{Name: "time/ca-rotated", Guarantees: guarantee.ServerPerPeer, Expect: "West rotates its CA without a failed call, and east then rejects the old CA", Run: authorityRotated},
		),
		orders(),
		InScenario("balancer-name",
			Analyzed("balancer-name"),
			Case{Name: "time/name-address-dead", Guarantees: guarantee.ExplicitAccess, Expect: "With one of two addresses of a DNS name dead, no call fails after its ejection, not even when Envoy tries the address again", Run: addressDead},
			Case{Name: "time/name-addresses-dead", Guarantees: guarantee.ExplicitAccess, Expect: "Calls fail while both addresses of a DNS name are dead, and succeed after both are back", Run: addressesDead},
		),
		InScenario("both-directions",
			Case{Name: "time/address-dead", Guarantees: guarantee.ExplicitAccess, Expect: "With one of two addresses dead, no call fails after its ejection, not even when Envoy tries the address again", Run: addressDead},
			Case{Name: "time/addresses-dead", Guarantees: guarantee.ExplicitAccess, Expect: "Calls fail while both addresses are dead, and succeed after both are back", Run: addressesDead},
		),
	)
}

// load repeats the allowed call, so many times a second, on connections that stay open.
func load(t *T, perSecond int) *Stream {
	p := Reviews("/reviews/0")
	p.Every, p.Reuse = time.Second/time.Duration(perSecond), true
	return t.Stream("calls", Productpage, p)
}

// withdrawn applies east with an ApplySet, as the quick start describes, and then without the grant.
func withdrawn(t *T, program string, gone ...string) {
	t.RestoreScenario()
	t.Restore(func(ctx context.Context) error {
		_, err := t.East.Kubectl(ctx, "", "-n", federation.Boundary, "delete", "configmap", "federation", "--ignore-not-found")
		return err
	})
	ApplySet(t, t.East, t.Files(t.Current(), "east")[0])
	t.Until(Productpage, "200", Reviews("/reviews/0"))

	load := load(t, 50)
	t.Pause(500 * time.Millisecond)
	began := time.Now()
	ApplySet(t, t.East, t.Files(program, "east")[0])
	applied := time.Now()
	for _, name := range gone {
		kind, name, _ := strings.Cut(name, " ")
		if _, err := t.East.Get(t.Context(), t.Manifest(t.East, kind, name)); !apierrors.IsNotFound(err) {
			t.Errorf("%s %s is still there (%v)", kind, name, err)
		}
	}
	t.Pause(1200 * time.Millisecond)
	RefusedInTime(t, t.Samples(load), began, applied)
	t.Want(Outside, "refused | closed | reset | alert: *", ToIngress(GenuineWest)(t.Federation))
}

func authorityDeleted(t *T) {
	t.AnswersAtTheEnd(Productpage, Reviews("/reviews/0"))
	t.OncePerConnection()
	load := load(t, 20)
	t.WithoutObjects(t.East, t.Manifest(t.East, "ConfigMap", "fed-in-trust-west"))
	t.WithoutObjects(t.West, t.Manifest(t.West, "ConfigMap", "fed-out-trust"))
	t.Pause(5 * time.Second)
	t.Want(Outside, "200", ToIngress(GenuineWest)(t.Federation))
	t.Logf("200 on new connections, 5 s after both CA objects were deleted")
	t.Steady(load)
	t.Want(Outside, "alert: *", ToIngress(ForeignCA(pki.Request{SpiffeID: EgressID}))(t.Federation)) // what was lost is not "anybody"
}

func istiodAway(t *T) {
	t.AnswersAtTheEnd(Productpage, Reviews("/reviews/0"))
	t.OncePerConnection()
	scale := func(ctx context.Context, replicas int) error {
		for _, m := range []*mesh.Mesh{t.East, t.West} {
			if _, err := m.Kubectl(ctx, "", "-n", mesh.System, "scale", "deployment/istiod", fmt.Sprintf("--replicas=%d", replicas)); err != nil {
				return err
			}
		}
		return nil
	}
	back := func(ctx context.Context) error {
		if err := scale(ctx, 1); err != nil {
			return err
		}
		for _, m := range []*mesh.Mesh{t.East, t.West} {
			if err := m.IstiodReady(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	load := load(t, 30)
	t.Restore(back)
	t.Must(scale(t.Context(), 0))
	for _, m := range []*mesh.Mesh{t.East, t.West} {
		t.Must(mesh.Wait(t.Context(), time.Minute, func() error {
			pods, err := m.Client.CoreV1().Pods(mesh.System).List(t.Context(), metav1.ListOptions{LabelSelector: "app=istiod"})
			if err == nil && len(pods.Items) > 0 { // one that is being deleted goes on answering for a while
				err = fmt.Errorf("%d istiods are still there", len(pods.Items))
			}
			return err
		}))
	}
	t.Pause(3 * time.Second)
	t.Must(back(t.Context()))
	t.Pause(2 * time.Second)
	t.Steady(load)
}

// gatewaysReplaced has two pods of each gateway, which is what the HorizontalPodAutoscaler sees to; the lab has none of
// its controllers.
func gatewaysReplaced(t *T) {
	t.AnswersAtTheEnd(Productpage, Reviews("/reviews/0"))
	gateways := []Workload{t.Ingress(), t.Egress()}
	scale := func(ctx context.Context, replicas string) error {
		for _, g := range gateways {
			if _, err := g.Mesh.Kubectl(ctx, "", "-n", federation.Boundary, "scale", "deployment/"+g.Name(), "--replicas="+replicas); err != nil {
				return err
			}
		}
		for _, g := range gateways {
			if err := Rolled(ctx, g.Mesh, federation.Boundary, g.Name()); err != nil {
				return err
			}
		}
		return nil
	}
	t.Restore(func(ctx context.Context) error { return scale(ctx, "1") })
	t.Must(scale(t.Context(), "2"))
	load := load(t, 50)
	t.Pause(time.Second)
	for _, g := range gateways {
		began := time.Now()
		_, err := g.Mesh.Kubectl(t.Context(), "", "-n", federation.Boundary, "rollout", "restart", "deployment/"+g.Name())
		t.Must(err)
		t.Must(Rolled(t.Context(), g.Mesh, federation.Boundary, g.Name()))
		t.Logf("%s replaced in %.1f s", g.Name(), time.Since(began).Seconds())
	}
	t.Pause(2 * time.Second)
	t.Steady(load)
}
