package traffic

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// inFlight is how many requests of one probe may wait for an answer.
const inFlight = 64

func (p Probe) repeats() bool { return p.Steady != nil || p.Every > 0 || p.For > 0 || p.Times > 0 }

// repeat runs the probe many times. Stop ends only a probe that has Every and no end of its own.
func repeat(ctx context.Context, stop <-chan struct{}, p Probe) Answer {
	if p.Steady != nil {
		return steady(ctx, p)
	}
	ask := func() Answer { return once(ctx, p, nil) }
	if p.Reuse {
		kept := &keptConnection{turn: make(chan struct{}, 1)}
		defer kept.close()
		ask = func() Answer { return kept.ask(ctx, p) }
	}
	over, cancel := context.WithCancel(ctx)
	defer cancel()
	switch {
	case p.For > 0:
		time.AfterFunc(p.For, cancel)
	case p.Every > 0:
		go func() {
			select {
			case <-stop:
				cancel()
			case <-over.Done():
			}
		}()
	}

	var all samples
	slots := make(chan struct{}, inFlight)
	next := ticks(over, p.Every)
	for n := 0; p.Times == 0 || n < p.Times; n++ {
		if n > 0 && !next() {
			break
		}
		slots <- struct{}{}
		at := time.Now()
		all.waiting.Go(func() {
			all.add(ctx, at, ask())
			<-slots
		})
		if p.Every == 0 {
			all.waiting.Wait()
		}
	}
	return all.answer()
}

// ticks waits for the time of the next request, and reports whether there is one. Ticks are dropped while nobody waits
// for them, or while too many requests are in flight.
func ticks(over context.Context, every time.Duration) func() bool {
	if every == 0 {
		return func() bool { return over.Err() == nil }
	}
	ticker := time.NewTicker(every)
	context.AfterFunc(over, ticker.Stop)
	return func() bool {
		select {
		case <-ticker.C:
			return over.Err() == nil
		case <-over.Done():
			return false
		}
	}
}

// samples gathers answers as they come.
type samples struct {
	waiting sync.WaitGroup
	lock    sync.Mutex
	list    []Sample
	last    Answer
}

// add omits interrupted requests, which contain no information about the server.
func (s *samples) add(ctx context.Context, at time.Time, answer Answer) {
	if ctx.Err() != nil && answer.Error != "" {
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.list = append(s.list, Sample{At: at, Took: time.Since(at), Outcome: answer.Outcome(), Pod: answer.pod()})
	s.last = answer
}

func (s *samples) answer() Answer {
	s.waiting.Wait()
	slices.SortStableFunc(s.list, func(a, b Sample) int { return a.At.Compare(b.At) })
	s.last.Samples = s.list
	return s.last
}

// pod is the server that answered, if it was the one of this package.
func (a Answer) pod() string {
	if a.Seen != nil {
		return a.Seen.Pod
	}
	if a.GRPC == "OK" || a.Status == 101 {
		if pod, _, found := strings.Cut(a.Body, ": "); found {
			return pod
		}
	}
	return ""
}

// keptConnection sends one request after the other, and reconnects after one that failed.
type keptConnection struct {
	turn  chan struct{}
	brief bool // only the time counts
	*connection
}

func (k *keptConnection) ask(ctx context.Context, p Probe) Answer {
	ctx, cancel := context.WithTimeout(ctx, p.timeout())
	defer cancel()
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return Answer{}.failed(ctx, ctx.Err())
	}
	if k.connection == nil {
		var answer Answer
		if k.connection, answer = connect(ctx, p, nil); k.connection == nil {
			return answer
		}
		if k.brief {
			k.speakBriefly(p)
		}
	}
	answer := k.converse(ctx, p)
	if answer.Error != "" || k.spent {
		k.close()
	}
	return answer
}

func (k *keptConnection) speakBriefly(p Probe) {
	if brief := k.briefly(p); brief != nil {
		k.exchange = brief
	}
}

func (k *keptConnection) close() {
	if k.connection != nil {
		k.connection.Close()
		k.connection = nil
	}
}
