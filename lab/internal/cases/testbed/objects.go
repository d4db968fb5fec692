package testbed

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// FindObject finds one among several.
func FindObject(objects []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	for _, o := range objects {
		if o.GetKind() == kind && o.GetName() == name {
			return o
		}
	}
	panic(fmt.Sprintf("the manifests hold no %s %s", kind, name))
}

func GroupVersionResource(group, version, name string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: version, Resource: name}
}

func NestedString(object map[string]any, path ...string) (string, bool, error) {
	return unstructured.NestedString(object, path...)
}

// Manifest returns one object of the applied scenario.
func (t *T) Manifest(m *mesh.Mesh, kind, name string) *unstructured.Unstructured {
	objects, err := t.Objects(t.Current(), m.Name)
	t.Must(err)
	return FindObject(objects, kind, name)
}

// Directory creates a directory for files of the case.
func (t *T) Directory() string {
	directory, err := os.MkdirTemp("", "mesh-federation-lab-")
	t.Must(err)
	t.Restore(func(context.Context) error { return os.RemoveAll(directory) })
	return directory
}

// Manifests returns all objects of a kind in the applied scenario.
func (t *T) Manifests(m *mesh.Mesh, kind string) []*unstructured.Unstructured {
	objects, err := t.Objects(t.Current(), m.Name)
	t.Must(err)
	return slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() != kind })
}

// ChangeObject applies a changed object of the scenario for as long as the case runs.
func (t *T) ChangeObject(m *mesh.Mesh, o *unstructured.Unstructured, edit func(map[string]any)) {
	changed := o.DeepCopy()
	edit(changed.Object)
	t.Restore(func(ctx context.Context) error { return m.PutOwn(ctx, o) })
	t.Must(m.PutOwn(t.Context(), changed))
}

// WithoutObjects deletes objects of the scenario for as long as the case runs, or until they are applied again.
func (t *T) WithoutObjects(m *mesh.Mesh, objects ...*unstructured.Unstructured) {
	t.Restore(func(ctx context.Context) error { return m.PutOwn(ctx, objects...) })
	t.Must(m.Delete(t.Context(), objects...))
}

// AnswersAtTheEnd makes the case wait, as its last step, until a call of the scenario succeeds again.
func (t *T) AnswersAtTheEnd(from From, probe traffic.Probe) {
	t.Restore(func(ctx context.Context) error { return WaitUntil(ctx, t.Federation, from, "200", probe) })
}

// ApplyObjects applies objects that stay after the case.
func ApplyObjects(t *T, m *mesh.Mesh, text string) {
	t.Must(m.Put(t.Context(), ParseObjects(t, text)...))
}

func ParseObjects(t *T, text string) []*unstructured.Unstructured {
	objects, err := mesh.Objects(text)
	t.Must(err)
	return objects
}

// WithObjects applies objects for a part of a case.
func WithObjects(t *T, m *mesh.Mesh, text string, run func()) {
	objects := ParseObjects(t, text)
	defer func() {
		if err := m.Delete(context.WithoutCancel(t.Context()), objects...); err != nil {
			t.Errorf("%v", err)
		}
	}()
	t.Must(m.Put(t.Context(), objects...))
	run()
}

// Recreate deletes and creates objects of the scenario, "Kind name" each, so that they are younger than all others:
// among conflicting objects, istiod mostly prefers the oldest.
func Recreate(t *T, m *mesh.Mesh, names ...string) {
	var objects []*unstructured.Unstructured
	for _, one := range names {
		kind, name, _ := strings.Cut(one, " ")
		objects = append(objects, t.Manifest(m, kind, name))
	}
	t.WithoutObjects(m, objects...)
	time.Sleep(1100 * time.Millisecond) // ages are counted in whole seconds
	t.Must(m.PutOwn(t.Context(), objects...))
}

// AllowAnything is another tenant's policy that allows every request.
const AllowAnything = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: allow-everything, namespace: istio-system}
spec: {action: ALLOW, rules: [{}]}
`
