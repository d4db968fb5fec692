package federation

import (
	"context"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
)

// missing are objects of before that now lacks, in the reverse of the order in which they were applied.
func missing(before, now []*unstructured.Unstructured) []*unstructured.Unstructured {
	keep := map[string]bool{}
	for _, object := range now {
		keep[mesh.Key(object)] = true
	}
	var gone []*unstructured.Unstructured
	for _, object := range before {
		if !keep[mesh.Key(object)] {
			gone = append(gone, object)
		}
	}
	slices.Reverse(gone)
	return gone
}

// together are the objects of before that now lacks, and those of now after them, each list in its order.
func together(before, now []*unstructured.Unstructured) []*unstructured.Unstructured {
	left := missing(before, now)
	slices.Reverse(left)
	return append(left, now...)
}

func namespaces(objects []*unstructured.Unstructured) []string {
	var names []string
	for _, object := range objects {
		if object.GetKind() == "Deployment" && !slices.Contains(names, object.GetNamespace()) {
			names = append(names, object.GetNamespace())
		}
	}
	return names
}

// Unchanged applies the scenario's files again and returns the objects whose content has changed, and the number of all
// objects.
func (f *Federation) Unchanged(ctx context.Context, m *mesh.Mesh) (changed []string, total int, err error) {
	before, err := f.live(ctx, m)
	if err != nil {
		return nil, 0, err
	}
	for _, file := range f.Files(f.current, m.Name) {
		if err := m.ApplyFile(ctx, file); err != nil {
			return nil, 0, err
		}
	}
	after, err := f.live(ctx, m)
	if err != nil {
		return nil, 0, err
	}
	for key, object := range after {
		if !reflect.DeepEqual(before[key], object) {
			changed = append(changed, key)
		}
	}
	return changed, len(after), nil
}

// live are the objects of the scenario as the API server has them, without what controllers write.
func (f *Federation) live(ctx context.Context, m *mesh.Mesh) (map[string]map[string]any, error) {
	objects, err := f.Objects(f.current, m.Name)
	if err != nil {
		return nil, err
	}
	live := map[string]map[string]any{}
	for _, object := range objects {
		got, err := m.Get(ctx, object)
		if err != nil {
			return nil, err
		}
		unstructured.RemoveNestedField(got.Object, "status")
		unstructured.RemoveNestedField(got.Object, "metadata", "managedFields")
		unstructured.RemoveNestedField(got.Object, "metadata", "resourceVersion")
		live[mesh.Key(object)] = got.Object
	}
	return live, nil
}
