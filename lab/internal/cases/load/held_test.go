package load

import (
	"strings"
	"testing"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

func TestWhatEndedIsAscribedToTheLastChangeOrToTheOneThatBeganTheDrain(t *testing.T) {
	began := time.Now()
	revisions := []*revision{{what: "first", at: began}, {what: "second", at: began.Add(10 * time.Second)}}
	for _, one := range []struct {
		after       time.Duration
		last, since string
	}{
		{-time.Second, "nothing", "nothing"},
		{11 * time.Second, "second", "nothing"},
		{drains + time.Second, "second", "first"},
		{drains + 11*time.Second, "second", "second"},
	} {
		got := culprit(began.Add(one.after), revisions)
		if !strings.Contains(got, `after "`+one.last) || !strings.Contains(got, `since "`+one.since) {
			t.Errorf("%s later: %s", one.after, got)
		}
	}
}

func TestConnectionsThatMissALineAreNotAlive(t *testing.T) {
	now := time.Now()
	c := &T{}
	ended := alive(c, []traffic.Held{
		{Kind: "tcp", Opened: now, Sent: 5, Received: 5}, {Kind: "tcp", Opened: now, Sent: 5, Received: 4}, // alive
		{Kind: "tcp", Opened: now, Sent: 5, Received: 3}, {Kind: "grpc", Opened: now, Ended: now, Sent: 5, Received: 5}, {Kind: "websocket", Ended: now, Why: "refused"},
	}, nil)
	if ended != 3 {
		t.Errorf("%d ended", ended)
	}
}

func TestThePercentileIsOneOfTheSamples(t *testing.T) {
	var samples []traffic.Sample
	for i := range 200 {
		samples = append(samples, traffic.Sample{Took: time.Duration(200-i) * time.Millisecond})
	}
	for share, want := range map[float64]time.Duration{0: time.Millisecond, 0.5: 101 * time.Millisecond, 0.99: 199 * time.Millisecond, 1: 200 * time.Millisecond} {
		if got := percentile(samples, share); got != want {
			t.Errorf("%v: %s, and not %s", share, got, want)
		}
	}
}
