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

// labs is the number of labs that run everything at the same time: most of the time they wait.
const labs = 3

// prove runs everything, or only what did not pass the last time, and reuses the recorded results of the rest.
func prove(ctx context.Context, programs build.Programs, repository string, write bool, args []string) error {
	chosen, mutations := cases.All(), cases.Mutations()
	var earlier lines
	switch {
	case len(args) == 1 && args[0] == failedOnly:
		var err error
		if earlier, err = lastLines(repository); err != nil {
			return err
		}
		chosen, mutations = earlier.notPassed()
	case len(args) > 0:
		return fmt.Errorf("prove runs everything, or %s, and takes no %q: `npm run lab -- run` runs single cases", failedOnly, strings.Join(args, " "))
	}
	r, err := begun(repository, chosen, mutations)
	if err != nil {
		return err
	}
	defer r.results.close()
	work := make(chan unit, len(cases.All())+len(cases.Mutations()))
	for _, u := range units(r.chosen, r.mutationsChosen) {
		work <- u
	}
	close(work)
	group, together := errgroup.WithContext(ctx)
	var missing []error
	var quiet *player
	for range labs { // they start one after the other, so that the first case does not wait for all
		l, f, err := begin(together, programs, repository)
		if err != nil {
			say("a lab does not start, so the other labs run its part: %v", err)
			missing = append(missing, err)
			continue
		}
		defer l.Down()
		p := newPlayer(f, r)
		quiet = p
		group.Go(func() error {
			for u := range work {
				p.play(together, u)
			}
			return together.Err()
		})
	}
	if len(missing) == labs {
		return errors.Join(missing...)
	}
	err = group.Wait()
	if err == nil {
		// Three labs at a time on a busy computer: what depends on it shows when nothing else runs.
		failedCases, failedMutations := r.takeFailed()
		if count := len(failedCases) + len(failedMutations); count > 0 {
			say("%d failed while all labs were busy, and are run once more", count)
		}
		quiet.playCases(ctx, failedCases)
		quiet.playMutations(ctx, failedMutations)
	}
	r.complete(earlier)
	r.sort()
	r.print()
	if err == nil {
		err = errors.Join(r.verdict(), r.whole())
	}
	if err == nil && write {
		err = r.write(repository, programs)
	}
	r.count()
	return err
}

// borrow takes the running lab, or starts one that is removed afterwards.
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

// failedOnly selects what did not pass the last time.
const failedOnly = "--failed"

// run runs some cases, or all, or what did not pass the last time, mutations included.
func run(ctx context.Context, programs build.Programs, repository string, names []string) error {
	if slices.Contains(names, failedOnly) {
		if len(names) > 1 {
			return fmt.Errorf("%s takes no names", failedOnly)
		}
		earlier, err := lastLines(repository)
		if err != nil {
			return err
		}
		chosen, mutations := earlier.notPassed()
		return playOnOne(ctx, programs, repository, chosen, mutations)
	}
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	return playOnOne(ctx, programs, repository, chosen, nil)
}

// mutate removes some protections from the manifests, or each.
func mutate(ctx context.Context, programs build.Programs, repository string, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(cases.Mutations(), func(m cases.Mutation) bool { return strings.HasPrefix(m.Name, name) }) {
			return fmt.Errorf("there is no mutation %q: `npm run lab -- list` shows them", name)
		}
	}
	chosen := slices.DeleteFunc(cases.Mutations(), func(m cases.Mutation) bool {
		return len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(m.Name, name) })
	})
	return playOnOne(ctx, programs, repository, nil, chosen)
}

// playOnOne runs cases and mutations on the running lab, or on one that is removed afterwards.
func playOnOne(ctx context.Context, programs build.Programs, repository string, chosen []cases.Case, mutations []cases.Mutation) error {
	if len(chosen)+len(mutations) == 0 {
		say("nothing is left to run")
		return nil
	}
	r, err := begun(repository, chosen, mutations)
	if err != nil {
		return err
	}
	defer r.results.close()
	f, back, err := borrow(ctx, programs, repository)
	if err != nil {
		return err
	}
	defer back()
	p := newPlayer(f, r)
	p.playCases(ctx, chosen)
	p.playMutations(ctx, mutations)
	r.count()
	return errors.Join(ctx.Err(), r.verdict())
}

// choose selects cases by name, or all of a group or scenario.
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
