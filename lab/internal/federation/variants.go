package federation

import (
	"context"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
)

// Become applies another program in a mesh and prunes what it lacks, as delivery tools do: new objects are applied
// before old ones are deleted. The applications stay.
func (f *Federation) Become(ctx context.Context, m *mesh.Mesh, before, after string) error {
	was, err := f.Objects(before, m.Name)
	if err != nil {
		return err
	}
	now, err := f.Objects(after, m.Name)
	if err != nil {
		return err
	}
	for _, file := range f.Files(after, m.Name) {
		if err := m.ApplyFile(ctx, file); err != nil {
			return err
		}
	}
	if err := m.Delete(ctx, missing(was, now)...); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.applied[m.Name] = now
	return nil
}
