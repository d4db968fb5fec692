package load

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	core "k8s.io/api/core/v1"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Limits for the resources of a gateway and for the delay of other calls while a peer or a caller attacks.
const (
	mostMemory  = 300.0 // MiB
	leftOver    = 1.5   // times the memory of before
	leftByFlood = 2.0   // the same after a flood: the allocator caches many small allocations
	slowerBy    = 2.0   // times the 99th percentile of a quiet time
	coresShared = 60 * time.Millisecond
	recovery    = time.Minute
)

// coresShared is the delay that the attacker itself may add to other answers, because it runs on the same cores as the
// gateways and every other program of the lab. A percentile below it is noise.

// Bounded are attacks by authorized clients: a peer with its genuine certificate, and a caller with the certificate of
// its workload.
func Bounded() []Case {
	all := []Case{}
	for _, s := range resourceAttacks() {
		others := "other peers are not slowed down"
		if s.floods() {
			others = "other peers still get answers"
		}
		all = append(all,
			Case{Name: "bounded/" + s.name, Guarantees: guarantee.ServerPerPeer, Run: s.atIngress,
				Expect: "The ingress gateway stays below 300 MiB, and " + others + ", while a peer " + s.does},
		)
		if s.atEgressToo {
			all = append(all, Case{Name: "bounded/" + s.name + "-egress", Guarantees: guarantee.EgressCallers, Run: s.atEgress,
				Expect: "The egress gateway stays below 300 MiB, and " + strings.Replace(others, "peers", "callers", 1) + ", while a caller " + s.does})
		}
	}
	return InScenario("held", all...)
}

// resourceAttack is an attack on an export of east.
type resourceAttack struct {
	name, does  string
	atEgressToo bool
	export      string // and its port
	plan        traffic.Attack
	// endedWithin is when the gateway must have ended every connection of the attack, if it must.
	endedWithin time.Duration
}

// floods are attacks that use all cores, which attacker, gateways and victims share in the lab. The delay of other
// answers depends on the number of cores, so only their arrival is checked.
var floods = []string{
	"no-window-all", "no-window-many", "slow-reader", "slow-reader-http1", "large-headers", "upload", "pings", "tcp-not-read",
}

func resourceAttacks() []resourceAttack {
	window := func(streams, connections int) traffic.Attack {
		return traffic.Attack{Probe: traffic.Probe{Kind: "window", URL: "/?bytes=100000000"}, Streams: streams, Connections: connections}
	}
	probe := func(kind, target string) traffic.Probe { return traffic.Probe{Kind: kind, URL: target} }
	const chat, sink, search, echo = "p8080.chat", "p8070.sink", "p9000.search", "p7000.echo"
	return []resourceAttack{
		{"no-window-50", "requests large answers on 50 streams and reads none", false, chat, window(50, 1), 0},
		{"no-window-100", "requests large answers on 100 streams and reads none", false, chat, window(100, 1), 0},
		{"no-window-all", "requests large answers on all streams of a connection and reads none", true, chat, window(0, 1), 0},
		{"no-window-many", "requests large answers on 20 connections and reads none", true, chat, window(100, 20), 0},
		{"no-window-grpc", "requests endless gRPC streams and reads none", true, search,
			traffic.Attack{Probe: traffic.Probe{Kind: "window", URL: "/search.Query/Flood", Body: "go"}, GRPC: true, Streams: 100}, 0},
		{"slow-reader", "reads 1 KiB of 100 answers each second", false, chat,
			traffic.Attack{Probe: probe("window", "/?bytes=100000000"), Streams: 100, Connections: 5, Window: 1024, Drip: 1024}, 0},
		{"slow-reader-http1", "reads nothing of 200 HTTP/1.1 answers", true, chat, traffic.Attack{Probe: probe("slow", "/?bytes=100000000"), Connections: 200}, 0},
		{"half-a-header", "sends half a header on 500 connections", false, chat, traffic.Attack{Probe: probe("half", "/"), Connections: 500}, 20 * time.Second},
		{"large-headers", "sends 50 kB of headers on each of 1,000 streams and ends none", true, chat,
			traffic.Attack{Probe: probe("headers", "/"), Connections: 10, Streams: 100, Bytes: 50_000}, 0},
		{"endless-header", "sends endless headers on 10 connections", false, chat, traffic.Attack{Probe: probe("continuation", "/"), Connections: 10}, 8 * time.Second},
		{"rapid-reset", "opens and resets streams as fast as it can", false, chat,
			traffic.Attack{Probe: probe("reset", "/"), Connections: 4, Streams: 100, Waves: 50}, 0},
		{"upload", "uploads on 400 streams to a backend that does not read", true, sink, traffic.Attack{Probe: probe("upload", "/"), Connections: 4, Streams: 100}, 0},
		{"upload-grpc", "uploads by gRPC on 400 streams to a backend that does not read", false, search,
			traffic.Attack{Probe: traffic.Probe{Kind: "upload", URL: "/search.Query/Deaf", Body: "go"}, GRPC: true, Connections: 4, Streams: 100}, 0},
		{"idle-connections", "opens 1,000 connections and sends nothing", false, chat, traffic.Attack{Probe: probe("idle", "/"), Connections: 1000}, 0},
		{"pings", "sends PING frames on 10 connections and reads no acknowledgement", false, chat, traffic.Attack{Probe: probe("ping", "/"), Connections: 10}, 0},
		{"tcp-not-read", "reads nothing of 200 TCP connections", true, echo, traffic.Attack{Probe: probe("deaf", "/"), Connections: 200}, 0},
	}
}

func (s resourceAttack) floods() bool { return slices.Contains(floods, s.name) }

// planned is the attack by a client that connects to a server of a gateway.
func (s resourceAttack) planned(serverName, address string, leaf pki.Leaf, alpn ...string) traffic.Attack {
	plan := s.plan
	plan.For, plan.Timeout = max(6*time.Second, s.endedWithin), 6*time.Second
	plan.URL, plan.Dial = "https://"+serverName+plan.URL, address
	if plan.Kind == "upload" {
		plan.Method = "POST"
	}
	plan.TLS = &traffic.TLS{ServerName: serverName, Cert: leaf.Cert, Key: leaf.Key, ALPN: alpn}
	return plan
}

func (s resourceAttack) atIngress(t *T) {
	plan := s.planned(s.export+".west.fed.east.example", EastAddress, GenuineWest(t.Federation))
	others := ToIngress(GenuineNorth, WithSNI(ReviewOf("north")))(t.Federation) // a backend that is not attacked
	others.URL = "https://" + ReviewOf("north") + "/reviews/0"
	report := measureAttack(t, s, t.Ingress(), Outside, others, plan.For, func() (*traffic.Report, error) { return attackOutside(t, plan) })
	if s.endedWithin > 0 && report.Ended != report.Connections {
		t.Errorf("%s after the beginning, the gateway has ended %d of %d connections of the attack", plan.For, report.Ended, report.Connections)
	}
}

func (s resourceAttack) atEgress(t *T) {
	leaf := MeshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/shop/sa/batch"})(t.Federation)
	plan := s.planned(s.export+".shop.east.egress.fed.west.example", EgressHost+":15443", leaf, "istio")
	measureAttack(t, s, t.Egress(), ShopAPI, traffic.Probe{URL: "http://ratings:9080/"}, plan.For, func() (*traffic.Report, error) {
		reports, err := t.West.Attack(t.Context(), NoSidecar.Workload, []traffic.Attack{plan})
		if err != nil {
			return nil, err
		}
		return reports[0], nil
	})
}

// attackOutside runs an attack from the host outside of all meshes.
func attackOutside(t *T, plan traffic.Attack) (*traffic.Report, error) {
	reports, err := t.Federation.AttackOutside(plan)
	if err != nil {
		return nil, err
	}
	return reports[0], nil
}

// measureAttack measures a gateway and ten connections of another caller before, during and after an attack.
func measureAttack(t *T, s resourceAttack, gateway Workload, who From, others traffic.Probe, lasts time.Duration, attack func() (*traffic.Report, error)) *traffic.Report {
	calls := func(within time.Duration, during func()) []traffic.Sample {
		probes := make([]traffic.Probe, 10)
		for i := range probes {
			probes[i] = others
			probes[i].Every, probes[i].For, probes[i].Reuse = 100*time.Millisecond, within, true
		}
		answers := make(chan []traffic.Answer, 1)
		go func() {
			got, err := Probe(t.Context(), t.Federation, who, probes...)
			if err != nil {
				t.Errorf("the others: %v", err)
			}
			answers <- got
		}()
		during()
		var all []traffic.Sample
		for _, answer := range <-answers {
			all = append(all, answer.Samples...)
		}
		return all
	}
	if now, _ := memory(t, gateway, false); now > mostMemory/2 { // the attack of an earlier case is still in it
		replacePod(t, gateway)
	}
	quiet := calls(3*time.Second, func() {})
	if failed := OtherThan(quiet, "200"); len(quiet) == 0 || len(failed) > 0 {
		t.Must(fmt.Errorf("before the attack %d of %d other requests failed", len(failed), len(quiet)))
	}
	before, _ := memory(t, gateway, true)
	var report *traffic.Report
	meanwhile := calls(lasts+time.Second, func() {
		time.Sleep(500 * time.Millisecond)
		var err error
		report, err = attack()
		t.Must(err)
	})
	_, most := memory(t, gateway, false)
	after := most
	for began := time.Now(); time.Since(began) < recovery && after > leftOver*before; {
		t.Pause(time.Second)
		after, _ = memory(t, gateway, false)
	}
	was, is := percentile(quiet, 0.99), percentile(meanwhile, 0.99)
	t.Logf("%.0f MiB before, %.0f during, %.0f after; p99 of others %s and %s; %s", before, most, after, inMilliseconds(was), inMilliseconds(is), report)
	if failed := OtherThan(meanwhile, "200 | "+starved); len(failed) > 0 {
		t.Errorf("of %d other requests: %s", len(meanwhile), Summarize(failed, meanwhile[0].At))
	}
	judgeLate(t, "others", meanwhile)
	if most > mostMemory {
		t.Errorf("%.0f MiB during the attack, and not below %.0f", most, mostMemory)
	}
	left := leftOver
	if s.floods() {
		left = leftByFlood
	}
	if after > left*before {
		t.Errorf("%.0f MiB %s after the attack, %.1f times as much as before", after, recovery, after/before)
	}
	if !s.floods() {
		judgeDelay(t, "the others", was, is)
	}
	if report.Connections == 0 {
		t.Errorf("no connection was opened: %s", report)
	}
	return report
}

// judgeDelay compares 99th percentiles, unless other programs of this computer affect the measurement.
func judgeDelay(t *T, whose string, was, is time.Duration) {
	if patience.Busy() {
		t.Logf("p99 not judged, because the machine was busy with other programs")
		return
	}
	if is > coresShared && is.Seconds() > slowerBy*was.Seconds() {
		t.Errorf("the p99 of %s is %s, and was %s", whose, inMilliseconds(is), inMilliseconds(was))
	}
}

// starved is how calls end when the gateways have no time left: a time-out, a gateway that misses its probe, or a
// handshake that takes too long.
const starved = "timeout | refused | 503"

// judgeLate fails if a call ended late, unless the machine is busy with other programs: a flood uses the cores that the
// whole lab shares.
func judgeLate(t *T, whose string, samples []traffic.Sample) {
	late := slices.DeleteFunc(slices.Clone(samples), func(one traffic.Sample) bool { return !outcome.Matches(one.Outcome, starved) })
	switch {
	case len(late) == 0:
	case patience.Busy():
		t.Logf("%d of %d requests of %s were late or found no ready gateway; not judged, because the machine was busy with other programs", len(late), len(samples), whose)
	default:
		t.Errorf("%d of %d requests of %s were late or found no ready gateway", len(late), len(samples), whose)
	}
}

// replacePod replaces the pod of a gateway.
func replacePod(t *T, gateway Workload) {
	_, err := gateway.Mesh.Kubectl(t.Context(), "", "-n", gateway.Namespace(), "rollout", "restart", "deployment/"+gateway.Name())
	t.Must(err)
	t.Must(Rolled(t.Context(), gateway.Mesh, gateway.Namespace(), gateway.Name()))
	t.Pause(5 * time.Second) // the old pod has left the addresses of the Service by then
}

var residentMemory = regexp.MustCompile(`Vm(HWM|RSS):\s+(\d+) kB`)

// memory is the resident memory of a gateway's Envoy, and its maximum since the last reset, in MiB.
func memory(t *T, gateway Workload, reset bool) (now, most float64) {
	var pod *core.Pod
	t.Must(mesh.Wait(t.Context(), recovery, func() (err error) { // a gateway that was just attacked may miss a probe
		pod, err = gateway.Mesh.Pod(t.Context(), gateway.Workload)
		return err
	}))
	script := `for p in /proc/[0-9]*; do if [ "$(cat $p/comm 2>/dev/null)" = envoy ]; then cat $p/status; ` + map[bool]string{true: "echo 5 > $p/clear_refs; "}[reset] + `fi; done`
	out, err := gateway.Mesh.Exec(t.Context(), pod, "istio-proxy", nil, "sh", "-c", script)
	t.Must(err)
	for _, found := range residentMemory.FindAllStringSubmatch(out, -1) {
		kilobytes, err := strconv.ParseFloat(found[2], 64)
		t.Must(err)
		if found[1] == "RSS" {
			now = kilobytes / 1024
		} else {
			most = kilobytes / 1024
		}
	}
	if now == 0 {
		t.Must(fmt.Errorf("no Envoy in %s: %q", gateway.Name(), out))
	}
	return now, most
}

// percentile of how long answers took.
func percentile(samples []traffic.Sample, share float64) time.Duration {
	if len(samples) == 0 {
		return math.MaxInt64
	}
	took := make([]time.Duration, len(samples))
	for i, sample := range samples {
		took[i] = sample.Took
	}
	slices.Sort(took)
	return took[min(len(took)-1, int(share*float64(len(took))))]
}

func inMilliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
