package timing

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// orders are the cases in which objects arrive in another order than the files have them.
func orders() []Case {
	var all []Case
	for n := range 2 { // the third is the one below, in an empty cluster
		all = append(all, Case{Name: fmt.Sprintf("order/shuffled-%d", n+1), Guarantees: guarantee.ExplicitAccess | guarantee.ProtectionFirst, Run: shuffled,
			Expect: fmt.Sprintf("While objects arrive in shuffled order %d, no attacker gets in; afterwards the allowed caller does", n+1)})
	}
	all = append(all, Case{Name: "order/trust-last", Guarantees: guarantee.ExplicitAccess | guarantee.ProtectionFirst, Run: trustLast,
		Expect: "Objects that arrive in an empty cluster let no one in until the peer's CA arrives, and then open every export at once"})
	return InScenario("two-meshes-http", all...)
}

// objectStep is an object that is to be applied.
type objectStep struct {
	mesh   *mesh.Mesh
	object *unstructured.Unstructured
}

// steps are all objects of the scenario, shuffled.
func steps(t *T) []objectStep {
	var all []objectStep
	for _, m := range []*mesh.Mesh{t.East, t.West} {
		objects, err := t.Objects(t.Current(), m.Name)
		t.Must(err)
		for _, o := range objects {
			all = append(all, objectStep{m, o})
		}
	}
	rand.New(rand.NewPCG(seed(t), 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// seed is a new one, or that of an earlier run, from the variable SEED.
func seed(t *T) uint64 {
	seed := uint64(time.Now().UnixNano())
	if earlier := os.Getenv("SEED"); earlier != "" {
		var err error
		seed, err = strconv.ParseUint(earlier, 10, 64)
		t.Must(err)
	}
	t.Logf("SEED=%d", seed)
	return seed
}

// inBothMeshes does something in both meshes at once, with the steps of each in their order.
func inBothMeshes(t *T, steps []objectStep, run func(*mesh.Mesh, []*unstructured.Unstructured) error) {
	var group errgroup.Group
	for _, m := range []*mesh.Mesh{t.East, t.West} {
		var objects []*unstructured.Unstructured
		for _, s := range steps {
			if s.mesh == m {
				objects = append(objects, s.object)
			}
		}
		group.Go(func() error { return run(m, objects) })
	}
	t.Must(group.Wait())
}

// deleteSteps deletes objects of both meshes.
func deleteSteps(t *T, steps []objectStep) {
	inBothMeshes(t, steps, func(m *mesh.Mesh, objects []*unstructured.Unstructured) error {
		return m.DeleteNow(t.Context(), objects...)
	})
}

// applySteps applies objects one by one. An object without its namespace is applied again in the next round, as
// delivery tools do.
func applySteps(t *T, steps []objectStep) {
	inBothMeshes(t, steps, func(m *mesh.Mesh, objects []*unstructured.Unstructured) error {
		for round := 0; len(objects) > 0; round++ {
			var later []*unstructured.Unstructured
			for _, o := range objects {
				err := m.PutOwn(t.Context(), o)
				t.Pause(200 * time.Millisecond) // so that attackers can try to connect
				if err != nil && round < 3 && strings.Contains(err.Error(), "not found") {
					later = append(later, o)
				} else if err != nil {
					return err
				}
			}
			objects = later
		}
		return nil
	})
}

// uninvited are attackers that must never be allowed, each of which calls all the time.
func uninvited(t *T) []*Stream {
	ask := func(name string, from From, p traffic.Probe) *Stream {
		p.Every, p.Timeout = time.Second/10, 2*time.Second
		return t.Stream(name, from, p)
	}
	return []*Stream{
		ask("no certificate", Outside, ToIngress(NoCertificate)(t.Federation)),
		ask("another identity of west", Outside, ToIngress(MeshCA("west", pki.Request{SpiffeID: "spiffe://west.example/ns/default/sa/other"}))(t.Federation)),
		ask("an account that is not listed", OtherAccount, Reviews("/reviews/0")),
		ask("a path that no rule names", Productpage, Reviews("/admin")),
	}
}

// keptOut ends the streams and fails if a request got through.
func keptOut(t *T, streams []*Stream) {
	total := 0
	for _, s := range streams {
		samples := t.Samples(s)
		total += len(samples)
		through := slices.DeleteFunc(slices.Clone(samples), func(sample traffic.Sample) bool {
			return !strings.HasPrefix(sample.Outcome, "2") && sample.Pod == ""
		})
		if len(through) > 0 {
			t.Errorf("%s: allowed: %s", s.Name, Summarize(through, samples[0].At))
		}
	}
	t.Logf("%d requests of attackers, none let in", total)
}

// requestsSeen is how many requests the backend has seen so far. Asking does not count.
func requestsSeen(t *T) int {
	answer := t.Try(Caller("east", "default/ratings"), traffic.Probe{URL: "http://reviews:9080/lab/count"})[0]
	counts := map[string]struct{ Requests int }{}
	t.Must(json.Unmarshal([]byte(answer.Body), &counts))
	return counts["9080"].Requests
}

// nobodyCame fails if the backend has received a request since an earlier count.
func nobodyCame(t *T, before int) {
	if after := requestsSeen(t); after != before {
		t.Errorf("the backend has seen %d requests meanwhile", after-before)
	}
}

func shuffled(t *T) {
	t.RestoreScenario()
	steps := slices.DeleteFunc(steps(t), func(s objectStep) bool { // what only takes time: the pods stay
		return slices.Contains([]string{"Namespace", "ServiceAccount", "Deployment"}, s.object.GetKind())
	})
	deleteSteps(t, steps)
	before := requestsSeen(t)
	streams := uninvited(t)
	applySteps(t, steps[:len(steps)-1])
	t.Pause(500 * time.Millisecond)
	applySteps(t, steps[len(steps)-1:])
	t.Pause(500 * time.Millisecond)
	nobodyCame(t, before)
	took := t.Until(Productpage, "200", Reviews("/reviews/0"))
	t.Logf("%d objects, the last one %s in %s; 200 after %.1f s", len(steps), mesh.Key(steps[len(steps)-1].object), steps[len(steps)-1].mesh.Name, took.Seconds()+0.5)
	keptOut(t, streams)
}

func trustLast(t *T) {
	t.RestoreScenario()
	steps := steps(t)
	deleteSteps(t, steps)
	before := requestsSeen(t)
	streams := uninvited(t)
	isTrust := func(s objectStep) bool {
		return s.object.GetKind() == "ConfigMap" && strings.Contains(s.object.GetName(), "-trust")
	}
	applySteps(t, slices.DeleteFunc(slices.Clone(steps), isTrust))
	for _, c := range []Workload{t.Ingress(), t.Egress()} {
		t.Must(Rolled(t.Context(), c.Mesh, c.Namespace(), c.Name()))
	}
	t.Until(Outside, "open", traffic.Probe{Kind: "tcp", URL: "tcp://" + EastAddress}) // without an answer the test would have no meaning
	t.Want(Outside, "closed | reset | alert: *", ToIngress(GenuineWest)(t.Federation))
	t.Want(Productpage, "503", Reviews("/reviews/0"))
	nobodyCame(t, before)

	trust := slices.DeleteFunc(slices.Clone(steps), func(s objectStep) bool { return !isTrust(s) })
	slices.SortFunc(trust, func(a, b objectStep) int { return strings.Compare(a.mesh.Name, b.mesh.Name) })
	applySteps(t, trust[:1])
	t.Logf("east answers 200 %.1f s after west's CA arrived", t.Until(Outside, "200", ToIngress(GenuineWest)(t.Federation)).Seconds())
	t.Want(Productpage, "503", Reviews("/reviews/0"))
	applySteps(t, trust[1:])
	t.Logf("west gets 200 %.1f s after east's CA arrived", t.Until(Productpage, "200", Reviews("/reviews/0")).Seconds())
	keptOut(t, streams)
}
