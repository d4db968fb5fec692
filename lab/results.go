package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases"
)

// resultsFile has the last result of each case and mutation; it is outside of version control.
const resultsFile = "lab/.results.jsonl"

// The state of a case or mutation. A planned one was chosen but has no result: the run was interrupted, or is not
// finished.
const (
	planned = "planned"
	passed  = "passed"
	failed  = "failed"
)

// line is one line of the file. The last one of a name counts.
type line struct {
	Kind     string   `json:"kind"` // case or mutation
	Name     string   `json:"name"`
	State    string   `json:"state"`
	Failures []string `json:"failures,omitempty"`
	// Seen of a case, Noticed of a mutation: the result in docs/proof.md.
	Seen    string   `json:"seen,omitempty"`
	Noticed []string `json:"noticed,omitempty"`
}

// results writes lines at once, so that an interrupted run does not lose its results.
type results struct {
	lock sync.Mutex
	file *os.File
}

// openResults begins a run: everything that it will run is planned. The state of everything else does not change.
func openResults(repository string, chosen []cases.Case, mutations []cases.Mutation) (*results, error) {
	path := filepath.Join(repository, resultsFile)
	mode := os.O_APPEND
	if len(chosen) == len(cases.All()) && len(mutations) == len(cases.Mutations()) {
		mode |= os.O_TRUNC // nothing of before is left
	}
	file, err := os.OpenFile(path, mode|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	r := &results{file: file}
	if _, err := file.WriteString("\n"); err != nil { // ends what a run that was killed may have left
		return nil, err
	}
	for _, c := range chosen {
		err = errors.Join(err, r.write(line{Kind: "case", Name: c.Name, State: planned}))
	}
	for _, m := range mutations {
		err = errors.Join(err, r.write(line{Kind: "mutation", Name: m.Name, State: planned}))
	}
	return r, err
}

func (r *results) played(l line) error {
	l.State = passed
	if len(l.Failures) > 0 {
		l.State = failed
	}
	return r.write(l)
}

func (r *results) write(l line) error {
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	_, err = r.file.Write(append(data, '\n'))
	return err
}

func (r *results) close() error { return r.file.Close() }

// lines by kind and name.
type lines map[[2]string]line

// notPassed are the cases and mutations that did not pass the last time that they were selected, in the usual order.
func (ls lines) notPassed() (chosen []cases.Case, mutations []cases.Mutation) {
	left := func(kind, name string) bool {
		last, known := ls[[2]string{kind, name}]
		return known && last.State != passed
	}
	for _, c := range cases.All() {
		if left("case", c.Name) {
			chosen = append(chosen, c)
		}
	}
	for _, m := range cases.Mutations() {
		if left("mutation", m.Name) {
			mutations = append(mutations, m)
		}
	}
	return chosen, mutations
}

// lastLines are the last results of each case and mutation.
func lastLines(repository string) (lines, error) {
	file, err := os.Open(filepath.Join(repository, resultsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("no earlier run is recorded, so there are no failed cases")
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	last := lines{}
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var l line
		if json.Unmarshal(scanner.Bytes(), &l) != nil {
			continue // a run that was killed may have left half of one: its name is still planned
		}
		last[[2]string{l.Kind, l.Name}] = l
	}
	return last, scanner.Err()
}
