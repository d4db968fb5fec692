package traffic

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Steady is a load with a fixed number of requests in flight: each worker has its own connection, sends a request,
// waits for the answer and repeats. The warm-up begins when every worker has received its first answer, or timed out,
// so no connection is opened during the measurement. Requests of the warm-up are not counted either.
type Steady struct {
	InFlight int           `json:"inFlight"`
	WarmUp   time.Duration `json:"warmUp,omitempty"`
	For      time.Duration `json:"for"`
}

// Load is what came of a Steady probe.
type Load struct {
	Requests int            `json:"requests"`         // that were answered
	Failed   map[string]int `json:"failed,omitempty"` // by outcome
	Took     time.Duration  `json:"took"`             // from the end of the warm-up to the last answer
	P50      time.Duration  `json:"p50"`
	P99      time.Duration  `json:"p99"`
}

// Rate is requests a second.
func (l Load) Rate() float64 {
	if l.Took == 0 {
		return 0
	}
	return float64(l.Requests) / l.Took.Seconds()
}

// mostRequests bounds a load in count, for all workers together.
const mostRequests = 500_000

// steady runs the load of a probe. The answer is one of a worker's, with Load for all of them.
func steady(ctx context.Context, p Probe) Answer {
	workers := make([]worker, p.Steady.InFlight)
	var all sync.WaitGroup
	for i := range workers {
		workers[i] = worker{kept: &keptConnection{turn: make(chan struct{}, 1), brief: true}, failed: map[string]int{}}
		defer workers[i].kept.close()
		all.Go(func() { workers[i].kept.ask(ctx, p) })
	}
	all.Wait()
	began := time.Now().Add(p.Steady.WarmUp)
	over := began.Add(p.Steady.For)
	for i := range workers {
		all.Go(func() { workers[i].run(ctx, p, began, over, mostRequests/len(workers)) })
	}
	all.Wait()
	load := Load{Took: time.Since(began), Failed: map[string]int{}}
	var took []time.Duration
	for _, w := range workers {
		took = append(took, w.took...)
		for outcome, times := range w.failed {
			load.Failed[outcome] += times
		}
	}
	slices.Sort(took)
	load.Requests, load.P50, load.P99 = len(took), quantile(took, 0.5), quantile(took, 0.99)
	answer := workers[0].last
	answer.Load = &load
	return answer
}

// quantile of sorted values.
func quantile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// worker sends requests on one connection.
type worker struct {
	kept   *keptConnection
	took   []time.Duration
	failed map[string]int
	last   Answer
}

// failurePause prevents a worker from filling a log when no server answers.
const failurePause = 20 * time.Millisecond

func (w *worker) run(ctx context.Context, p Probe, began, over time.Time, most int) {
	for ctx.Err() == nil && len(w.took) < most {
		at := time.Now()
		if at.After(over) {
			return
		}
		w.last = w.kept.ask(ctx, p)
		took := time.Since(at)
		if good := w.last.Error == "" && (w.last.GRPC == "OK" || w.last.GRPC == "" && (w.last.Status == 200 || w.last.Status == 0)); !good {
			if !at.Before(began) {
				w.failed[w.last.Outcome()]++
			}
			time.Sleep(failurePause)
		} else if !at.Before(began) {
			w.took = append(w.took, took)
		}
	}
}

// briefly is the client of a protocol when only the time is measured: it ignores the body. Nil means the usual client.
func (c *connection) briefly(p Probe) func(context.Context, Probe) Answer {
	switch p.Kind {
	case "", "http":
		request := p.http1Request()
		return func(ctx context.Context, p Probe) Answer { return c.http1Briefly(ctx, p, request) }
	case "line":
		return c.line
	}
	return nil
}

func (c *connection) http1Briefly(ctx context.Context, p Probe, request []byte) Answer {
	if _, err := c.Write(request); err != nil {
		return Answer{}.failed(ctx, err)
	}
	response, err := http.ReadResponse(c.reader, &http.Request{Method: p.method()})
	if err != nil {
		return Answer{}.failed(ctx, err)
	}
	c.spent = response.Close
	answer := Answer{Status: response.StatusCode, Proto: response.Proto}
	answer.Bytes, err = io.Copy(io.Discard, response.Body)
	if err != nil {
		return answer.failed(ctx, err)
	}
	return answer
}

// line writes the body, which ends with a newline, and reads one line.
func (c *connection) line(ctx context.Context, p Probe) Answer {
	answer := c.facts
	if !bytes.HasSuffix([]byte(p.Body), []byte("\n")) {
		return answer.failed(ctx, fmt.Errorf("the body is no line: %q", p.Body))
	}
	if _, err := c.Write([]byte(p.Body)); err != nil {
		return answer.failed(ctx, err)
	}
	line, err := c.reader.ReadString('\n')
	if err != nil {
		return answer.failed(ctx, err)
	}
	answer.Body, answer.Bytes = line, int64(len(line))
	return answer
}
