package testbed

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

func Probe(ctx context.Context, f *federation.Federation, from From, probes ...traffic.Probe) ([]traffic.Answer, error) {
	if from.Mesh == "" {
		return f.Outside(probes...)
	}
	return f.Mesh(from.Mesh).Probe(ctx, from.Workload, probes...)
}

// WaitUntil sends a probe until it has the outcome.
func WaitUntil(ctx context.Context, f *federation.Federation, from From, want string, p traffic.Probe) error {
	return waitUntil(ctx, f, from, want, p, 1)
}

// WaitUntilAlways waits until each of eight probes has the outcome. Gateways reuse connections, and those that began
// before a change end one after the other: a single probe may have taken a new one.
func WaitUntilAlways(ctx context.Context, f *federation.Federation, from From, want string, p traffic.Probe) error {
	return waitUntil(ctx, f, from, want, p, 8)
}

func waitUntil(ctx context.Context, f *federation.Federation, from From, want string, p traffic.Probe, times int) error {
	if err := outcome.Check(want); err != nil {
		return err
	}
	timeIsOurs := p.Timeout == 0 && !slices.Contains(outcome.Alternatives(want), outcome.Timeout)
	return mesh.Wait(ctx, time.Minute, func() error {
		if timeIsOurs { // an answer that is late on a busy machine is no time-out
			p.Timeout = patience.Of(traffic.UsualTimeout)
		}
		answers, err := Probe(ctx, f, from, slices.Repeat([]traffic.Probe{p}, times)...)
		if err != nil {
			return err
		}
		for _, answer := range answers {
			if !outcome.Matches(answer.Outcome(), want) {
				return fmt.Errorf("%s from %s: %s, and not %s%s", p.URL, from, answer.Outcome(), want, Detail(answer))
			}
		}
		return nil
	})
}

func Detail(answer traffic.Answer) string {
	text := answer.Error
	if text == "" {
		text = strings.TrimSpace(answer.Body)
	}
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}
