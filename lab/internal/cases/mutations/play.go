package mutations

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/edits"
	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// mutatedFederation is a federation on which protections are removed and restored.
type mutatedFederation struct {
	*federation.Federation
	ctx      context.Context
	scenario string
	attempts map[string]Attempt
	original map[string][]*unstructured.Unstructured // by mesh
	current  map[string]*unstructured.Unstructured   // what is changed at the moment, by mesh and key
}

// Play runs mutations of one scenario, which is applied, one after the other, and passes each result to done. An error
// means that the scenario was not restored: the mutations without a result were not run.
func Play(ctx context.Context, f *federation.Federation, cases []Case, chosen []Mutation, done func(MutationResult)) error {
	scenario := chosen[0].Scenario
	m := mutatedFederation{f, ctx, scenario, map[string]Attempt{}, map[string][]*unstructured.Unstructured{}, map[string]*unstructured.Unstructured{}}
	for _, c := range cases {
		for i, attempt := range c.Attempts {
			if c.Scenario == scenario && !waitsForSilence(f, attempt) && (c.Group() != "paths" || i == 0 && slices.Contains(repeatedSpellings, c.Name)) {
				m.attempts[fmt.Sprintf("%s#%d", c.Name, i)] = attempt
			}
		}
	}
	for _, one := range f.Meshes() {
		objects, err := f.Objects(scenario, one.Name)
		if err != nil {
			return err
		}
		m.original[one.Name] = objects
	}
	base, err := m.outcomes(nil)
	if err != nil {
		return err
	}
	for name, outcome := range base {
		if want := m.attempts[name].Want; outcome != want {
			return fmt.Errorf("before any mutation, %s is %s and not %s", name, outcome, want)
		}
	}
	for _, mutation := range chosen {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var noticed []string
		err := Safely(func() (err error) {
			noticed, err = m.play(mutation, base)
			return err
		})
		restored := m.restored(base)
		if ctx.Err() != nil {
			return ctx.Err() // it was interrupted, so there is no result
		}
		done(MutationResult{mutation, noticed, errors.Join(err, restored)})
		if restored != nil {
			return fmt.Errorf("after %s: %w", mutation.Name, restored)
		}
	}
	return nil
}

// restored waits until every attempt has its first outcome again: the next mutation must not be compared with this one.
func (m mutatedFederation) restored(base map[string]string) error {
	return mesh.Wait(m.ctx, 20*time.Second, func() error {
		now, err := m.outcomes(nil)
		if err == nil {
			if left := differences(base, now); len(left) > 0 {
				err = fmt.Errorf("still different: %s", strings.Join(left, "; "))
			}
		}
		return err
	})
}

// repeatedSpellings are the spellings that are repeated for every mutation: one of each kind.
var repeatedSpellings = []string{"paths/prefix-alone", "paths/double-slash", "paths/double-slash-inside", "paths/dots", "paths/encoded-slash", "paths/backslash"}

// waitsForSilence reports whether an attempt waits for a time-out or for an idle time: such attempts would take most of
// the time, and test other things.
func waitsForSilence(f *federation.Federation, a Attempt) bool {
	return strings.Contains(a.Want, "timeout") && a.From == NoSidecar || a.Probe(f).Kind == "raw"
}

func (m mutatedFederation) play(mutation Mutation, base map[string]string) (noticed []string, err error) {
	if mutation.Cannot != "" && mutation.Extra == nil {
		return nil, nil
	}
	var undo []func() error
	defer func() {
		for _, back := range slices.Backward(undo) {
			if failed := back(); failed != nil && err == nil {
				err = failed
			}
		}
	}()
	for _, name := range mutation.Off {
		back, err := m.apply(mutationNamed(name))
		undo = append(undo, back)
		if err != nil {
			return nil, err
		}
	}
	for name, text := range mutation.Attack {
		objects, err := mesh.Objects(text)
		if err != nil {
			return nil, err
		}
		target := m.Mesh(name)
		undo = append(undo, func() error { return target.Delete(context.WithoutCancel(m.ctx), objects...) })
		// An admission policy that was just switched off goes on for a moment.
		if err := mesh.Wait(m.ctx, 10*time.Second, func() error { return target.Put(m.ctx, objects...) }); err != nil {
			return nil, err
		}
	}
	if mutation.Impostor != nil {
		back, err := m.impostor(mutation.Impostor)
		undo = append(undo, back)
		if err != nil {
			return nil, err
		}
	}
	if len(undo) > 0 || mutation.Extra != nil {
		m.settle()
		if base, err = m.outcomes(mutation.Extra); err != nil {
			return nil, err
		}
	}
	back, err := m.apply(mutation)
	undo = append(undo, back)
	if err != nil {
		return nil, err
	}
	for range 10 { // a busy computer may take a moment longer
		m.settle()
		after, err := m.outcomes(mutation.Extra)
		if err != nil {
			return nil, err
		}
		if noticed = differences(base, after); len(noticed) > 0 {
			again, err := m.outcomes(mutation.Extra) // a single odd answer is no sign
			lasting := differences(base, again)
			noticed = slices.DeleteFunc(noticed, func(one string) bool { return !slices.Contains(lasting, one) })
			if len(noticed) > 0 || err != nil {
				return noticed, err
			}
		}
	}
	return nil, nil
}

// impostor answers on this computer, where west sends its calls in place of east.
func (m mutatedFederation) impostor(shown CertificateSource) (func() error, error) {
	nothing := func() error { return nil }
	leaf := shown(m.Federation)
	pair, err := tls.X509KeyPair([]byte(leaf.Cert), []byte(leaf.Key))
	if err != nil {
		return nothing, err
	}
	ctx, stop := context.WithCancel(m.ctx)
	address := m.Lab.Here()
	if _, err := traffic.Capture(ctx, address+":15443", &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert}, func(traffic.Seen) {}); err != nil {
		stop()
		return nothing, err
	}
	back, err := m.apply(Mutation{
		Mesh: "west", Kind: "ServiceEntry", Object: "fed-out-reviews-9080-east", Change: edits.WithField("spec/endpoints", []any{map[string]any{"address": address}}),
	})
	return func() error { stop(); return back() }, err
}

// settle waits for istiod and the proxies to apply a change. istiod collects changes for a tenth of a second; what has
// no effect yet is given more time.
func (m mutatedFederation) settle() { time.Sleep(900 * time.Millisecond) }

func differences(before, after map[string]string) []string {
	var noticed []string
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if before[name] != after[name] {
			short, _, _ := strings.Cut(name, "#")
			noticed = append(noticed, fmt.Sprintf("%s: %s → %s", short, before[name], after[name]))
		}
	}
	return slices.Compact(noticed)
}

// outcomes runs all attempts, those of one workload at once.
func (m mutatedFederation) outcomes(extra []Attempt) (map[string]string, error) {
	all := maps.Clone(m.attempts)
	for i, attempt := range extra {
		all["attack/"+strconv.Itoa(i)] = attempt
	}
	byFrom := map[From][]string{}
	outcomes := map[string]string{}
	for name, attempt := range all {
		if attempt.Do != nil {
			outcomes[name] = attempt.Do(m.ctx, m.Federation)
			continue
		}
		byFrom[attempt.From] = append(byFrom[attempt.From], name)
	}
	var group errgroup.Group
	var lock sync.Mutex
	for from, names := range byFrom {
		slices.Sort(names)
		work := func() error {
			var probes []traffic.Probe
			for _, name := range names {
				p := all[name].Probe(m.Federation)
				if p.Timeout == 0 {
					p.Timeout = patience.Of(2 * time.Second)
				}
				probes = append(probes, p)
			}
			answers, err := Probe(m.ctx, m.Federation, from, probes...)
			lock.Lock()
			defer lock.Unlock()
			for i, answer := range answers {
				got := all[names[i]].OutcomeOf(answer)
				if want := all[names[i]].Want; outcome.Matches(got, want) {
					got = want // one of several that are as good as another
				}
				outcomes[names[i]] = got
			}
			return err
		}
		group.Go(func() error { return Safely(work) })
	}
	return outcomes, group.Wait()
}

// apply changes or deletes one object, and returns a function that restores it, which is never nil.
func (m mutatedFederation) apply(mutation Mutation) (func() error, error) {
	target := m.Mesh(mutation.Mesh)
	original := FindObject(m.original[mutation.Mesh], mutation.Kind, mutation.Object)
	key := mutation.Mesh + " " + mesh.Key(original)
	before := m.current[key]
	if before == nil {
		before = original
	}
	write := func(ctx context.Context, o *unstructured.Unstructured) error {
		m.current[key] = o
		if err := target.PutOwn(ctx, o); err != nil || o.GetKind() != "Deployment" {
			return err
		}
		return target.Ready(ctx, o.GetNamespace())
	}
	back := func() error { return write(context.WithoutCancel(m.ctx), before) } // a protection is restored even if the check is interrupted
	if mutation.Change == nil {
		return back, target.Delete(m.ctx, original)
	}
	changed := before.DeepCopy()
	mutation.Change(changed)
	return back, write(m.ctx, changed)
}
