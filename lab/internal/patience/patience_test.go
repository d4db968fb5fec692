package patience

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLoadIsReadForEachCore(t *testing.T) {
	for loadavg, want := range map[string][2]float64{
		"0.10 0.2 0.3 1/100 200\n": {0.05, 0.5},
		"2.00 9.0 9.0 2/100 200\n": {1, 1},
		"11.0 0.2 0.3 7/100 200\n": {5.5, 3.5},
		"":                         {0, 0},
		"nonsense":                 {0, 0},
	} {
		if got := [2]float64{average(loadavg, 2), running(loadavg, 2)}; got != want {
			t.Errorf("%q: %v, not %v", loadavg, got, want)
		}
	}
}

func TestALimitIsNeverShortenedAndAlwaysBounded(t *testing.T) {
	if got := Of(time.Minute); got < time.Minute || got > Longest(time.Minute) {
		t.Errorf("one minute became %s", got)
	}
}

// machine has a clock that only advances explicitly, and a load.
type machine struct {
	time time.Time
	load float64
}

func (m *machine) start(limit time.Duration) *Budget {
	return start(limit, func() float64 { return m.load }, func() time.Time { return m.time })
}

// lasts returns how long a budget lasts when it is checked every second.
func (m *machine) lasts(b *Budget) time.Duration {
	for !b.Spent() {
		m.time = m.time.Add(time.Second)
	}
	return b.Waited()
}

func TestAnIdleMachineSpendsABudgetByTheClock(t *testing.T) {
	m := machine{load: 1}
	if got := m.lasts(m.start(2 * time.Minute)); got != 2*time.Minute {
		t.Errorf("two minutes lasted %s", got)
	}
}

func TestABusyMachineSpendsABudgetMoreSlowly(t *testing.T) {
	m := machine{load: 5.5} // eleven processes on two cores
	if got := m.lasts(m.start(2 * time.Minute)); got < 10*time.Minute || got > 12*time.Minute {
		t.Errorf("two minutes lasted %s", got)
	}
}

// A wait that was delayed by an earlier load needs additional time, too. A limit that depends on the current load would
// ignore it.
func TestLoadCountsForTheTimeThatItLasted(t *testing.T) {
	m := machine{load: 10}
	b := m.start(2 * time.Minute)
	for range 110 {
		m.time = m.time.Add(time.Second)
		if b.Spent() {
			t.Fatalf("spent after %s of load", b.Waited())
		}
	}
	m.load = 1
	if got := m.lasts(b); got < 3*time.Minute+30*time.Second {
		t.Errorf("two minutes lasted %s", got)
	}
}

func TestAContextEndsWhenItsBudgetIsSpent(t *testing.T) {
	m := machine{load: 1}
	b := m.start(0)
	ctx, cancel := withTimeout(context.Background(), b, time.Millisecond)
	defer cancel()
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the context does not end")
	}
	if !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		t.Errorf("the cause is %v", context.Cause(ctx))
	}
}

func TestAContextEndsWithItsParentAndByItsCancelFunction(t *testing.T) {
	parent, end := context.WithCancel(context.Background())
	child, cancel := WithTimeout(parent, time.Hour)
	other, cancelOther := WithTimeout(context.Background(), time.Hour)
	defer cancel()
	end()
	<-child.Done()
	if other.Err() != nil {
		t.Error("a context ended with the parent of another context")
	}
	cancelOther()
	cancelOther() // twice does no harm
	<-other.Done()
	if !errors.Is(other.Err(), context.Canceled) {
		t.Errorf("the error is %v", other.Err())
	}
}

// Packages that wait until something is ready. In package traffic, time-outs are what is measured.
var waiting = []string{"bench", "cases", "federation", "growth", "kubelet", "lab", "mesh", "node"}

func TestNoWaitForReadinessHasAFixedLimit(t *testing.T) {
	files := 0
	for _, name := range waiting {
		err := filepath.WalkDir(filepath.Join("..", name), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, fixed := range []string{"context.WithTimeout(", "context.WithDeadline("} {
				if strings.Contains(string(source), fixed) {
					t.Errorf("%s calls %s…): patience.WithTimeout waits longer while the machine is busy", path, fixed)
				}
			}
			files++
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if files < 50 {
		t.Errorf("%d files were read", files)
	}
}
