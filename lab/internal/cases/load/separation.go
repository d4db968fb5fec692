package load

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Separation checks that peers and callers share no connection: what one does to its connection does not affect
// another.
func Separation() []Case {
	return InScenario("held",
		Case{Name: "separation/resets-of-a-peer", Guarantees: guarantee.ServerPerPeer, Expect: "Streams of north and of another pod of west survive 3,200 gRPC calls that west opens and resets", Run: resetsOfPeer},
		Case{Name: "separation/deadlines-of-a-caller", Guarantees: guarantee.ServerPerPeer | guarantee.EgressCallers, Expect: "Streams of other callers survive when 1,260 calls of one caller reach their deadline", Run: deadlinesOfCaller},
		Case{Name: "separation/slow-reader", Guarantees: guarantee.ServerPerPeer, Expect: "Calls of north are not delayed while west reads none of its answers, and the locked workload's sidecar stays below 300 MiB", Run: slowReader},
		Case{Name: "separation/many-streams", Guarantees: guarantee.ServerPerPeer | guarantee.EgressCallers, Expect: "The egress gateway rejects no other caller while one caller holds 1,100 streams", Run: manyStreams},
		Case{Name: "separation/two-ingress-pods", Guarantees: guarantee.ExplicitAccess, Expect: "The gateways distribute gRPC calls over two pods of the ingress gateway", Run: twoIngressPods},
	)
}

// streamPlan are gRPC streams that a workload holds open by the local name.
func streamPlan(name string, count int) traffic.Hold {
	return traffic.Hold{Name: name, Count: count, Probe: traffic.Probe{Kind: "grpc", URL: "http://search:9000/search.Query/Talk"}}
}

// duringAttack holds streams of north and of another pod of west open during an action, and for a while after it.
func duringAttack(t *T, attack func()) {
	stops := []func() ([]traffic.Held, error){holding(t, NorthAPI, streamPlan("north", 20)), holding(t, Batch, streamPlan("batch of west", 20))}
	t.Pause(3 * time.Second)
	attack()
	t.Pause(3 * time.Second)
	for _, stop := range stops {
		held, err := stop()
		t.Must(err)
		ended := 0
		why := map[string]int{}
		for _, one := range held {
			if !one.Alive() {
				ended++
				why[firstWord(one.Why)]++
			}
		}
		t.Logf("%s: %d of %d streams stay open", held[0].Name, len(held)-ended, len(held))
		if ended > 0 {
			t.Errorf("%s: %d of %d streams ended or missed a line: %v", held[0].Name, ended, len(held), why)
		}
	}
}

// unansweredMethod is a call that the backend does not answer.
const unansweredMethod = "/search.Query/Deaf"

func resetsOfPeer(t *T) {
	leaf := GenuineWest(t.Federation)
	plan := traffic.Attack{
		Probe: traffic.Probe{
			Kind: "reset", URL: "https://" + searchOf("west") + unansweredMethod, Dial: EastAddress, Body: "go",
			TLS: &traffic.TLS{ServerName: searchOf("west"), Cert: leaf.Cert, Key: leaf.Key}, Every: 250 * time.Millisecond,
		},
		GRPC: true, Connections: 4, Streams: 100, Waves: 8, Delay: 20 * time.Millisecond,
	}
	plan.For = 6 * time.Second
	duringAttack(t, func() {
		report, err := attackOutside(t, plan)
		t.Must(err)
		t.Logf("%s", report)
	})
}

func deadlinesOfCaller(t *T) {
	plan := traffic.Attack{
		Probe: traffic.Probe{Kind: "reset", URL: "http://search:9000" + unansweredMethod, Body: "go", Every: 600 * time.Millisecond},
		GRPC:  true, Connections: 7, Streams: 90, Waves: 2, Delay: 500 * time.Millisecond, // its own sidecar ends a connection with more
	}
	plan.For = 5 * time.Second
	duringAttack(t, func() {
		reports, err := t.West.Attack(t.Context(), ShopAPI.Workload, []traffic.Attack{plan})
		t.Must(err)
		t.Logf("%s", reports[0])
	})
}

func slowReader(t *T) {
	leaf := GenuineWest(t.Federation)
	plan := traffic.Attack{
		Probe: traffic.Probe{
			Kind: "window", URL: "https://" + searchOf("west") + "/search.Query/Flood", Dial: EastAddress, Body: "go",
			TLS: &traffic.TLS{ServerName: searchOf("west"), Cert: leaf.Cert, Key: leaf.Key},
		},
		GRPC: true, Streams: 100,
	}
	plan.For = 8 * time.Second
	calls := func() []traffic.Sample {
		return t.Try(NorthAPI, traffic.Probe{Kind: "grpc", URL: "http://search:9000/search.Query/Find", Body: "hello", Every: 20 * time.Millisecond, For: 5 * time.Second, Reuse: true})[0].Samples
	}
	locked := Workload{Mesh: t.East, Workload: "search/search"}
	replacePod(t, locked) // its proxy gives nothing back of what earlier attacks took
	quiet := calls()
	memory(t, locked, true)
	ended := make(chan error, 1)
	go func() {
		_, err := attackOutside(t, plan)
		ended <- err
	}()
	t.Pause(1500 * time.Millisecond)
	meanwhile := calls()
	t.Must(<-ended)
	was, is := percentile(quiet, 0.99), percentile(meanwhile, 0.99)
	failed := OtherThan(meanwhile, "OK")
	t.Logf("p99 of north %s, and %s meanwhile; %d of %d calls failed", inMilliseconds(was), inMilliseconds(is), len(failed), len(meanwhile))
	if len(failed) > 0 {
		t.Errorf("calls of north: %s", Summarize(failed, meanwhile[0].At))
	}
	judgeDelay(t, "north", was, is)
	_, most := memory(t, locked, false)
	t.Logf("%.0f MiB of the workload's proxy", most)
	if most > mostMemory {
		t.Errorf("%.0f MiB of the workload's proxy, and not below %.0f", most, mostMemory)
	}
}

func manyStreams(t *T) {
	many := streamPlan("api", 1100)
	many.Every, many.Timeout = 20*time.Second, 20*time.Second
	stop := holding(t, ShopAPI, many)
	t.Pause(6 * time.Second)
	outcomes := map[string]int{}
	for range 10 {
		outcomes[t.Try(Batch, GrpcCall("search:9000", "/search.Query/Find")(t.Federation))[0].Outcome()]++
	}
	held, err := stop()
	t.Must(err)
	open, why := 0, map[string]int{}
	for _, one := range held {
		if one.Alive() {
			open++
		} else {
			why[one.Why]++
		}
	}
	t.Logf("the first caller holds %d of 1,100 streams %v; calls of the other: %v", open, why, outcomes)
	if outcomes["OK"] != 10 {
		t.Errorf("of 10 calls of another caller: %v", outcomes)
	}
}

const counted = "/search.Count/Talk"

// twoIngressPods counts in the pods' access logs.
func twoIngressPods(t *T) {
	gateway := t.Ingress()
	scale := func(ctx context.Context, replicas string) error {
		if _, err := gateway.Mesh.Kubectl(ctx, "", "-n", federation.Boundary, "scale", "deployment/"+gateway.Name(), "--replicas="+replicas); err != nil {
			return err
		}
		return Rolled(ctx, gateway.Mesh, federation.Boundary, gateway.Name())
	}
	t.AnswersAtTheEnd(ShopAPI, traffic.Probe{URL: "http://chat:8080/"})
	t.Restore(func(ctx context.Context) error { return scale(ctx, "1") })
	t.Must(scale(t.Context(), "2"))
	t.Pause(8 * time.Second) // until every node routes to both
	var stops []func() ([]traffic.Held, error)
	for _, from := range []From{ShopAPI, Batch} {
		plan := streamPlan(from.Workload, 500)    // on several connections each: two alone may meet at one pod
		plan.URL = "http://search:9000" + counted // earlier cases have called the other method, on the same pods
		stops = append(stops, holding(t, from, plan))
	}
	t.Pause(4 * time.Second)
	for _, stop := range stops {
		_, err := stop()
		t.Must(err)
	}
	t.Pause(time.Second)
	pods, err := t.East.Client.CoreV1().Pods(federation.Boundary).List(t.Context(), metav1.ListOptions{LabelSelector: "app=" + gateway.Name()})
	t.Must(err)
	counts := map[string]int{}
	for _, pod := range pods.Items {
		log, err := t.East.Logs(t.Context(), &pod, "istio-proxy")
		t.Must(err)
		counts[pod.Name] = strings.Count(log, counted)
	}
	t.Logf("1,000 streams of two callers: %v", slices.Sorted(maps.Values(counts)))
	serving := slices.DeleteFunc(slices.Collect(maps.Values(counts)), func(count int) bool { return count == 0 })
	if len(serving) < 2 { // a pod of before may still be there
		t.Errorf("one pod served all of 1,000 streams: %v", counts)
	}
}
