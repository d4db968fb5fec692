package timing

import (
	"context"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// west is reached at two static addresses in the scenario both-directions, and at a name that has both in the scenario
// balancer-name.
var westAddresses = []string{"203.0.113.10", "203.0.113.11"}

var eastReviews = Caller("east", "default/reviews")

// detailsCall is the call that east makes there. A connection to an unreachable address times out after 2 s.
func detailsCall() traffic.Probe {
	return traffic.Probe{URL: "http://details.catalogue:9080/details/0", Timeout: 4 * time.Second}
}

// addressDead lasts long enough for the dead address to come back on trial more than once.
func addressDead(t *T) {
	p := detailsCall()
	p.Every = time.Second / 20
	t.Restore(func(context.Context) error { return t.Lab.Mend("west", westAddresses[1]) })
	load := t.Stream("calls", eastReviews, p)
	t.Pause(time.Second)
	cut := time.Now()
	t.Must(t.Lab.Cut("west", westAddresses[1]))
	t.Pause(35 * time.Second)
	t.Must(t.Lab.Mend("west", westAddresses[1]))
	t.Pause(time.Second)
	samples := t.Samples(load)
	failed, noticed := OtherThan(samples, "200"), 0
	for _, sample := range samples {
		if sample.Took > time.Second {
			noticed++
		}
	}
	t.Logf("%d sent, %d failed, %d took more than a second", len(samples), len(failed), noticed)
	if noticed == 0 {
		t.Errorf("no call was affected by the unreachable address: it was not in use")
	}
	if len(failed) > 0 {
		t.Logf("%s after one of two addresses died", Summarize(failed, cut))
		if last := failed[len(failed)-1].At.Sub(cut); last > 4*time.Second {
			t.Errorf("a call failed that began %.1f s after the address died", last.Seconds())
		}
	}
}

func addressesDead(t *T) {
	t.AnswersAtTheEnd(eastReviews, detailsCall())
	for _, address := range westAddresses {
		t.Restore(func(context.Context) error { return t.Lab.Mend("west", address) })
		t.Must(t.Lab.Cut("west", address))
	}
	t.Want(eastReviews, "503 | 504 | timeout", detailsCall())
	for _, address := range westAddresses {
		t.Must(t.Lab.Mend("west", address))
	}
	t.Logf("200 %.1f s after both addresses are back", t.Until(eastReviews, "200", detailsCall()).Seconds())
}
