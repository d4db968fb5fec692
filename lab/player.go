package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
)

// player runs cases and mutations on one lab and adds the results to the record, which several players may share.
type player struct {
	stage
	record *record
	one    func(context.Context, cases.Case) cases.Result
	many   func(context.Context, []cases.Mutation, func(cases.MutationResult)) error // of one scenario
	forget func()                                                                    // causes the next use to apply its scenario again
}

func newPlayer(f *federation.Federation, r *record) *player {
	return &player{
		stage: stage{prepare: prepared(f)}, record: r, forget: f.Forget,
		one: func(ctx context.Context, c cases.Case) cases.Result { return cases.Play(ctx, f, c) },
		many: func(ctx context.Context, mutations []cases.Mutation, done func(cases.MutationResult)) error {
			return cases.Mutate(ctx, f, mutations, done)
		},
	}
}

// unit is what one lab runs in one piece: cases, or mutations, of one scenario.
type unit struct {
	cases     []cases.Case
	mutations []cases.Mutation
}

// mutationsAtOnce is the largest number of mutations in a unit, so that no lab runs all of the first scenario.
const mutationsAtOnce = 20

// secondsOf are the seconds of a case of a group, where they differ much from one.
var secondsOf = map[string]int{
	"bounded": 13, "clusters": 15, "held": 70, "separation": 11, "spellings": 20, "time": 14, "order": 17, "trust": 9, "peer-options": 4, "tenants": 2,
}

const secondsOfMutation = 10

// cost estimates the seconds of a unit.
func (u unit) cost() int {
	cost := secondsOfMutation * len(u.mutations)
	for _, c := range u.cases {
		cost += max(1, secondsOf[c.Group()])
	}
	return cost
}

// apart are groups that are units of their own, because they are long.
var apart = []string{"tenants", "framing", "bounded", "held"}

// units divides the work among labs, the longest units first, so that all labs end at about the same time.
func units(chosen []cases.Case, mutations []cases.Mutation) []unit {
	type key struct {
		scenario, group string
		part            int
	}
	var all []*unit
	byKey := map[key]*unit{}
	of := func(k key) *unit {
		if byKey[k] == nil {
			byKey[k] = &unit{}
			all = append(all, byKey[k])
		}
		return byKey[k]
	}
	for _, c := range chosen {
		k := key{scenario: c.Scenario}
		if slices.Contains(apart, c.Group()) {
			k.group = c.Group()
		}
		u := of(k)
		u.cases = append(u.cases, c)
	}
	// The first mutations of a scenario are played with its cases, since applying a scenario is a good part of the
	// work.
	parts := map[string]int{}
	for group := range scenariosOf(mutations) {
		for part := range slices.Chunk(group, mutationsAtOnce) {
			u := of(key{scenario: group[0].Scenario, part: parts[group[0].Scenario]})
			u.mutations = append(u.mutations, part...)
			parts[group[0].Scenario]++
		}
	}
	slices.SortStableFunc(all, func(a, b *unit) int { return b.cost() - a.cost() })
	divided := make([]unit, len(all))
	for i, u := range all {
		divided[i] = *u
	}
	return divided
}

// scenariosOf yields the mutations, scenario by scenario.
func scenariosOf(mutations []cases.Mutation) func(yield func([]cases.Mutation) bool) {
	return func(yield func([]cases.Mutation) bool) {
		for len(mutations) > 0 {
			next := slices.IndexFunc(mutations, func(m cases.Mutation) bool { return m.Scenario != mutations[0].Scenario })
			if next < 0 {
				next = len(mutations)
			}
			if !yield(mutations[:next]) {
				return
			}
			mutations = mutations[next:]
		}
	}
}

func (p *player) play(ctx context.Context, u unit) {
	p.playCases(ctx, u.cases)
	p.playMutations(ctx, u.mutations)
}

// playCases runs cases one after the other. The cases of a scenario that cannot be used fail, and the others run.
func (p *player) playCases(ctx context.Context, chosen []cases.Case) {
	for _, c := range chosen {
		result := cases.Result{Case: c}
		if err := p.use(ctx, c.Scenario); err != nil {
			result.Failures = []string{err.Error()}
		} else {
			result = p.one(ctx, c)
		}
		if ctx.Err() != nil {
			return // it was interrupted, so there is no result
		}
		p.record.addCase(result)
	}
}

// playMutations runs mutations, scenario by scenario. When a scenario is not restored, it is applied again for the rest
// of its mutations; when that fails and nothing was run in between, the rest fails.
func (p *player) playMutations(ctx context.Context, chosen []cases.Mutation) {
	for left := range scenariosOf(chosen) {
		scenario := left[0].Scenario
		for tries := 1; len(left) > 0; tries++ {
			played, err := p.playSome(ctx, left)
			if ctx.Err() != nil {
				return
			}
			left = left[played:]
			if err == nil {
				break
			}
			p.forget()
			if played > 0 {
				tries = 0
			}
			if tries > 1 || p.failed[scenario] != nil {
				p.fail(left, err)
				break
			}
			say("scenario %s is applied again: %v", scenario, err)
		}
	}
}

// playSome runs mutations of one scenario until it is not restored, and returns their number.
func (p *player) playSome(ctx context.Context, mutations []cases.Mutation) (played int, err error) {
	if err := p.use(ctx, mutations[0].Scenario); err != nil {
		return 0, err
	}
	err = p.many(ctx, mutations, func(result cases.MutationResult) {
		played++
		p.record.addMutation(result)
	})
	return played, err
}

// fail records mutations that could not be run: the first one has the whole reason.
func (p *player) fail(mutations []cases.Mutation, reason error) {
	brief := fmt.Errorf("not run, for the same reason as the one before: %s", firstLine(reason))
	for _, m := range mutations {
		p.record.addMutation(cases.MutationResult{Mutation: m, Error: reason})
		reason = brief
	}
}

// firstLine of an error.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
