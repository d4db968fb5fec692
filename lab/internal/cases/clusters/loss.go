package clusters

import (
	"context"
	"os"
	"slices"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// ownClusterFirst applies the rule that the how-to recommends to owners of exported services, in both clusters.
func ownClusterFirst(t *T) {
	rule, err := os.ReadFile(t.Page("how-to/own-cluster-first.yaml"))
	t.Must(err)
	for _, m := range []*mesh.Mesh{t.West, t.West2} {
		t.Put(m, string(rule))
	}
	t.Pause(2 * time.Second)
}

// lose makes the second cluster unreachable for a while, under load from the peer and from callers in the first cluster.
func lose(t *T, wait func()) (fromPeer, fromFirst []traffic.Sample, at time.Time) {
	t.Must(bothAddressesServe(t.Context(), t))
	regained := false
	t.Restore(func(ctx context.Context) error {
		if !regained {
			if err := t.Lab.Regain(t.West2.Name); err != nil {
				return err
			}
		}
		return bothAddressesServe(ctx, t)
	})
	peer := t.Stream("calls of the peer", Backend, traffic.Probe{URL: detailsURL, Timeout: 15 * time.Second, Every: time.Second / 20})
	first := t.Stream("calls of the first cluster", Productpage, traffic.Probe{URL: reviewsURL, Timeout: 15 * time.Second, Every: time.Second / 20})
	t.Pause(2 * time.Second)
	at = time.Now()
	t.Must(t.Lab.Lose(t.West2.Name))
	wait()
	fromPeer, fromFirst = t.Samples(peer), t.Samples(first)
	t.Must(t.Lab.Regain(t.West2.Name))
	regained = true
	t.Must(mesh.Wait(t.Context(), 30*time.Second, func() error { // connections from before the loss fail first
		_, err := t.West2.Root(t.Context())
		return err
	}))
	return fromPeer, fromFirst, at
}

func lost(t *T) {
	ownClusterFirst(t)
	fromPeer, fromFirst, at := lose(t, func() { t.Pause(40 * time.Second) })
	failed := OtherThan(fromPeer, "200")
	t.Logf("peer: %d sent, %d failed", len(fromPeer), len(failed))
	if len(failed) == 0 {
		t.Errorf("the loss cost no call: the cluster was not in use")
		return
	}
	t.Logf("%s after the loss", Summarize(failed, at))
	if last := failed[len(failed)-1].At.Sub(at); last > 4*time.Second {
		t.Errorf("a call failed that began %.1f s after the loss", last.Seconds())
	}
	others := OtherThan(fromFirst, "200")
	t.Logf("callers of the first cluster: %d sent, %d failed", len(fromFirst), len(others))
	if len(others) > 0 {
		t.Errorf("callers of the first cluster: %s after the loss", Summarize(others, at))
	}
}

// lostWithoutRule shows what the how-to warns of. That it goes on is not an error, but the page must stay true.
func lostWithoutRule(t *T) {
	var forgotten time.Time
	fromPeer, _, at := lose(t, func() {
		t.Pause(25 * time.Second)
		t.Restore(t.RememberCluster)
		t.Must(t.ForgetCluster(t.Context()))
		forgotten = time.Now()
		t.Pause(15 * time.Second)
	})
	between := func(samples []traffic.Sample, from, to time.Time) []traffic.Sample {
		return slices.DeleteFunc(slices.Clone(samples), func(sample traffic.Sample) bool { return sample.At.Before(from) || sample.At.After(to) })
	}
	settled := at.Add(5 * time.Second)
	sent, failed := between(fromPeer, settled, forgotten), between(OtherThan(fromPeer, "200"), settled, forgotten)
	t.Logf("from 5 s after the loss: %d sent, %d failed", len(sent), len(failed))
	if len(failed) == 0 {
		t.Errorf("no call failed later than 5 s after the loss: the warning in docs/how-to/several-clusters.md is wrong")
	}
	sent, failed = between(fromPeer, forgotten, time.Now()), between(OtherThan(fromPeer, "200"), forgotten, time.Now())
	t.Logf("after the remote Secret is deleted: %d sent, %d failed", len(sent), len(failed))
	if len(failed) == 0 {
		return
	}
	t.Logf("%s after it is deleted", Summarize(failed, forgotten))
	if last := failed[len(failed)-1].At.Sub(forgotten); last > 3*time.Second {
		t.Errorf("a call failed that began %.1f s after Istio forgot the cluster", last.Seconds())
	}
}
