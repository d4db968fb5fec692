package testbed

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// Both have these methods, so a case reads like a Go test.
var _ = []interface {
	Name() string
	Context() context.Context
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Failed() bool
	FailNow()
	Cleanup(run func())
}{(*testing.T)(nil), (*T)(nil)}

func played(body func(*T)) Result {
	return Run(context.Background(), nil, Case{Name: "group/name", Run: body}, nil)
}

func TestACaseGoesOnAfterErrorfAndEndsWithFatalf(t *testing.T) {
	result := played(func(c *T) {
		c.Errorf("first in %s", c.Name())
		c.Fatalf("second")
		c.Errorf("third")
	})
	if !slices.Equal(result.Failures, []string{"first in group/name", "second"}) {
		t.Errorf("failures: %q", result.Failures)
	}
}

func TestCleanUpRunsInReverseOrderWhateverHappened(t *testing.T) {
	var order []string
	result := played(func(c *T) {
		c.Cleanup(func() { order = append(order, "first") })
		c.Restore(func(context.Context) error { order = append(order, "second"); return errors.New("it stays") })
		c.Logf("as far as here")
		panic("unexpected")
	})
	if !slices.Equal(order, []string{"second", "first"}) || len(result.Failures) != 2 || result.Failures[1] != "clean-up: it stays" {
		t.Errorf("order %q, failures %q", order, result.Failures)
	}
	if result.Seen != "as far as here" || result.OK() {
		t.Errorf("the result is %+v", result)
	}
}

func TestOnlyTheFirstFailuresAreKept(t *testing.T) {
	result := played(func(c *T) {
		for range 5 {
			c.Errorf("one")
		}
		c.KeepFailures(3)
	})
	if !slices.Equal(result.Failures, []string{"one", "one", "one", "2 more"}) {
		t.Errorf("failures: %q", result.Failures)
	}
}
