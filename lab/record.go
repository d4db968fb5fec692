package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/build"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
)

// record is what came of everything that was played. Several labs add to it.
type record struct {
	results         *results
	chosen          []cases.Case
	mutationsChosen []cases.Mutation

	lock      sync.Mutex
	cases     []cases.Result
	mutations []cases.MutationResult
}

// begun is the record of a run that has played nothing yet.
func begun(repository string, chosen []cases.Case, mutations []cases.Mutation) (*record, error) {
	written, err := openResults(repository, chosen, mutations)
	return &record{results: written, chosen: chosen, mutationsChosen: mutations}, err
}

func (r *record) addCase(result cases.Result) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.cases = append(r.cases, result)
	show(result.OK(), result.Name, result.Seen, result.Failures)
	r.keep(line{Kind: "case", Name: result.Name, Seen: result.Seen, Failures: result.Failures})
}

func (r *record) addMutation(result cases.MutationResult) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.mutations = append(r.mutations, result)
	show(result.OK(), "without "+result.Name, result.Summary(), result.Failures())
	r.keep(line{Kind: "mutation", Name: result.Name, Noticed: result.Noticed, Failures: result.Failures()})
}

func (r *record) keep(l line) {
	if err := r.results.played(l); err != nil {
		say("this result is not kept: %v", err)
	}
}

// takeFailed takes out what did not behave, so that it can be played again.
func (r *record) takeFailed() (again []cases.Case, mutationsAgain []cases.Mutation) {
	for _, c := range r.cases {
		if !c.OK() {
			again = append(again, c.Case)
		}
	}
	for _, m := range r.mutations {
		if !m.OK() {
			mutationsAgain = append(mutationsAgain, m.Mutation)
		}
	}
	r.cases = slices.DeleteFunc(r.cases, func(c cases.Result) bool { return !c.OK() })
	r.mutations = slices.DeleteFunc(r.mutations, func(m cases.MutationResult) bool { return !m.OK() })
	return again, mutationsAgain
}

// complete adds what passed in earlier runs and was not played in this one.
func (r *record) complete(earlier lines) {
	for _, c := range cases.All() {
		last := earlier[[2]string{"case", c.Name}]
		played := slices.ContainsFunc(r.cases, func(one cases.Result) bool { return one.Name == c.Name })
		if !played && last.State == passed {
			r.cases = append(r.cases, cases.Result{Case: c, Seen: last.Seen})
		}
	}
	for _, m := range cases.Mutations() {
		last := earlier[[2]string{"mutation", m.Name}]
		played := slices.ContainsFunc(r.mutations, func(one cases.MutationResult) bool { return one.Name == m.Name })
		if !played && last.State == passed {
			r.mutations = append(r.mutations, cases.MutationResult{Mutation: m, Noticed: last.Noticed})
		}
	}
}

// whole tells whether there is a result of every case and every mutation.
func (r *record) whole() error {
	if missing := len(cases.All()) - len(r.cases) + len(cases.Mutations()) - len(r.mutations); missing > 0 {
		return fmt.Errorf("%d cases and mutations have no result: play everything once", missing)
	}
	return nil
}

// sort restores the usual order, which several labs have mixed.
func (r *record) sort() {
	place := map[string]int{}
	for i, c := range cases.All() {
		place[c.Name] = i
	}
	slices.SortStableFunc(r.cases, func(a, b cases.Result) int { return place[a.Name] - place[b.Name] })
	places := map[string]int{}
	for i, m := range cases.Mutations() {
		places[m.Name] = i
	}
	slices.SortStableFunc(r.mutations, func(a, b cases.MutationResult) int { return places[a.Name] - places[b.Name] })
}

func (r *record) failed() int {
	failed := 0
	for _, c := range r.cases {
		if !c.OK() {
			failed++
		}
	}
	for _, m := range r.mutations {
		if !m.OK() {
			failed++
		}
	}
	return failed
}

func (r *record) verdict() error {
	if failed := r.failed(); failed > 0 {
		return fmt.Errorf("%d did not behave: `npm run lab -- run --failed` plays them again", failed)
	}
	return nil
}

// count is the last line, for whoever sums up.
func (r *record) count() {
	fmt.Printf("%d passed, %d failed\n", len(r.cases)+len(r.mutations)-r.failed(), r.failed())
}

// print is the table of what was played, one row a group.
func (r *record) print() {
	fmt.Println()
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "group\tcases\tpassed\tguarantees\tseconds")
	for _, group := range r.groups() {
		ok, tested, took := 0, guarantee.Set(0), time.Duration(0)
		for _, c := range group {
			if c.OK() {
				ok++
			}
			tested |= c.Guarantees
			took += c.Took
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%.0f\n", group[0].Group(), len(group), ok, numbers(tested), took.Seconds())
	}
	alone, layered, listed := 0, 0, 0
	for _, m := range r.mutations {
		switch {
		case m.Cannot != "":
			listed++
		case m.OK() && m.Layered():
			layered++
		case m.OK():
			alone++
		}
	}
	fmt.Fprintf(table, "mutations\t%d\t%d noticed at once, %d behind others or under attack, %d listed\t\t\n", len(r.mutations), alone, layered, listed)
	table.Flush()
	fmt.Println()
}

// groups in the order in which they come first.
func (r *record) groups() [][]cases.Result {
	var groups [][]cases.Result
	place := map[string]int{}
	for _, c := range r.cases {
		i, known := place[c.Group()]
		if !known {
			i = len(groups)
			place[c.Group()] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], c)
	}
	return groups
}

func numbers(guarantees guarantee.Set) string {
	var texts []string
	for _, number := range guarantees.Numbers() {
		texts = append(texts, fmt.Sprint(number))
	}
	return strings.Join(texts, ", ")
}

// proof is the page that a full run writes.
const proof = "docs/proof.md"

func (r *record) write(repository string, programs build.Programs) error {
	var page strings.Builder
	fmt.Fprintf(&page, `# What real proxies did

Written by the lab on %s: %d cases and %d mutations, all as they must be when they were last played. Istio %s from its unmodified charts,
Kubernetes %s, Envoy %s; the manifests are what the constructs wrote, applied unchanged.
[lab/README.md](../lab/README.md) says how the lab works and what it cannot do. The guarantees and their numbers are in [laws.md](laws.md).

`, time.Now().UTC().Format(time.DateOnly), len(r.cases), len(r.mutations), programs.Istio, programs.Kubernetes, build.EnvoyVersion)
	for _, group := range r.groups() {
		fmt.Fprintf(&page, "## %s\n\n| case | guarantee | what must happen | what happened |\n|---|---|---|---|\n", groupTitle(group[0].Group()))
		for _, c := range group {
			fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", c.Name, numbers(c.Guarantees), cell(c.Expect), cell(c.Seen))
		}
		page.WriteString("\n")
	}
	page.WriteString(`## What notices when a protection is missing

Objects and fields that protect something are taken out of the manifests, one at a time, and the cases are repeated: every object of the
first scenario, to which a test sees, and of others what it does not have (their name comes first). Protections lie in layers, so some are missed only when the layers above are off, or when somebody attacks: both are in place
before and after, and what changes is this one protection.

| without | object | guarantee | switched off as well | first to notice, of how many |
|---|---|---|---|---|
`)
	for _, m := range r.mutations {
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s |\n", m.Name, cell(m.Subject()), numbers(m.Guarantees), cell(m.Around()), cell(m.Summary()))
	}
	return os.WriteFile(filepath.Join(repository, proof), []byte(page.String()), 0o644)
}

func groupTitle(group string) string { return strings.ToUpper(group[:1]) + group[1:] }

// cell is a text inside of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", "\\|"), "\n", " ")
}
