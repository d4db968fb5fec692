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

// record holds the results of everything that was run. Several labs add to it.
type record struct {
	results         *results
	chosen          []cases.Case
	mutationsChosen []cases.Mutation

	lock      sync.Mutex
	cases     []cases.Result
	mutations []cases.MutationResult
}

// begun is the record of a run without results.
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
		say("this result cannot be saved: %v", err)
	}
}

// takeFailed removes what failed, so that it can be run again.
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

// complete adds what passed in earlier runs and was not run in this one.
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

// whole returns an error unless every case and every mutation has a result.
func (r *record) whole() error {
	if missing := len(cases.All()) - len(r.cases) + len(cases.Mutations()) - len(r.mutations); missing > 0 {
		return fmt.Errorf("%d cases and mutations have no result: run everything once", missing)
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
		return fmt.Errorf("%d failed: `npm run lab -- run --failed` runs them again", failed)
	}
	return nil
}

// count prints the totals, as the last line.
func (r *record) count() {
	fmt.Printf("%d passed, %d failed\n", len(r.cases)+len(r.mutations)-r.failed(), r.failed())
}

// print prints a table with one row for each group.
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

// groups returns the groups in the order of their first cases.
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
	fmt.Fprintf(&page, `# Tested on real proxies

Written by the lab on %s: %d cases and %d mutations, all of which passed when they were last run.
Istio %s from its unmodified charts, Kubernetes %s, Envoy %s. The manifests are the output of the constructs, applied unchanged.
[lab/README.md](../lab/README.md) describes how the lab works and what it cannot test.
The guarantees and their numbers are in [laws.md](laws.md).

`, time.Now().UTC().Format(time.DateOnly), len(r.cases), len(r.mutations), programs.Istio, programs.Kubernetes, build.EnvoyVersion)
	for _, group := range r.groups() {
		name := group[0].Group()
		fmt.Fprintf(&page, "## %s\n\n%s\n\n", groupTitle(name), subjects[name])
		fmt.Fprintf(&page, "| case | guarantee | what must happen | what happened |\n|---|---|---|---|\n")
		for _, c := range group {
			fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", c.Name, numbers(c.Guarantees), cell(c.Expect), cell(c.Seen))
		}
		page.WriteString("\n")
	}
	page.WriteString(`## Protections that are removed

The lab removes each object and field that protects something from the manifests, one at a time, and repeats the cases: a case
must fail. A test makes sure that every object of the first scenario is removed or changed once; of other scenarios, the lab
removes what the first one does not have. Many protections are layered. Such a layer is removed while the layers above it are
disabled, or while another tenant or an impostor attacks; both are in place before and after, so that this one protection is all
that changes.

| removed | object | guarantee | also disabled, or added | first case that failed, of how many |
|---|---|---|---|---|
`)
	for _, m := range r.mutations {
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s |\n", m.Name, cell(m.Subject()), numbers(m.Guarantees), cell(m.Around()), cell(m.Summary()))
	}
	return os.WriteFile(filepath.Join(repository, proof), []byte(page.String()), 0o644)
}

// subjects describe the groups of cases, under their titles on the page.
var subjects = map[string]string{
	"works":        "Calls that must succeed, and requests next to them that the rules deny.",
	"protocols":    "TCP, gRPC, TLS, WebSocket and HTTP/2; additional hosts; excepted paths and required headers.",
	"sources":      "One local name with several sources: peers by weight or header, and local pods.",
	"callers":      "Local names that are open to a namespace or to the whole mesh.",
	"mesh-config":  "Mesh-wide settings: MeshConfig and the root namespace change every default that istiod lets them change.",
	"traces":       "Distributed traces: spans of the gateways, and trace headers at the boundary.",
	"compliance":   "Compliance policies of istiod (`COMPLIANCE_POLICY`): TLS versions and key exchange between the gateways.",
	"peer-options": "Peer options: what the exporter configures for one peer applies to no other peer.",
	"boundaries":   "Two boundaries of one mesh, each for its own peer.",
	"gateways":     "Gateways in separate namespaces, and existing gateways that another team operates.",
	"external":     "External attackers at the ingress gateway, with and without certificates.",
	"paths":        "Spellings of paths that no rule allows, sent by an allowed caller and past the egress gateway.",
	"peers":        "Two peers of one exporter: neither can use the access of the other.",
	"unlisted":     "Unlisted workloads of the consuming mesh, and ways to bypass the egress gateway.",
	"tenants":      "Other tenants of the mesh: what the API server denies them, and what has no effect without the admission policy.",
	"leaks":        "What crosses the boundary in headers, handshakes, answers and configuration.",
	"time":         "Removals, restarts and rotations while calls are under way.",
	"order":        "Objects that arrive in another order than the files have them.",
	"locks":        "Locked workloads, and namespaces that cannot bypass the egress gateway.",
	"trust":        "Isolation of a peer, CAs that are managed externally, CAs of boundaries, revocation.",
	"spire":        "Certificates of workloads from a SPIRE agent's socket, in place of istiod's CA.",
	"tokens":       "End-user JWTs that rules require.",
	"framing":      "Requests whose end two readers may see at different places.",
	"spellings":    "Other spellings of excepted paths, for backends of many kinds.",
	"headers":      "Required headers, and names of headers that backends fold into those that gateways set.",
	"monitoring":   "What the owner of a mesh finds in logs and metrics.",
	"nodes":        "Node ports, IPv6 endpoints, dual-stack Services and OpenShift.",
	"clusters":     "A mesh of two clusters, and the loss of one of them.",
	"held":         "Connections that stay open while the configuration of others changes.",
	"bounded":      "Attacks on memory and processors by those who may call.",
	"separation":   "What one peer or caller does must not slow down or end the calls of another one.",
}

func groupTitle(group string) string {
	return strings.ToUpper(group[:1]) + strings.ReplaceAll(group[1:], "-", " ")
}

// cell is a text in a cell of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", "\\|"), "\n", " ")
}
