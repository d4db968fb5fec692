package timing

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
)

// boundaryPort is the port of the ingress gateway, as the kernel writes it: its own end for the ingress gateway, the
// other end for the egress gateway.
var boundaryPort = fmt.Sprintf("%04X", 15443)

// keptAlive reads the kernel's timers of the connections between the gateways.
func keptAlive(t *T) {
	t.Want(Productpage, "200", Reviews("/reviews/0"))
	ends := []struct {
		gateway Workload
		column  int // of /proc/net/tcp: 1 is the own address, 2 that of the other end
	}{{t.Egress(), 2}, {t.Ingress(), 1}}
	for _, end := range ends {
		timers := keepAliveTimers(t, end.gateway.Mesh, end.gateway.Workload, end.column)
		t.Logf("%s: keep-alive probes in %v", end.gateway.Workload, timers)
		if len(timers) == 0 {
			t.Errorf("%s has no connection with a keep-alive timer", end.gateway.Workload)
		}
		for _, timer := range timers {
			if timer > 2*time.Minute {
				t.Errorf("%s sends the next keep-alive probe in %s only", end.gateway.Workload, timer)
			}
		}
	}
}

// keepAliveTimers are the times until the next keep-alive probe of each established connection at the boundary's port.
// A connection without keep-alive has none.
func keepAliveTimers(t *T, m *mesh.Mesh, workload string, column int) (timers []time.Duration) {
	pod, err := m.Pod(t.Context(), workload)
	t.Must(err)
	table, err := m.Exec(t.Context(), pod, "istio-proxy", nil, "cat", "/proc/net/tcp")
	t.Must(err)
	for _, line := range strings.Split(table, "\n") {
		// sl, local address, remote address, state, queues, timer:when in hundredths of a second
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[3] != "01" || !strings.HasSuffix(fields[column], ":"+boundaryPort) {
			continue
		}
		kind, when, _ := strings.Cut(fields[5], ":")
		hundredths, err := strconv.ParseInt(when, 16, 64)
		t.Must(err)
		if kind == "02" {
			timers = append(timers, time.Duration(hundredths)*10*time.Millisecond)
		}
	}
	return timers
}
