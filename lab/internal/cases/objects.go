package cases

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// manifest is one object of the scenario that is applied.
func (t *T) manifest(m *mesh.Mesh, kind, name string) *unstructured.Unstructured {
	objects, err := t.Objects(t.Current(), m.Name)
	t.Must(err)
	return findObject(objects, kind, name)
}

// directory is one for files that the case writes.
func (t *T) directory() string {
	directory, err := os.MkdirTemp("", "mesh-federation-lab-")
	t.Must(err)
	t.Restore(func(context.Context) error { return os.RemoveAll(directory) })
	return directory
}

// manifests are all of a kind.
func (t *T) manifests(m *mesh.Mesh, kind string) []*unstructured.Unstructured {
	objects, err := t.Objects(t.Current(), m.Name)
	t.Must(err)
	return slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() != kind })
}

// changeObject applies an object of the scenario otherwise for as long as the case runs.
func (t *T) changeObject(m *mesh.Mesh, o *unstructured.Unstructured, edit func(map[string]any)) {
	changed := o.DeepCopy()
	edit(changed.Object)
	t.Restore(func(ctx context.Context) error { return m.PutOwn(ctx, o) })
	t.Must(m.PutOwn(t.Context(), changed))
}

// withoutObjects takes objects of the scenario away for as long as the case runs, or until they are written again.
func (t *T) withoutObjects(m *mesh.Mesh, objects ...*unstructured.Unstructured) {
	t.Restore(func(ctx context.Context) error { return m.PutOwn(ctx, objects...) })
	t.Must(m.Delete(t.Context(), objects...))
}

// answersAtTheEnd is the last thing that a case waits for: that the call works which works in the scenario.
func (t *T) answersAtTheEnd(from From, probe traffic.Probe) {
	t.Restore(func(ctx context.Context) error { return waitUntil(ctx, t.Federation, from, "200", probe) })
}

// applyObjects is T.Put for what may stay.
func applyObjects(t *T, m *mesh.Mesh, text string) {
	t.Must(m.Put(t.Context(), parseObjects(t, text)...))
}

func parseObjects(t *T, text string) []*unstructured.Unstructured {
	objects, err := mesh.Objects(text)
	t.Must(err)
	return objects
}

// withObjects is T.Put for a part of a case.
func withObjects(t *T, m *mesh.Mesh, text string, run func()) {
	objects := parseObjects(t, text)
	defer func() {
		if err := m.Delete(context.WithoutCancel(t.Context()), objects...); err != nil {
			t.Errorf("%v", err)
		}
	}()
	t.Must(m.Put(t.Context(), objects...))
	run()
}

// recreate makes objects of the scenario, "Kind name" each, younger than everything that is there: among objects that want the same, istiod
// mostly prefers the oldest.
func recreate(t *T, m *mesh.Mesh, names ...string) {
	var objects []*unstructured.Unstructured
	for _, one := range names {
		kind, name, _ := strings.Cut(one, " ")
		objects = append(objects, t.manifest(m, kind, name))
	}
	t.withoutObjects(m, objects...)
	time.Sleep(1100 * time.Millisecond) // ages are counted in whole seconds
	t.Must(m.PutOwn(t.Context(), objects...))
}
