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
