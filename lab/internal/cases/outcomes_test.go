package cases

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
)

// misspelt returns the attempts whose expected outcome cannot occur.
func misspelt(kind, name string, attempts []testbed.Attempt, compared bool) []string {
	var found []string
	for i, attempt := range attempts {
		if attempt.Want == "" && compared {
			continue // what comes of it before and after is compared
		}
		if err := attempt.Check(); err != nil {
			found = append(found, fmt.Sprintf("attempt %d of %s %s expects %q: %v", i+1, kind, name, attempt.Want, err))
		}
	}
	return found
}

func TestEveryAttemptExpectsWordsOfTheVocabulary(t *testing.T) {
	for _, c := range All() {
		for _, problem := range misspelt("case", c.Name, c.Attempts, false) {
			t.Error(problem)
		}
	}
	for _, m := range Mutations() {
		for _, problem := range misspelt("mutation", m.Name, m.Extra, true) {
			t.Error(problem)
		}
	}
}

func TestAMisspeltOutcomeIsReportedWithItsCaseAndWord(t *testing.T) {
	found := misspelt("case", "works/short-name", []testbed.Attempt{{Want: "closd | 503"}}, false)
	if len(found) != 1 || !strings.Contains(found[0], "works/short-name") || !strings.Contains(found[0], `"closd" is not an outcome`) {
		t.Errorf("reported: %q", found)
	}
}

// Where the functions that probe have the outcome that they expect.
var expectedAt = map[string]int{"Want": 1, "Until": 1, "WaitUntil": 3, "restoredTo": 1, "OtherThan": 1}

// Longer cases expect outcomes in their functions, which run on meshes only: their source is read instead.
func TestEveryOutcomeInTheSourceIsOfTheVocabulary(t *testing.T) {
	files := token.NewFileSet()
	checked := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			call, isCall := node.(*ast.CallExpr)
			if !isCall {
				return true
			}
			place, probes := expectedAt[called(call)]
			if !probes || len(call.Args) <= place {
				return true
			}
			literal, isLiteral := call.Args[place].(*ast.BasicLit)
			if !isLiteral || literal.Kind != token.STRING {
				return true
			}
			expected, err := strconv.Unquote(literal.Value)
			if err == nil {
				err = outcome.Check(expected)
			}
			if err != nil {
				t.Errorf("%s: %v", files.Position(literal.Pos()), err)
			}
			checked++
			return true
		})
		return nil
	})
	if err != nil || checked < 100 {
		t.Errorf("%d outcomes found in the source: %v", checked, err)
	}
}

// called is the name of the function or method that is called.
func called(call *ast.CallExpr) string {
	switch function := call.Fun.(type) {
	case *ast.Ident:
		return function.Name
	case *ast.SelectorExpr:
		return function.Sel.Name
	}
	return ""
}
