package cases

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// timingCases is what changes while calls are under way, and how long it takes.
func timingCases() []Case {
	return slices.Concat(
		inScenario("two-meshes-http",
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
			Case{Name: "time/egress-trust-changes", Guarantees: guarantee.ServerPerPeer, Expect: "The egress gateway loads every change of its peers' CAs", Run: trustChanges},
			Case{Name: "time/ca-rotated", Guarantees: guarantee.ServerPerPeer, Expect: "West rotates its CA without a failed call, and east then rejects the old CA", Run: authorityRotated},
		),
		orders(),
		inScenario("both-directions",
			Case{Name: "time/address-dead", Guarantees: guarantee.ExplicitAccess, Expect: "With one of two addresses dead, no call fails after its ejection, not even when Envoy tries the address again", Run: addressDead},
			Case{Name: "time/addresses-dead", Guarantees: guarantee.ExplicitAccess, Expect: "Calls fail while both addresses are dead, and succeed after both are back", Run: addressesDead},
		),
	)
}

// load is the call that the scenario allows, so many times a second, on connections that stay open.
func (t *T) load(perSecond int) *stream {
	p := reviews("/reviews/0")
	p.Every, p.Reuse = time.Second/time.Duration(perSecond), true
	return t.stream("calls", productpage, p)
}

// withdrawn applies east with an ApplySet, as the quick start says, then what is left after east took consent back.
func withdrawn(t *T, program string, gone ...string) {
	t.restore()
	t.Restore(func(ctx context.Context) error {
		_, err := t.East.Kubectl(ctx, "", "-n", federation.Boundary, "delete", "configmap", "federation", "--ignore-not-found")
		return err
	})
	applySet(t, t.East, t.Files(t.Current(), "east")[0])
	t.Until(productpage, "200", reviews("/reviews/0"))

	load := t.load(50)
	t.pause(500 * time.Millisecond)
	began := time.Now()
	applySet(t, t.East, t.Files(program, "east")[0])
	applied := time.Now()
	for _, name := range gone {
		kind, name, _ := strings.Cut(name, " ")
		if _, err := t.East.Get(t.Context(), t.manifest(t.East, kind, name)); !apierrors.IsNotFound(err) {
			t.Errorf("%s %s is still there (%v)", kind, name, err)
		}
	}
	t.pause(1200 * time.Millisecond)
	refusedInTime(t, t.samples(load), began, applied)
	t.Want(outside, "refused | closed | reset | alert: *", toIngress(genuineWest)(t.Federation))
}

// refusedInTime notes when the last call got through, and demands that it was within a second after kubectl was done.
func refusedInTime(t *T, samples []traffic.Sample, began, applied time.Time) {
	var last time.Time
	after := 0
	for _, sample := range samples {
		if sample.Outcome != "200" {
			continue
		}
		if sample.At.After(applied) {
			after++
		}
		last = sample.At
	}
	others := otherThan(samples, "200")
	t.Logf("%d sent; kubectl took %.1f s; the last call that got through was asked %+.2f s from its end (%d after its end)",
		len(samples), applied.Sub(began).Seconds(), last.Sub(applied).Seconds(), after)
	if len(others) == 0 {
		t.Errorf("no call was refused")
		return
	}
	t.Logf("then %s", summarize(others, applied))
	if last.Sub(applied) > time.Second {
		t.Errorf("calls got through for %.1f s after kubectl was done", last.Sub(applied).Seconds())
	}
	if early := others[0].At; early.Before(began) {
		t.Errorf("a call failed before anything was changed: %s", others[0].Outcome)
	}
	if wrong := otherThan(others, "403 | 404 | 503"); len(wrong) > 0 {
		t.Errorf("refused otherwise than by 403, 404 or 503: %s", summarize(wrong, applied))
	}
}

func authorityDeleted(t *T) {
	t.answersAtTheEnd(productpage, reviews("/reviews/0"))
	t.oncePerConnection()
	load := t.load(20)
	t.withoutObjects(t.East, t.manifest(t.East, "ConfigMap", "fed-in-trust-west"))
	t.withoutObjects(t.West, t.manifest(t.West, "ConfigMap", "fed-out-trust"))
	t.pause(5 * time.Second)
	t.Want(outside, "200", toIngress(genuineWest)(t.Federation))
	t.Logf("5 s after both were deleted, on new connections")
	t.steady(load)
	t.Want(outside, "alert: *", toIngress(foreignCA(pki.Request{SpiffeID: egressID}))(t.Federation)) // what was lost is not "anybody"
}

func istiodAway(t *T) {
	t.answersAtTheEnd(productpage, reviews("/reviews/0"))
	t.oncePerConnection()
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
	load := t.load(30)
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
	t.pause(3 * time.Second)
	t.Must(back(t.Context()))
	t.pause(2 * time.Second)
	t.steady(load)
}

// gatewaysReplaced has two pods of each gateway, which is what the HorizontalPodAutoscaler sees to; the lab has none of its controllers.
func gatewaysReplaced(t *T) {
	t.answersAtTheEnd(productpage, reviews("/reviews/0"))
	gateways := []workload{t.ingress(), t.egress()}
	scale := func(ctx context.Context, replicas string) error {
		for _, g := range gateways {
			if _, err := g.mesh.Kubectl(ctx, "", "-n", federation.Boundary, "scale", "deployment/"+g.name(), "--replicas="+replicas); err != nil {
				return err
			}
		}
		for _, g := range gateways {
			if err := rolled(ctx, g.mesh, federation.Boundary, g.name()); err != nil {
				return err
			}
		}
		return nil
	}
	t.Restore(func(ctx context.Context) error { return scale(ctx, "1") })
	t.Must(scale(t.Context(), "2"))
	load := t.load(50)
	t.pause(time.Second)
	for _, g := range gateways {
		began := time.Now()
		_, err := g.mesh.Kubectl(t.Context(), "", "-n", federation.Boundary, "rollout", "restart", "deployment/"+g.name())
		t.Must(err)
		t.Must(rolled(t.Context(), g.mesh, federation.Boundary, g.name()))
		t.Logf("%s replaced in %.1f s", g.name(), time.Since(began).Seconds())
	}
	t.pause(2 * time.Second)
	t.steady(load)
}
