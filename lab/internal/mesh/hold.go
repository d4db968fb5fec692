package mesh

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Hold opens connections from a workload until the returned function is called, which returns their results. It uses
// several short execs, because one that is open for minutes fails on a busy computer.
func (m *Mesh) Hold(ctx context.Context, workload string, plans []traffic.Hold) (func() ([]traffic.Held, error), error) {
	pod, err := m.Pod(ctx, workload)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(plans)
	if err != nil {
		return nil, err
	}
	container, place := pod.Spec.Containers[0].Name, "/tmp/hold-"+rand.Text()
	start := fmt.Sprintf("cat >%[1]s.plans; (setsid /usr/local/bin/app hold --stop %[1]s.stop <%[1]s.plans >%[1]s.out 2>&1 && touch %[1]s.done) >/dev/null 2>&1 &", place)
	if _, err := m.Exec(ctx, pod, container, bytes.NewReader(data), "sh", "-c", start); err != nil {
		return nil, err
	}
	return func() ([]traffic.Held, error) {
		stop := fmt.Sprintf("touch %[1]s.stop; for i in $(seq 100); do [ -e %[1]s.done ] && break; sleep 0.2; done; cat %[1]s.out; rm %[1]s.*", place)
		out, err := m.Exec(ctx, pod, container, nil, "sh", "-c", stop)
		if err != nil {
			return nil, err
		}
		var held []traffic.Held
		if err := json.Unmarshal([]byte(out), &held); err != nil {
			return nil, fmt.Errorf("what %s held: %w: %q", workload, err, out)
		}
		return held, nil
	}, nil
}
