// Package growth measures the cost of one more grant: configuration that istiod pushes, memory of both gateways, and
// time.
//
// A restart of one workload is a clean measurement: istiod then sends its whole configuration to one new proxy, and
// what istiod's own metrics gain meanwhile are pushes of that. pilot_xds_config_size_bytes counts the bytes of the
// resources on the wire, without the gRPC and HTTP/2 around them.
package growth

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Size has the figures of one number of grants.
type Size struct {
	Grants          int
	Ingress, Egress Proxy
	// Idle is a workload of the consumer that binds nothing.
	Idle Proxy
	// Apply is how long kubectl took; Settled how long the last export took to answer afterwards.
	Apply, Settled time.Duration
	// OneMore is the time from the first changed object of one further grant to its first answer. Converged is the
	// convergence time that istiod reports: the mean of all proxies in the slower mesh.
	OneMore, Converged time.Duration
	// Failures are what could not be measured: an export that does not answer, a proxy that does not start.
	Failures []string
}

// Proxy has the figures of one workload.
type Proxy struct {
	LDS, RDS, CDS int           // bytes of a whole push
	Push          time.Duration // how long istiod was busy with that push
	Restart       time.Duration // from the restart to a new pod that is ready
	Chains        int           // filter chains of all listeners
	Resident      int           // bytes of Envoy's process
	Allocated     int           // allocated bytes that Envoy reports
}

// Bytes of a whole push.
func (p Proxy) Bytes() int { return p.LDS + p.RDS + p.CDS }

// Workloads that are measured.
const (
	ingress = federation.Boundary + "/federation-ingress"
	egress  = federation.Boundary + "/federation-egress"
	idle    = "elsewhere/visitor"
	caller  = "default/productpage"
)

// Scenario is the program of that size.
func Scenario(grants int) string { return fmt.Sprintf("grow-%d", grants) }

// Measure applies the program of a size and measures. A figure that is missing is a failure of that size; an error ends
// everything.
func Measure(ctx context.Context, f *federation.Federation, grants int, say func(string, ...any)) (Size, error) {
	s := Size{Grants: grants}
	if err := f.Add(ctx, Scenario(grants), Scenario(grants+1)); err != nil {
		return s, err
	}
	began := time.Now()
	if err := f.Use(ctx, Scenario(grants)); err != nil {
		return s, err
	}
	s.Apply = time.Since(began)
	say("%d grants are applied", grants)
	failed := func(err error) bool {
		if err != nil {
			s.Failures = append(s.Failures, err.Error())
			say("%d grants: %v", grants, err)
		}
		return err != nil
	}
	var err error
	s.Settled, err = answers(ctx, f, grants-1)
	failed(err)
	for _, one := range []struct {
		mesh     *mesh.Mesh
		workload string
		proxy    *Proxy
	}{{f.East, ingress, &s.Ingress}, {f.West, egress, &s.Egress}, {f.West, idle, &s.Idle}} {
		if *one.proxy, err = restarted(ctx, one.mesh, one.workload); !failed(err) {
			say("%d grants: %s of %s has %d kB of configuration", grants, one.workload, one.mesh.Name, one.proxy.Bytes()/1000)
		}
	}
	if err := alone(ctx, f.East, ingress); !failed(err) {
		failed(alone(ctx, f.West, egress))
	}
	if _, err := answers(ctx, f, grants-1); !failed(err) { // with the new pods
		s.OneMore, s.Converged, err = oneMore(ctx, f, grants)
		failed(err)
	}
	return s, ctx.Err()
}

// patient is how long an export may take to answer, and a pod to start, on an idle machine.
const patient = 90 * time.Second

// answers waits until an export answers its caller, and returns how long that took.
func answers(ctx context.Context, f *federation.Federation, export int) (time.Duration, error) {
	began := time.Now()
	probe := traffic.Probe{URL: fmt.Sprintf("http://reviews-%d:9080/reviews/0", export), Timeout: 2 * time.Second}
	err := mesh.Wait(ctx, patient, func() error {
		got, err := f.West.Probe(ctx, caller, probe)
		if err == nil && got[0].Outcome() != "200" {
			err = fmt.Errorf("reviews-%d: %s", export, got[0].Outcome())
		}
		return err
	})
	return time.Since(began), err
}

// oneMore applies the objects that the next size changes.
func oneMore(ctx context.Context, f *federation.Federation, grants int) (took, converged time.Duration, err error) {
	changed := map[*mesh.Mesh][]*unstructured.Unstructured{}
	before := map[*mesh.Mesh]counters{}
	for _, m := range []*mesh.Mesh{f.East, f.West} {
		if changed[m], err = changes(f, m, grants); err != nil {
			return 0, 0, err
		}
		if before[m], err = countersOf(ctx, m); err != nil {
			return 0, 0, err
		}
	}
	began := time.Now()
	for m, objects := range changed {
		if err := m.PutOwn(ctx, objects...); err != nil {
			return 0, 0, err
		}
	}
	if _, err := answers(ctx, f, grants); err != nil {
		return 0, 0, err
	}
	took = time.Since(began)
	for m := range changed {
		after, err := countersOf(ctx, m)
		if err != nil {
			return 0, 0, err
		}
		if pushes := after.since(before[m], "pilot_proxy_convergence_time_count"); pushes > 0 {
			mean := after.since(before[m], "pilot_proxy_convergence_time_sum") / pushes
			converged = max(converged, time.Duration(mean*float64(time.Second)))
		}
	}
	return took, converged, nil
}

// changes are the new and changed objects of the next size, in their order.
func changes(f *federation.Federation, m *mesh.Mesh, grants int) ([]*unstructured.Unstructured, error) {
	now, err := f.Objects(Scenario(grants), m.Name)
	if err != nil {
		return nil, err
	}
	next, err := f.Objects(Scenario(grants+1), m.Name)
	if err != nil {
		return nil, err
	}
	known := map[string]string{}
	for _, object := range now {
		known[mesh.Key(object)] = text(object)
	}
	changed := slices.DeleteFunc(next, func(object *unstructured.Unstructured) bool { return known[mesh.Key(object)] == text(object) })
	return changed, nil
}

func text(object *unstructured.Unstructured) string {
	data, _ := json.Marshal(object) // it was read as JSON
	return string(data)
}

// restarted gives a workload a new pod and measures it.
func restarted(ctx context.Context, m *mesh.Mesh, workload string) (Proxy, error) {
	namespace, name, _ := strings.Cut(workload, "/")
	old, err := m.Pod(ctx, workload)
	if err != nil {
		return Proxy{}, err
	}
	before, err := countersOf(ctx, m)
	if err != nil {
		return Proxy{}, err
	}
	began := time.Now()
	if _, err := m.Kubectl(ctx, "", "-n", namespace, "rollout", "restart", "deployment/"+name); err != nil {
		return Proxy{}, err
	}
	pod, err := replaced(ctx, m, workload, old.Name)
	if err != nil {
		return Proxy{}, err
	}
	p := Proxy{Restart: time.Since(began)}
	if err := p.pushed(ctx, m, pod.Name, before); err != nil {
		return p, err
	}
	return p, p.inspect(ctx, m, pod)
}

// pushed reads the size of istiod's pushes to a new pod. istiod sends everything twice when it receives the pod's
// endpoint a moment later, so one push is the mean of them. The mean would include simultaneous pushes to other
// proxies, which its log shows.
func (p *Proxy) pushed(ctx context.Context, m *mesh.Mesh, pod string, before counters) error {
	after, log, err := quiet(ctx, m)
	if err != nil {
		return err
	}
	for kind, size := range map[string]*int{"lds": &p.LDS, "rds": &p.RDS, "cds": &p.CDS} {
		pushes := after.since(before, "pilot_xds_config_size_bytes_count "+kind)
		if noted := pushesTo(log, kind, pod); pushes == 0 || int(pushes) != noted {
			return fmt.Errorf("istiod of %s pushed %s %v times while %s was started, %d times to it: the figures are of several proxies", m.Name, kind, pushes, pod, noted)
		}
		*size = int(after.since(before, "pilot_xds_config_size_bytes_sum "+kind) / pushes)
		p.Push += time.Duration(after.since(before, "pilot_xds_push_time_sum "+kind) / pushes * float64(time.Second))
	}
	return nil
}

// quiet waits until istiod pushes nothing any more, and returns its counters and its log.
func quiet(ctx context.Context, m *mesh.Mesh) (now counters, log string, err error) {
	err = mesh.Wait(ctx, time.Minute, func() error {
		before, err := countersOf(ctx, m)
		if err != nil {
			return err
		}
		time.Sleep(time.Second)
		if now, err = countersOf(ctx, m); err != nil {
			return err
		}
		if !maps.Equal(before, now) {
			return fmt.Errorf("istiod of %s does not stop pushing", m.Name)
		}
		istiod, err := m.Pod(ctx, mesh.System+"/istiod")
		if err != nil {
			return err
		}
		log, err = m.Logs(ctx, istiod, "discovery")
		return err
	})
	return now, log, err
}

// pushesTo counts the lines of istiod's log about pushes of a kind to a pod.
func pushesTo(log, kind, pod string) int {
	count := 0
	for line := range strings.SplitSeq(log, "\n") {
		if strings.Contains(line, strings.ToUpper(kind)+": PUSH") && strings.Contains(line, " for node:"+pod+".") {
			count++
		}
	}
	return count
}

// alone waits until a workload has one pod: a draining one still receives every change, which takes istiod's time.
func alone(ctx context.Context, m *mesh.Mesh, workload string) error {
	namespace, app, _ := strings.Cut(workload, "/")
	return mesh.Wait(ctx, patient, func() error {
		pods, err := m.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + app})
		if err == nil && len(pods.Items) != 1 {
			err = fmt.Errorf("%s has %d pods", workload, len(pods.Items))
		}
		return err
	})
}

// replaced waits until a workload has a ready pod of another name.
func replaced(ctx context.Context, m *mesh.Mesh, workload, old string) (pod *core.Pod, err error) {
	namespace, app, _ := strings.Cut(workload, "/")
	err = mesh.Wait(ctx, patient, func() error {
		pods, err := m.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + app})
		if err != nil {
			return err
		}
		for i := range pods.Items {
			if one := &pods.Items[i]; one.Name != old && mesh.IsReady(one) {
				pod = one
				return nil
			}
		}
		return fmt.Errorf("%s has no new pod that is ready", workload)
	})
	return pod, err
}

// resident prints the memory of Envoy's process, in kB.
const resident = `for p in /proc/[0-9]*; do if [ "$(cat $p/comm)" = envoy ]; then grep VmRSS: $p/status; fi; done`

// chains counts in the pod, because the page of a gateway with a thousand exports is too long to transfer.
const chains = `pilot-agent request GET 'config_dump?resource=dynamic_listeners' | grep -c '"transport_socket": {' || true`

// inspect reads the figures of a pod's proxy.
func (p *Proxy) inspect(ctx context.Context, m *mesh.Mesh, pod *core.Pod) error {
	for _, one := range []struct {
		script string
		into   *int
		unit   int
	}{
		{resident, &p.Resident, 1024},
		{"pilot-agent request GET 'stats?filter=^server.memory_allocated$'", &p.Allocated, 1},
		{chains, &p.Chains, 1},
	} {
		out, err := m.Exec(ctx, pod, "istio-proxy", nil, "sh", "-c", one.script)
		if err != nil {
			return err
		}
		number, err := numberIn(out)
		if err != nil {
			return fmt.Errorf("%s: %w", pod.Name, err)
		}
		*one.into = number * one.unit
	}
	return nil
}

// numberIn finds the first whole number among words.
func numberIn(text string) (int, error) {
	for _, word := range strings.Fields(text) {
		if number, err := strconv.Atoi(word); err == nil {
			return number, nil
		}
	}
	return 0, fmt.Errorf("no number in %q", text)
}
