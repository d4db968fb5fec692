package main

import (
	"context"
	"fmt"
	"os"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/bench"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/build"
)

// benchmark measures calls through both gateways and over other paths, on the running lab or on a temporary one.
func benchmark(ctx context.Context, programs build.Programs, repository string, args []string) error {
	effort := bench.Whole
	switch {
	case len(args) == 1 && args[0] == "--quick":
		effort = bench.Quick
	case len(args) > 0:
		return fmt.Errorf("bench takes --quick or nothing: %q", args)
	}
	f, back, err := borrow(ctx, programs, repository)
	if err != nil {
		return err
	}
	defer back()
	results, err := bench.Run(ctx, f, effort, say)
	if err != nil {
		return err
	}
	fmt.Println()
	bench.Print(os.Stdout, results)
	for _, missed := range bench.Missed(results) {
		fmt.Println("goal missed:", missed)
	}
	return nil
}
