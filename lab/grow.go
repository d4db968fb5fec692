package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/build"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/growth"
)

// sizesByDefault are the numbers of grants that are measured without arguments.
var sizesByDefault = []int{100, 500, 1000, 2000}

// grow measures configuration and memory, size by size, on the running lab or on one that is removed afterwards.
func grow(ctx context.Context, programs build.Programs, repository string, args []string) error {
	sizes, err := sizesOf(args)
	if err != nil {
		return err
	}
	f, back, err := borrow(ctx, programs, repository)
	if err != nil {
		return err
	}
	defer back()
	var measured []growth.Size
	for _, size := range sizes {
		one, err := growth.Measure(ctx, f, size, say)
		if err != nil {
			growth.Print(os.Stdout, measured)
			return fmt.Errorf("%d grants: %w", size, err)
		}
		measured = append(measured, one)
	}
	fmt.Println()
	growth.Print(os.Stdout, measured)
	complaints := growth.Complaints(measured)
	for _, complaint := range complaints {
		fmt.Println(complaint)
	}
	if len(complaints) > 0 {
		return fmt.Errorf("%d figures miss their goal", len(complaints))
	}
	return nil
}

// sizesOf reads numbers, and sorts them: the figures of the first and the last one are compared.
func sizesOf(args []string) ([]int, error) {
	if len(args) == 0 {
		return sizesByDefault, nil
	}
	var sizes []int
	for _, arg := range args {
		size, err := strconv.Atoi(arg)
		if err != nil || size < 1 || size > 5000 {
			return nil, fmt.Errorf("%q is not a number of grants from 1 to 5000", arg)
		}
		sizes = append(sizes, size)
	}
	slices.Sort(sizes)
	return slices.Compact(sizes), nil
}
