package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
)

// stage applies scenarios to one lab, one at a time. A scenario that fails affects only its own cases: it is applied
// once more, and its error is stored for later requests.
type stage struct {
	// prepare applies a scenario, unless it is the current one, and waits until its allowed calls succeed.
	prepare func(ctx context.Context, scenario string) error
	failed  map[string]error
}

// use applies a scenario. When it failed before, the error is short: the first request had the reason.
func (s *stage) use(ctx context.Context, scenario string) error {
	if s.failed[scenario] != nil {
		return fmt.Errorf("scenario %s failed before: %s", scenario, firstLine(s.failed[scenario]))
	}
	err := s.prepare(ctx, scenario)
	if err == nil || ctx.Err() != nil {
		return err
	}
	say("scenario %s failed and is applied once more: %v", scenario, err)
	if err = s.prepare(ctx, scenario); err == nil || ctx.Err() != nil {
		return err
	}
	if s.failed == nil {
		s.failed = map[string]error{}
	}
	s.failed[scenario] = err
	return err
}

// prepared returns the function that applies a scenario to the meshes of a lab.
func prepared(f *federation.Federation) func(context.Context, string) error {
	return func(ctx context.Context, scenario string) error {
		if f.Settled == scenario && f.Current() == scenario {
			return nil
		}
		began := time.Now()
		if err := f.Use(ctx, scenario); err != nil {
			return err
		}
		if err := cases.Settle(ctx, f, scenario); err != nil {
			f.Forget()
			return err
		}
		f.Settled = scenario
		say("     scenario %-37s is ready after %.1f s", scenario, time.Since(began).Seconds())
		return nil
	}
}
