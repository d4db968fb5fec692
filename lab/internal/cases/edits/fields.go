// Package edits changes objects of the manifests: one field, one patch, one rule.
package edits

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// WithoutField removes a field or an element of a list; numbers in the path are indexes.
func WithoutField(paths ...string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		for _, path := range paths {
			steps := pathSteps(path)
			edit(o.Object, steps, func(parent any, last string) any {
				switch parent := parent.(type) {
				case map[string]any:
					if _, ok := parent[last]; !ok {
						panic(fmt.Sprintf("%s %s has no %s", o.GetKind(), o.GetName(), path))
					}
					delete(parent, last)
					return parent
				case []any:
					i := listIndex(last)
					return slices.Delete(parent, i, i+1)
				}
				panic("no such field: " + path)
			})
		}
	}
}

// WithField sets a field.
func WithField(path string, value any) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		edit(o.Object, pathSteps(path), func(parent any, last string) any {
			switch parent := parent.(type) {
			case map[string]any:
				parent[last] = value
			case []any:
				parent[listIndex(last)] = value
			}
			return parent
		})
	}
}

// edit walks to the parent of the last step; what change returns takes the parent's place.
func edit(node any, steps []string, change func(parent any, last string) any) any {
	if len(steps) == 1 {
		return change(node, steps[0])
	}
	switch node := node.(type) {
	case map[string]any:
		node[steps[0]] = edit(node[steps[0]], steps[1:], change)
	case []any:
		i := listIndex(steps[0])
		node[i] = edit(node[i], steps[1:], change)
	}
	return node
}

// pathSteps takes a path apart; ~1 is a slash inside of a step, as in JSON Pointer.
func pathSteps(path string) []string {
	steps := strings.Split(path, "/")
	for i := range steps {
		steps[i] = strings.ReplaceAll(steps[i], "~1", "/")
	}
	return steps
}

func listIndex(step string) int {
	i, err := strconv.Atoi(step)
	if err != nil {
		panic(err)
	}
	return i
}
