// Package load has the cases for connections that stay open, for attacks on memory and processors, and for the
// separation of peers.
package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

var (
	// Certificates of the egress gateways of south and audit, peers whose CAs the lab generates.
	genuineSouth = ofBoundary("west")
	genuineAudit = ofBoundary("east")
)

const (
	drains  = 45 * time.Second // how long Istio's agent waits for Envoy to drain connections of removed filter chains
	heldFor = 2 * drains
)

// ofBoundary issues the certificate of an egress gateway from the CA that a mesh has for its boundary alone.
func ofBoundary(meshName string) CertificateSource {
	return func(f *federation.Federation) pki.Leaf {
		authority, err := f.Authority(meshName + "-boundary")
		if err != nil {
			panic(err)
		}
		leaf, err := authority.Issue(pki.Request{SpiffeID: "spiffe://boundary." + meshName + ".example/ns/istio-federation/sa/federation-egress"})
		if err != nil {
			panic(err)
		}
		return leaf
	}
}

// HeldOpen are connections that stay open while the configuration of others changes.
func HeldOpen() []Case {
	return InScenario("held",
		Attempts("held/open", guarantee.ExplicitAccess, "Two peers through their gateways and one without reach HTTP, gRPC and TCP exports",
			Attempt{From: ShopAPI, Probe: Get("http://chat:8080/"), Want: "200"},
			Attempt{From: Batch, Probe: GrpcCall("search:9000", "/search.Query/Find"), Want: "OK"},
			Attempt{From: NorthAPI, Probe: GrpcCall("search:9000", "/search.Query/Find"), Want: "OK"},
			Attempt{From: NorthAPI, Probe: Get("http://chat:8080/"), Want: "200"},
			Attempt{From: Outside, Probe: ToIngress(genuineSouth, WithSNI(chatOf("south")), WithURLHost(chatOf("south"))), Want: "200"}),
		Case{Name: "held/changes-of-others", Guarantees: guarantee.ServerPerPeer | guarantee.TwoControls, Expect: "51 connections of three peers survive every change of grants, rules, exports, bindings and callers that are not theirs", Run: heldThroughChanges},
		Case{Name: "held/new-peer", Guarantees: guarantee.ServerPerPeer, Expect: "A new peer gets access, and no request of the other peers fails", Run: heldThroughNewPeer},
	)
}

func chatOf(peer string) string { return "p8080.chat." + peer + ".fed.east.example" }

func searchOf(peer string) string { return "p9000.search." + peer + ".fed.east.example" }

func echoOf(peer string) string { return "p7000.echo." + peer + ".fed.east.example" }

// holding opens connections, and returns a function that closes them and returns what happened to each.
func holding(t *T, from From, plans ...traffic.Hold) func() ([]traffic.Held, error) {
	if from.Mesh != "" {
		stop, err := t.Mesh(from.Mesh).Hold(t.Context(), from.Workload, plans)
		t.Must(err)
		return stop
	}
	command := t.Lab.Outside("hold")
	input, err := command.StdinPipe()
	t.Must(err)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	t.Must(command.Start())
	t.Restore(func(context.Context) error { input.Close(); return nil })
	t.Must(json.NewEncoder(input).Encode(plans))
	return func() ([]traffic.Held, error) {
		input.Close()
		if err := command.Wait(); err != nil {
			return nil, fmt.Errorf("hold outside: %w: %s", err, &errs)
		}
		var held []traffic.Held
		return held, json.Unmarshal(out.Bytes(), &held)
	}
}

// kinds of connections that a workload of a mesh holds by the local names, with the number of each kind.
func heldBy(name string, count int) []traffic.Hold {
	return []traffic.Hold{
		{Name: name, Count: count, Probe: traffic.Probe{Kind: "tcp", URL: "tcp://echo:7000"}},
		{Name: name, Count: count, Probe: traffic.Probe{Kind: "websocket", URL: "http://chat:8080/?talk"}},
		{Name: name, Count: count, Probe: traffic.Probe{Kind: "grpc", URL: "http://search:9000/search.Query/Talk"}},
	}
}

// heldOutside are connections of a peer without a cluster, at east's ingress gateway.
func heldOutside(t *T, peer string, shown CertificateSource, count int) []traffic.Hold {
	plans := heldBy(peer, count)
	for i, name := range []string{echoOf(peer), chatOf(peer), searchOf(peer)} {
		p := &plans[i].Probe
		leaf := shown(t.Federation)
		p.Dial, p.TLS = EastAddress, &traffic.TLS{ServerName: name, Cert: leaf.Cert, Key: leaf.Key}
		_, path, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(p.URL, "tcp://"), "http://"), "/")
		p.URL = "https://" + name + "/" + path
	}
	return plans
}

// holdConnections holds connections of three peers, and sends requests at the same time.
func holdConnections(t *T, each, outsideEach int) func() []traffic.Held {
	requests := func(name string, p traffic.Probe) traffic.Hold {
		p.Every = 100 * time.Millisecond
		return traffic.Hold{Name: name, Count: 1, Probe: p}
	}
	local := traffic.Probe{Kind: "http", URL: "http://chat:8080/"}
	direct := ToIngress(genuineSouth, WithSNI(chatOf("south")), WithURLHost(chatOf("south")))(t.Federation)
	direct.Kind = "http"
	stops := []func() ([]traffic.Held, error){
		holding(t, ShopAPI, append(heldBy("west", each), requests("west", local))...),
		holding(t, NorthAPI, append(heldBy("north", each), requests("north", local))...),
		holding(t, Outside, append(heldOutside(t, "south", genuineSouth, outsideEach), requests("south", direct))...),
	}
	return func() []traffic.Held {
		all := make([][]traffic.Held, len(stops))
		var group errgroup.Group
		for i, stop := range stops {
			group.Go(func() (err error) { all[i], err = stop(); return err })
		}
		t.Must(group.Wait())
		held := slices.Concat(all...)
		sent, failed := 0, 0
		for _, one := range held {
			if one.Kind == "http" {
				sent, failed = sent+one.Sent, failed+one.Sent-one.Received
				if one.Sent != one.Received {
					t.Errorf("%d of %d requests of %s failed: %s", one.Sent-one.Received, one.Sent, one.Name, one.Why)
				}
			}
		}
		t.Logf("%d of %d requests failed", failed, sent)
		return slices.DeleteFunc(held, func(one traffic.Held) bool { return one.Kind == "http" })
	}
}

// revision is one change, with its time.
type revision struct {
	what, program string
	at            time.Time
}

// applyRevision applies the change in every mesh whose manifests differ.
func applyRevision(t *T, before string, s *revision) {
	s.at = time.Now()
	for _, m := range []*mesh.Mesh{t.East, t.West, t.North} {
		was, err := t.Objects(before, m.Name)
		t.Must(err)
		now, err := t.Objects(s.program, m.Name)
		t.Must(err)
		if !reflect.DeepEqual(was, now) {
			t.Must(t.Become(t.Context(), m, before, s.program))
		}
	}
}

func heldThroughChanges(t *T) {
	revisions := []*revision{
		{what: "grant added", program: "held-grant"}, {what: "grant changed", program: "held-grant-changed"}, {what: "grant removed", program: "held"},
		{what: "export added", program: "held-export"}, {what: "export removed", program: "held"},
		{what: "binding added", program: "held-binding"}, {what: "binding removed", program: "held"},
		{what: "caller added", program: "held-caller"}, {what: "caller removed", program: "held"},
		{what: "rule added", program: "held-rule"}, {what: "rule removed", program: "held"},
	}
	t.Restore(t.Reapply)
	end := holdConnections(t, 6, 5)
	t.Pause(3 * time.Second)
	began, before := time.Now(), "held"
	for _, s := range revisions {
		applyRevision(t, before, s)
		before = s.program
		t.Pause(2 * time.Second)
	}
	changed := time.Since(began)
	t.Pause(heldFor)
	all := end()
	t.Logf("%d changes in %s, then observed for %s", len(revisions), Rounded(changed), heldFor)
	if ended := alive(t, all, revisions); ended > 0 {
		t.Errorf("%d of %d connections ended or missed a line", ended, len(all))
	}
}

func heldThroughNewPeer(t *T) {
	t.Restore(t.Reapply)
	end := holdConnections(t, 4, 4)
	t.Pause(3 * time.Second)
	added := &revision{what: "peer added", program: "held-peer"}
	applyRevision(t, "held", added)
	name := "p9080.reviews.audit.fed.east.example"
	opened := t.Until(Outside, "200", ToIngress(genuineAudit, WithSNI(name), WithURLHost(name))(t.Federation))
	t.Logf("the new peer gets 200 after %s", Rounded(opened))
	t.Pause(drains + 15*time.Second)
	alive(t, end(), []*revision{added})
}

// alive counts the connections that ended, and names the last change before that or before Envoy began to drain them.
func alive(t *T, all []traffic.Held, revisions []*revision) (ended int) {
	ends, of := map[string]int{}, map[string]int{}
	longest, lived := time.Duration(0), [2]time.Duration{time.Hour, 0}
	for _, held := range all {
		kind := held.Kind
		of[kind]++
		switch {
		case held.Alive():
			longest = max(longest, held.Silence)
			continue
		case held.Opened.IsZero():
			kind += " never opened: " + held.Why
		case held.Ended.IsZero():
			kind += fmt.Sprintf(" missed %d lines", held.Sent-held.Received)
		default:
			kind += " " + culprit(held.Ended, revisions) + ": " + firstWord(held.Why)
			lived[0], lived[1] = min(lived[0], held.Ended.Sub(held.Opened)), max(lived[1], held.Ended.Sub(held.Opened))
		}
		ended++
		ends[kind]++
	}
	t.Logf("%d of %d connections stay open (longest silence %s)", len(all)-ended, len(all), Rounded(longest))
	if lived[1] > 0 {
		t.Logf("the others ended after %s to %s", Rounded(lived[0]), Rounded(lived[1]))
	}
	for _, kind := range slices.Sorted(maps.Keys(ends)) {
		t.Logf("%d × %s", ends[kind], kind)
	}
	return ended
}

// firstWord is the beginning of an error.
func firstWord(why string) string { word, _, _ := strings.Cut(why, ":"); return word }

func culprit(ended time.Time, revisions []*revision) string {
	last := func(moment time.Time) string {
		found := "nothing"
		for _, s := range revisions {
			if !s.at.After(moment) {
				found = s.what
			}
		}
		return found
	}
	return fmt.Sprintf("ended after %q, or drained since %q", last(ended), last(ended.Add(-drains)))
}
