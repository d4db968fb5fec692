// Package bench measures the cost of a call through both boundary gateways, and over other paths to the same backend:
// requests a second and latency, for each protocol, with a few requests in flight and with many.
//
// All paths are measured in turn, round after round, so that other load on the machine affects all of them. The ratios
// are medians of pairs of one round.
package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Scenario is the program whose exports are measured, and namespace where callers and backends are.
const (
	Scenario  = "bench"
	namespace = "bench"
)

// Way from a caller to the backend.
type Way struct {
	Name   string
	Mesh   string // of the caller
	Caller string
	Host   string // what it dials, in the namespace
}

// Baselines are the paths with which the others are compared.
const (
	direct      = "direct"
	terminating = "two plain gateways"
	passing     = "pass-through pair"
)

var baselines = []string{direct, terminating, passing}

// Ways are the measured paths. Another one needs a line here, and a name that resolves to the backend.
var Ways = []Way{
	{direct, "east", "plain-client", "plain-backend"},     // no proxy at all
	{terminating, "west", "client", "terminating"},        // mutual TLS at both gateways, no policy
	{passing, "west", "client", "passing"},                // mutual TLS between the sidecars, the gateways copy bytes
	{"federation", "west", "client", "ours"},              // every method and path is granted
	{"federation, path rules", "west", "client", "ruled"}, // one method and one prefix, one gRPC service
}

// Protocol is the protocol of the requests to the backend.
type Protocol struct {
	Name  string
	Probe func(host string) traffic.Probe
}

// Protocols of the backend: 256 bytes over HTTP/1.1, one unary gRPC call, one line over TCP; all on connections that
// are reused.
var Protocols = []Protocol{
	{"HTTP/1.1", func(host string) traffic.Probe {
		return traffic.Probe{URL: "http://" + host + ":8080/bench/0?bytes=256"}
	}},
	{"gRPC", func(host string) traffic.Probe {
		return traffic.Probe{Kind: "grpc", URL: "http://" + host + ":9090/lab.Echo/Any", Body: "a question of some length"}
	}},
	{"TCP", func(host string) traffic.Probe {
		return traffic.Probe{Kind: "line", URL: "tcp://" + host + ":7001", Body: "a question of some length\n"}
	}},
}

// InFlight is how many requests wait for an answer at any time.
var InFlight = []int{1, 16, 64}

// Effort is how long and how often everything is measured.
type Effort struct {
	Rounds      int
	WarmUp, For time.Duration
}

// The whole effort takes about four minutes, the quick one less than one, besides the start of the lab.
var (
	Whole = Effort{Rounds: 3, WarmUp: 300 * time.Millisecond, For: time.Second}
	Quick = Effort{Rounds: 1, WarmUp: 200 * time.Millisecond, For: 500 * time.Millisecond}
)

// Cell is what is measured once in each round.
type Cell struct {
	Protocol string
	InFlight int
	Way      string
}

// Results are the loads of each cell, round by round.
type Results map[Cell][]traffic.Load

// Run measures all ways.
func Run(ctx context.Context, f *federation.Federation, effort Effort, say func(string, ...any)) (results Results, err error) {
	if err := f.Add(ctx, Scenario); err != nil {
		return nil, err
	}
	if err := f.Use(ctx, Scenario); err != nil {
		return nil, err
	}
	back, err := put(ctx, f)
	defer func() {
		if failed := back(context.WithoutCancel(ctx)); failed != nil && err == nil {
			err = failed
		}
	}()
	if err != nil {
		return nil, err
	}
	if err := answer(ctx, f); err != nil {
		return nil, err
	}
	say("all paths reach the backend")
	results = Results{}
	for round := range effort.Rounds {
		for _, protocol := range Protocols {
			for _, inFlight := range InFlight {
				for i := range Ways {
					way := Ways[(i+round)%len(Ways)] // none is always the first one
					load, err := measure(ctx, f, way, protocol, traffic.Steady{InFlight: inFlight, WarmUp: effort.WarmUp, For: effort.For})
					if err != nil {
						return nil, err
					}
					cell := Cell{protocol.Name, inFlight, way.Name}
					results[cell] = append(results[cell], load)
				}
			}
		}
		say("round %d of %d", round+1, effort.Rounds)
	}
	return results, nil
}

// answer waits until every way works for every protocol.
func answer(ctx context.Context, f *federation.Federation) error {
	for _, way := range Ways {
		for _, protocol := range Protocols {
			if err := mesh.Wait(ctx, time.Minute, func() error {
				got, err := way.ask(ctx, f, protocol.Probe(way.Host))
				if outcome := got.Outcome(); err == nil && outcome != "200" && outcome != "OK" && outcome != "open" {
					err = fmt.Errorf("%s over %s: %s", way.Name, protocol.Name, outcome)
				}
				return err
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w Way) ask(ctx context.Context, f *federation.Federation, p traffic.Probe) (traffic.Answer, error) {
	answers, err := f.Mesh(w.Mesh).Probe(ctx, namespace+"/"+w.Caller, p)
	if err != nil {
		return traffic.Answer{}, err
	}
	return answers[0], nil
}

func measure(ctx context.Context, f *federation.Federation, way Way, protocol Protocol, steady traffic.Steady) (traffic.Load, error) {
	p := protocol.Probe(way.Host)
	p.Steady = &steady
	got, err := way.ask(ctx, f, p)
	if err != nil {
		return traffic.Load{}, err
	}
	if load := got.Load; load.Requests > 0 && len(load.Failed) == 0 {
		return *load, nil
	}
	return traffic.Load{}, fmt.Errorf("%s over %s with %d in flight: %+v", way.Name, protocol.Name, steady.InFlight, *got.Load)
}
