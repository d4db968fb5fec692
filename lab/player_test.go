package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases"
)

// pretended is a player whose scenarios fail as often as failures defines; a mutation called "stuck" cannot be undone.
func pretended(t *testing.T, failures map[string]int) (p *player, prepared *[]string) {
	t.Helper()
	r, err := begun(repositoryFor(t), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.results.close() })
	prepared = &[]string{}
	return &player{
		record: r, forget: func() {},
		stage: stage{prepare: func(_ context.Context, scenario string) error {
			*prepared = append(*prepared, scenario)
			if failures[scenario] > 0 {
				failures[scenario]--
				return errors.New("a pod is slow\nvery slow")
			}
			return nil
		}},
		one: func(_ context.Context, c cases.Case) cases.Result { return cases.Result{Case: c} },
		many: func(_ context.Context, mutations []cases.Mutation, done func(cases.MutationResult)) error {
			for _, m := range mutations {
				switch {
				case m.Name == "refused":
					return errors.New("the scenario does not hold")
				case strings.HasPrefix(m.Name, "stuck"):
					done(cases.MutationResult{Mutation: m, Error: errors.New("still different")})
					return errors.New("still different")
				}
				done(cases.MutationResult{Mutation: m, Noticed: []string{"it"}})
			}
			return nil
		},
	}, prepared
}

func in(scenario string, names ...string) (chosen []cases.Case, mutations []cases.Mutation) {
	for _, name := range names {
		chosen = append(chosen, cases.Case{Name: name, Scenario: scenario})
		mutations = append(mutations, cases.Mutation{Name: name, Scenario: scenario})
	}
	return chosen, mutations
}

// came is what came of everything, in words.
func came(r *record) []string {
	var all []string
	for _, c := range r.cases {
		all = append(all, c.Name+" "+strings.Join(c.Failures, ","))
	}
	for _, m := range r.mutations {
		all = append(all, m.Name+" "+strings.Join(m.Failures(), ","))
	}
	return all
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAScenarioThatFailsCostsItsOwnCasesOnly(t *testing.T) {
	p, prepared := pretended(t, map[string]int{"slow": 2, "late": 1})
	slow, _ := in("slow", "a", "b")
	late, _ := in("late", "c")
	again, _ := in("slow", "d")
	p.playCases(context.Background(), slices.Concat(slow, late, again))
	short := "scenario slow failed before: a pod is slow"
	expect(t, came(p.record), "a a pod is slow\nvery slow", "b "+short, "c ", "d "+short)
	expect(t, *prepared, "slow", "slow", "late", "late")
}

func TestAScenarioThatFailsCostsItsOwnMutationsOnly(t *testing.T) {
	p, prepared := pretended(t, map[string]int{"slow": 2})
	_, slow := in("slow", "a", "b")
	_, fine := in("fine", "c")
	p.playMutations(context.Background(), slices.Concat(slow, fine))
	expect(t, came(p.record), "a a pod is slow\nvery slow", "b not run, for the same reason as the one before: a pod is slow", "c ")
	expect(t, *prepared, "slow", "slow", "fine")
}

func TestAMutationThatCannotBeUndoneCostsItselfOnly(t *testing.T) {
	p, _ := pretended(t, nil)
	_, mutations := in("s", "a", "stuck 1", "stuck 2", "b")
	p.playMutations(context.Background(), mutations)
	expect(t, came(p.record), "a ", "stuck 1 still different", "stuck 2 still different", "b ")
}

func TestAScenarioThatNeverHoldsIsGivenUpAfterTheSecondTime(t *testing.T) {
	p, prepared := pretended(t, nil)
	_, mutations := in("s", "a", "refused", "b")
	p.playMutations(context.Background(), mutations)
	expect(t, came(p.record), "a ", "refused the scenario does not hold", "b not run, for the same reason as the one before: the scenario does not hold")
	expect(t, *prepared, "s", "s", "s")
}

func TestWhatWasCutShortIsNoResult(t *testing.T) {
	p, _ := pretended(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	p.stage.prepare = func(context.Context, string) error { cancel(); return ctx.Err() }
	chosen, mutations := in("s", "a", "b")
	p.playCases(ctx, chosen)
	p.playMutations(ctx, mutations)
	expect(t, came(p.record))
	if len(p.failed) > 0 {
		t.Errorf("the scenario counts as failed: %v", p.failed)
	}
}

func TestUnitsHoldEverythingOnceAndOneScenarioEach(t *testing.T) {
	var played []string
	for i, u := range units(cases.All(), cases.Mutations()) {
		scenarios := map[string]bool{}
		for _, c := range u.cases {
			scenarios[c.Scenario] = true
			played = append(played, "case "+c.Name)
		}
		for _, m := range u.mutations {
			scenarios[m.Scenario] = true
			played = append(played, "mutation "+m.Name)
		}
		if len(scenarios) != 1 || len(u.mutations) > mutationsAtOnce {
			t.Errorf("unit %d: %d scenarios, %d mutations", i, len(scenarios), len(u.mutations))
		}
	}
	if total := len(cases.All()) + len(cases.Mutations()); len(played) != total {
		t.Errorf("%d of %d are played", len(played), total)
	}
	slices.Sort(played)
	if len(slices.Compact(played)) != len(cases.All())+len(cases.Mutations()) {
		t.Error("something is played twice")
	}
}
