package mesh

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
)

// Wait tries until it works; the last error says what was missing. The limit grows with the load of this machine.
func Wait(ctx context.Context, limit time.Duration, try func() error) error {
	var missing error
	for began := time.Now(); ; {
		err := try()
		if err == nil {
			return nil
		}
		if missing == nil || ctx.Err() == nil { // a try that was cut short says nothing
			missing = err
		}
		if waited := time.Since(began); waited > patience.Of(limit) {
			return errors.Join(fmt.Errorf("gave up after %s", waited.Round(time.Second)), missing)
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), missing)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
