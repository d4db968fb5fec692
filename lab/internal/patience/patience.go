// Package patience prolongs waiting limits by the load of this machine: what takes a second on an idle core takes
// several when several processes want that core.
//
// A wait that can check the time repeatedly has a Budget, or a context of WithTimeout. Both spend the limit more slowly
// while the machine is busy, at any time of the wait. Of returns one limit in advance.
package patience

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// most is the factor that no load exceeds, so that a wait for something that never happens ends.
const most = 10.0

// Of is a waiting limit as it is at this moment: once to ten times as long as on an idle machine.
func Of(limit time.Duration) time.Duration {
	return time.Duration(float64(limit) * now()).Round(time.Millisecond)
}

// Longest is what a limit can become: for programs that take one number, under a context of WithTimeout.
func Longest(limit time.Duration) time.Duration { return time.Duration(float64(limit) * most) }

// Busy reports whether more processes needed a core during the last minute than there are cores. Figures that depend on
// time are then not reliable.
func Busy() bool { return average(loadavg(), cores()) > 1 }

// Budget is a limit that is spent at the speed of an idle machine: while four processes want each core, four seconds
// spend one.
type Budget struct {
	limit, spent time.Duration
	began, last  time.Time
	factor       func() float64
	clock        func() time.Time
}

// Start begins a wait.
func Start(limit time.Duration) *Budget { return start(limit, now, time.Now) }

func start(limit time.Duration, factor func() float64, clock func() time.Time) *Budget {
	return &Budget{limit: limit, began: clock(), last: clock(), factor: factor, clock: clock}
}

// Spent reports whether the limit is used up. It counts the time since the previous call, so it must be called
// repeatedly.
func (b *Budget) Spent() bool {
	moment := b.clock()
	b.spent += time.Duration(float64(moment.Sub(b.last)) / b.factor())
	b.last = moment
	return b.spent >= b.limit
}

// Waited is how much time has passed on the clock.
func (b *Budget) Waited() time.Duration { return b.clock().Sub(b.began) }

// WithTimeout is context.WithTimeout with a limit that is spent like a Budget.
func WithTimeout(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return withTimeout(ctx, Start(limit), min(limit/20, time.Second))
}

func withTimeout(parent context.Context, budget *Budget, every time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(max(every, time.Millisecond))
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-done:
				return
			case <-ticker.C:
				if budget.Spent() {
					cancel(context.DeadlineExceeded)
					return
				}
			}
		}
	}()
	var once sync.Once
	return ctx, func() { once.Do(func() { close(done) }); cancel(context.Canceled) }
}

// now is the factor at this moment. The average lags behind by a minute, the processes that run at this moment jump:
// the larger one counts.
func now() float64 {
	text, n := loadavg(), cores()
	return min(max(average(text, n), running(text, n), 1), most)
}

// cores that this process may use: fewer than the machine has when a container limits them.
func cores() int { return min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) }

func loadavg() string {
	text, _ := os.ReadFile("/proc/loadavg") // without it, a machine counts as idle
	return string(text)
}

// average reads the content of /proc/loadavg: the processes that wanted a core during the last minute, for each core.
func average(loadavg string, cores int) float64 {
	first, _, _ := strings.Cut(loadavg, " ")
	return perCore(first, cores)
}

// running reads the processes that want a core at this moment, for each core.
func running(loadavg string, cores int) float64 {
	fields := strings.Fields(loadavg)
	if len(fields) < 4 {
		return 0
	}
	wanting, _, _ := strings.Cut(fields[3], "/")
	return perCore(wanting, cores)
}

func perCore(text string, cores int) float64 {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return number / float64(cores)
}
