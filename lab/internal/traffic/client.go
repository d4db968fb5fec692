package traffic

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Do runs all probes at once and answers in the same order. Probes that have no end of their own run until the context
// ends; it also cuts off whatever else is still under way.
func Do(ctx context.Context, probes []Probe) []Answer { return do(ctx, nil, probes) }

// RunProbe reads an array of probes from in and writes the answers to out. Probes with Every and without For go on
// until in is at its end: no new request begins then, and those under way are waited for.
func RunProbe(in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(in)
	var probes []Probe
	if err := decoder.Decode(&probes); err != nil {
		return fmt.Errorf("probes: %w", err)
	}
	stop := make(chan struct{})
	go func() {
		io.Copy(io.Discard, in)
		close(stop)
	}()
	return json.NewEncoder(out).Encode(do(context.Background(), stop, probes))
}

func do(ctx context.Context, stop <-chan struct{}, probes []Probe) []Answer {
	answers := make([]Answer, len(probes))
	var all sync.WaitGroup
	for i, probe := range probes {
		all.Go(func() {
			if probe.repeats() {
				answers[i] = repeat(ctx, stop, probe)
			} else {
				answers[i] = once(ctx, probe, nil)
			}
		})
	}
	all.Wait()
	return answers
}

// once runs the probe on a connection of its own.
func once(ctx context.Context, p Probe, sessions *lastSession) Answer {
	ctx, cancel := context.WithTimeout(ctx, p.timeout())
	defer cancel()
	c, answer := connect(ctx, p, sessions)
	if c == nil {
		return answer
	}
	defer c.Close()
	return c.converse(ctx, p)
}

// UsualTimeout is the default time limit of a probe.
const UsualTimeout = 5 * time.Second

func (p Probe) timeout() time.Duration {
	if p.Timeout > 0 {
		return p.Timeout
	}
	return UsualTimeout
}
