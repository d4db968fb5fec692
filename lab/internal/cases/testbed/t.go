package testbed

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// longest is how long a case may run on an idle machine.
const longest = 4 * time.Minute

// T is handed to a case while it runs. The methods that testing.TB has as well do the same here: a case is no Go test,
// since it needs meshes on which its scenario is applied, and ends with a row of a table.
type T struct {
	*federation.Federation
	name     string
	ctx      context.Context
	settle   func(context.Context) error // waits until the scenario is in effect
	mutex    sync.Mutex
	seen     []string
	failures []string
	cleanup  []func(context.Context) error
}

// NewT is for what needs the methods of T outside of a case.
func NewT(ctx context.Context, f *federation.Federation) *T { return &T{Federation: f, ctx: ctx} }

// endOfCase ends a case from inside.
type endOfCase struct{}

// Name of the case.
func (t *T) Name() string { return t.name }

// Context ends when the time of the case is over.
func (t *T) Context() context.Context { return t.ctx }

// Helper does nothing: failures have no line numbers.
func (t *T) Helper() {}

// Logf notes what happened, for the table.
func (t *T) Logf(format string, args ...any) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.seen = append(t.seen, fmt.Sprintf(format, args...))
}

// Errorf notes a failure; the case goes on.
func (t *T) Errorf(format string, args ...any) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.failures = append(t.failures, fmt.Sprintf(format, args...))
}

// Fatalf notes a failure and ends the case.
func (t *T) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	t.FailNow()
}

// Failed reports whether a failure was noted.
func (t *T) Failed() bool { return len(t.Failures()) > 0 }

// FailNow ends the case. What called it must be the goroutine of the case.
func (t *T) FailNow() { panic(endOfCase{}) }

// Failures that were noted so far.
func (t *T) Failures() []string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return slices.Clone(t.failures)
}

// KeepFailures forgets all failures but the first ones, and notes how many those were.
func (t *T) KeepFailures(most int) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if left := len(t.failures) - most; left > 0 {
		t.failures = append(t.failures[:most], fmt.Sprintf("%d more", left))
	}
}

// Cleanup runs when the case is over, the last one first.
func (t *T) Cleanup(run func()) {
	t.Restore(func(context.Context) error { run(); return nil })
}

// Restore is Cleanup for what takes a context and can fail. The context outlives the time of the case.
func (t *T) Restore(run func(context.Context) error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.cleanup = append(t.cleanup, run)
}

// Must ends the case with an error, if there is one.
func (t *T) Must(err error) {
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// Put applies objects for as long as the case runs.
func (t *T) Put(m *mesh.Mesh, text string) {
	objects := ParseObjects(t, text)
	t.Restore(func(ctx context.Context) error { return m.Delete(ctx, objects...) })
	t.Must(m.Put(t.Context(), objects...))
}

// Reapply applies the scenario once more and waits until it is ready: for the clean-up of cases that have changed
// something.
func (t *T) Reapply(ctx context.Context) error {
	if err := t.Federation.Again(ctx); err != nil {
		return err
	}
	return t.settle(ctx)
}

// Try sends probes and returns the answers.
func (t *T) Try(from From, probes ...traffic.Probe) []traffic.Answer {
	answers, err := Probe(t.ctx, t.Federation, from, probes...)
	t.Must(err)
	return answers
}

// Want sends probes and compares their outcome.
func (t *T) Want(from From, want string, probes ...traffic.Probe) {
	t.Must(outcome.Check(want))
	for i, answer := range t.Try(from, probes...) {
		if got := answer.Outcome(); !outcome.Matches(got, want) {
			t.Errorf("%s %s from %s: %s, and not %s%s", probes[i].Method, probes[i].URL, from, got, want, Detail(answer))
		}
	}
}

// Until repeats a probe until it has the expected outcome, and returns how long that took.
func (t *T) Until(from From, want string, probe traffic.Probe) time.Duration {
	began := time.Now()
	t.Must(WaitUntil(t.ctx, t.Federation, from, want, probe))
	return time.Since(began)
}

// Run plays one case; settle waits until the scenario is in effect once more after a case has changed it.
func Run(ctx context.Context, f *federation.Federation, c Case, settle func(context.Context) error) Result {
	ctx, cancel := patience.WithTimeout(ctx, longest)
	defer cancel()
	began := time.Now()
	t := &T{Federation: f, name: c.Name, ctx: ctx, settle: settle}
	if err := Safely(func() error { c.Run(t); return nil }); err != nil {
		t.Errorf("%v", err)
	}
	for _, restore := range slices.Backward(t.cleanup) {
		if err := Safely(func() error { return restore(context.WithoutCancel(ctx)) }); err != nil {
			t.Errorf("clean-up: %v", err)
		}
	}
	return Result{Case: c, Seen: strings.Join(t.seen, "; "), Failures: t.Failures(), Took: time.Since(began)}
}

// Safely turns a panic into an error, so that labs are removed whatever a case does. The panic of FailNow is no error.
func Safely(run func() error) (err error) {
	defer func() {
		switch caught := recover().(type) {
		case nil, endOfCase:
		default:
			err = fmt.Errorf("panic: %v\n%s", caught, debug.Stack())
		}
	}()
	return run()
}
