package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases"
)

func TestEveryGroupHasASubject(t *testing.T) {
	for _, c := range cases.All() {
		if subjects[c.Group()] == "" {
			t.Errorf("group %s of case %s has no subject", c.Group(), c.Name)
		}
	}
}

// The page is written by hand-started runs, so it may lag behind in its figures, and never in what is tried.
func TestTheWrittenProofHoldsEveryCaseAndMutationThatExists(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", proof))
	if err != nil {
		t.Fatal(err)
	}
	var written []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllSubmatch(page, -1) {
		written = append(written, string(row[1]))
	}
	var exist []string
	for _, c := range cases.All() {
		exist = append(exist, c.Name)
	}
	for _, m := range cases.Mutations() {
		exist = append(exist, m.Name)
	}
	slices.Sort(written)
	slices.Sort(exist)
	for _, name := range exist {
		if !slices.Contains(written, name) {
			t.Errorf("%s is not in %s: run `npm run lab -- prove`", name, proof)
		}
	}
	for _, name := range written {
		if !slices.Contains(exist, name) {
			t.Errorf("%s is in %s and does not exist", name, proof)
		}
	}
}
