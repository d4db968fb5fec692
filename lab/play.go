package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/build"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/lab"
)

// prove plays everything, on three labs at the same time: most of it is waiting.
func prove(ctx context.Context, programs build.Programs, repository string, write bool) error {
	var r record
	alone := func(c cases.Case) bool { return c.Group() == "neighbours" } // they restart istiod, and take the longest
	parts := []func(context.Context, *federation.Federation) error{
		func(ctx context.Context, f *federation.Federation) error {
			r.cases = play(ctx, f, slices.DeleteFunc(cases.All(), alone))
			return nil
		},
		func(ctx context.Context, f *federation.Federation) error {
			r.neighbours = play(ctx, f, slices.DeleteFunc(cases.All(), func(c cases.Case) bool { return !alone(c) }))
			return nil
		},
		func(ctx context.Context, f *federation.Federation) (err error) {
			r.mutations, err = change(ctx, f, cases.Mutations())
			return err
		},
	}
	whole, cancel := context.WithCancel(ctx)
	defer cancel()
	group, together := errgroup.WithContext(whole)
	for _, part := range parts { // one after the other comes up, so that the first case does not wait for all
		l, f, err := begin(together, programs, repository)
		if err != nil {
			cancel()
			return errors.Join(err, group.Wait())
		}
		defer l.Down()
		group.Go(func() error { return part(together, f) })
	}
	err := group.Wait()
	r.cases = append(r.cases, r.neighbours...)
	r.print()
	if err == nil && (len(r.cases) != len(cases.All()) || len(r.mutations) != len(cases.Mutations())) {
		err = errors.New("interrupted before everything was played")
	}
	if err == nil {
		err = r.verdict()
	}
	if err == nil && write {
		err = r.write(repository, programs)
	}
	r.count()
	return err
}

// borrow takes the lab that is up, or brings one up that goes away afterwards.
func borrow(ctx context.Context, programs build.Programs, repository string) (*federation.Federation, func(), error) {
	l, err := lab.Kept(programs)
	if err == nil {
		if err := l.Hold(); err != nil {
			return nil, nil, err
		}
		f, err := federation.Open(l, repository)
		if err != nil {
			return nil, nil, err
		}
		return f, l.Release, f.Resume()
	}
	l, f, err := begin(ctx, programs, repository)
	if err != nil {
		return nil, nil, err
	}
	return f, l.Down, nil
}

// run plays some cases, or all.
func run(ctx context.Context, programs build.Programs, repository string, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	f, back, err := borrow(ctx, programs, repository)
	if err != nil {
		return err
	}
	defer back()
	r := record{cases: play(ctx, f, chosen)}
	r.count()
	return errors.Join(ctx.Err(), r.verdict())
}

// mutate takes some protections out of the manifests, or each.
func mutate(ctx context.Context, programs build.Programs, repository string, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(cases.Mutations(), func(m cases.Mutation) bool { return strings.HasPrefix(m.Name, name) }) {
			return fmt.Errorf("there is no mutation %q: `npm run lab -- list` shows them", name)
		}
	}
	chosen := slices.DeleteFunc(cases.Mutations(), func(m cases.Mutation) bool {
		return len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(m.Name, name) })
	})
	f, back, err := borrow(ctx, programs, repository)
	if err != nil {
		return err
	}
	defer back()
	var r record
	r.mutations, err = change(ctx, f, chosen)
	r.count()
	return errors.Join(err, ctx.Err(), r.verdict())
}

// choose takes cases by name, or all of a group or scenario.
func choose(names []string) ([]cases.Case, error) {
	if len(names) == 0 {
		return cases.All(), nil
	}
	var chosen []cases.Case
	for _, name := range names {
		before := len(chosen)
		for _, c := range cases.All() {
			if c.Name == name || c.Group() == name || c.Scenario == name {
				chosen = append(chosen, c)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("there is no case, group or scenario %q: `npm run lab -- list` shows them", name)
		}
	}
	return chosen, nil
}

func play(ctx context.Context, f *federation.Federation, chosen []cases.Case) []cases.Result {
	var results []cases.Result
	for _, c := range chosen {
		if ctx.Err() != nil {
			return results
		}
		result := cases.Result{Case: c}
		if err := use(ctx, f, c.Scenario); err != nil {
			result.Failures = []string{err.Error()}
		} else {
			result = cases.Play(ctx, f, c)
		}
		if ctx.Err() != nil {
			return results // it was cut short: that says nothing about it
		}
		results = append(results, result)
		show(result.OK(), result.Name, result.Seen, result.Failures)
	}
	return results
}

func change(ctx context.Context, f *federation.Federation, chosen []cases.Mutation) ([]cases.MutationResult, error) {
	var results []cases.MutationResult
	for len(chosen) > 0 {
		scenario := chosen[0].Scenario
		next := slices.IndexFunc(chosen, func(m cases.Mutation) bool { return m.Scenario != scenario })
		if next < 0 {
			next = len(chosen)
		}
		if err := use(ctx, f, scenario); err != nil {
			return results, err
		}
		err := cases.Mutate(ctx, f, chosen[:next], func(r cases.MutationResult) {
			results = append(results, r)
			var failures []string
			if !r.OK() {
				failures = []string{"no case notices", fmt.Sprint(r.Error)}
			}
			show(r.OK(), "without "+r.Name, r.Summary(), failures)
		})
		if err != nil {
			return results, err
		}
		chosen = chosen[next:]
	}
	return results, nil
}

// use applies a scenario, unless it is the one that is applied, and waits until it holds.
func use(ctx context.Context, f *federation.Federation, scenario string) error {
	if f.Settled == scenario && f.Current() == scenario {
		return nil
	}
	f.Settled = ""
	if err := f.Use(ctx, scenario); err != nil {
		return err
	}
	if err := cases.Settle(ctx, f, scenario); err != nil {
		return err
	}
	f.Settled = scenario
	return nil
}

func show(ok bool, name, seen string, failures []string) {
	mark := "ok  "
	if !ok {
		mark = "FAIL"
	}
	say("%s %-46s %s", mark, name, seen)
	for _, failure := range failures {
		fmt.Printf("               %s\n", strings.ReplaceAll(failure, "\n", "\n               "))
	}
}
