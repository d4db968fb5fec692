package mesh

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestWaitSaysWhatWasMissingAndHowLongItWaited(t *testing.T) {
	tries := 0
	err := Wait(context.Background(), 200*time.Millisecond, func() error { tries++; return errors.New("no pod") })
	if err == nil || !strings.Contains(err.Error(), "gave up after") || !strings.Contains(err.Error(), "no pod") {
		t.Errorf("error: %v", err)
	}
	if tries < 2 {
		t.Errorf("%d tries", tries)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := Wait(ctx, time.Hour, func() error { return errors.New("no pod") })
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "no pod") {
		t.Errorf("error: %v", err)
	}
}

// tries is a budget that is spent after this number of calls, independent of the time.
type tries struct{ left int }

func (t *tries) Spent() bool           { t.left--; return t.left < 0 }
func (t *tries) Waited() time.Duration { return 11 * time.Minute }

func TestWaitGoesOnWhileItsBudgetLasts(t *testing.T) {
	count := 0
	err := wait(context.Background(), &tries{3}, func() error { count++; return errors.New("no pod") })
	if err == nil || !strings.Contains(err.Error(), "gave up after 11m0s") || count != 4 {
		t.Errorf("%d tries: %v", count, err)
	}
}
