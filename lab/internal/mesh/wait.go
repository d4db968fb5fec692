package mesh

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
)

// Wait retries until there is no error, and then returns the last one. The limit is spent more slowly while this
// machine is busy.
func Wait(ctx context.Context, limit time.Duration, try func() error) error {
	return wait(ctx, patience.Start(limit), try)
}

func wait(ctx context.Context, budget interface {
	Spent() bool
	Waited() time.Duration
}, try func() error) error {
	var missing error
	for {
		err := try()
		if err == nil {
			return nil
		}
		if missing == nil || ctx.Err() == nil { // an interrupted attempt has no result
			missing = err
		}
		if budget.Spent() {
			return errors.Join(fmt.Errorf("gave up after %s", budget.Waited().Round(time.Second)), missing)
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), missing)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
