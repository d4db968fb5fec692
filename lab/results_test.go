package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases"
)

// repositoryFor is a directory in which results can be stored.
func repositoryFor(t *testing.T) string {
	t.Helper()
	repository := t.TempDir()
	if err := os.Mkdir(filepath.Join(repository, filepath.Dir(resultsFile)), 0o755); err != nil {
		t.Fatal(err)
	}
	return repository
}

// names of what did not pass, cases first.
func left(t *testing.T, repository string) []string {
	t.Helper()
	last, err := lastLines(repository)
	if err != nil {
		t.Fatal(err)
	}
	chosen, mutations := last.notPassed()
	var names []string
	for _, c := range chosen {
		names = append(names, c.Name)
	}
	for _, m := range mutations {
		names = append(names, m.Name)
	}
	return names
}

func TestWhatFailedOrWasNotPlayedIsLeft(t *testing.T) {
	repository := repositoryFor(t)
	all, mutations := cases.All()[:4], cases.Mutations()[:3]
	r, err := openResults(repository, all, mutations)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		r.played(line{Kind: "case", Name: all[0].Name, Failures: nil}), r.played(line{Kind: "case", Name: all[1].Name, Failures: []string{"503, and not 200"}}),
		r.played(line{Kind: "mutation", Name: mutations[0].Name, Failures: []string{"no case fails without this protection"}}), r.played(line{Kind: "mutation", Name: mutations[1].Name, Failures: nil}),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	// No close, as if the run had been interrupted in the middle of a line.
	if _, err := r.file.WriteString(`{"kind":"case","na`); err != nil {
		t.Fatal(err)
	}
	expect(t, left(t, repository), all[1].Name, all[2].Name, all[3].Name, mutations[0].Name, mutations[2].Name)
	if _, err := openResults(repository, all[:1], nil); err != nil {
		t.Fatal(err)
	}
	expect(t, left(t, repository), all[0].Name, all[1].Name, all[2].Name, all[3].Name, mutations[0].Name, mutations[2].Name)
}

func TestARunOfSomeKeepsWhatIsKnownOfTheOthers(t *testing.T) {
	repository := repositoryFor(t)
	all := cases.All()[:2]
	for i, failures := range [][]string{{"first"}, {"second"}} {
		r, err := openResults(repository, all[i:i+1], nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.played(line{Kind: "case", Name: all[i].Name, Failures: failures}); err != nil {
			t.Error(err)
		}
		r.close()
	}
	expect(t, left(t, repository), all[0].Name, all[1].Name)

	r, err := openResults(repository, all[:1], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.played(line{Kind: "case", Name: all[0].Name, Failures: nil}); err != nil {
		t.Error(err)
	}
	expect(t, left(t, repository), all[1].Name)
}

func TestARunOfEverythingForgetsWhatWasBefore(t *testing.T) {
	repository := repositoryFor(t)
	path := filepath.Join(repository, resultsFile)
	if err := os.WriteFile(path, []byte(`{"kind":"case","name":"gone/for-ever","state":"failed"}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, left(t, repository)) // what does not exist any more cannot be played
	r, err := openResults(repository, cases.All(), cases.Mutations())
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if got, want := len(left(t, repository)), len(cases.All())+len(cases.Mutations()); got != want {
		t.Errorf("%d of %d are planned", got, want)
	}
	last, err := lastLines(repository)
	if err != nil {
		t.Fatal(err)
	}
	if _, there := last[[2]string{"case", "gone/for-ever"}]; there {
		t.Error("an old line is left")
	}
}

func TestWhatPassedBeforeIsPartOfTheProof(t *testing.T) {
	c, m := cases.All()[0], cases.Mutations()[0]
	r := record{cases: []cases.Result{{Case: cases.All()[1], Seen: "now"}}}
	if r.whole() == nil {
		t.Error("one case is not everything")
	}
	r.complete(lines{
		{"case", c.Name}:                 {State: passed, Seen: "200"},
		{"case", cases.All()[1].Name}:    {State: passed, Seen: "before"},
		{"case", cases.All()[2].Name}:    {State: failed, Seen: "503"},
		{"mutation", m.Name}:             {State: passed, Noticed: []string{"works/a: 403 → 200"}},
		{"mutation", "gone/for-ever"}:    {State: passed},
		{"case", "gone/for-ever-before"}: {State: passed},
	})
	r.sort()
	if len(r.cases) != 2 || r.cases[0].Seen != "200" || r.cases[1].Seen != "now" {
		t.Errorf("cases: %v", r.cases)
	}
	if len(r.mutations) != 1 || r.mutations[0].Summary() != "works/a: 403 → 200 (1)" && r.mutations[0].Cannot == "" {
		t.Errorf("mutations: %v", r.mutations)
	}
}

func TestWhatDidNotBehaveIsTakenOutToBePlayedAgain(t *testing.T) {
	all, mutations := cases.All(), cases.Mutations()
	r := record{
		cases:     []cases.Result{{Case: all[0]}, {Case: all[1], Failures: []string{"503"}}},
		mutations: []cases.MutationResult{{Mutation: cases.Mutation{Name: mutations[0].Name}}, {Mutation: mutations[1], Noticed: []string{"a: 403 → 200"}}},
	}
	again, mutationsAgain := r.takeFailed()
	if len(again) != 1 || again[0].Name != all[1].Name || len(mutationsAgain) != 1 || mutationsAgain[0].Name != mutations[0].Name {
		t.Errorf("again: %v, %v", again, mutationsAgain)
	}
	if r.failed() != 0 || len(r.cases) != 1 || len(r.mutations) != 1 {
		t.Errorf("left: %v, %v", r.cases, r.mutations)
	}
}

func TestWithoutAnEarlierRunThereIsAnError(t *testing.T) {
	if _, err := lastLines(repositoryFor(t)); err == nil {
		t.Error("no error")
	}
}
