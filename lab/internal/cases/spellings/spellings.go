// Package spellings has the cases for other spellings of excepted paths and of header names.
package spellings

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/tokens"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/folds"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// What the rules of the scenario except, and paths that lie in it.
var (
	excepted = []string{
		"/orders/drafts/*", "/orders/secret", "/orders/report.html", "/orders/admin.php", "/orders/a+b@c", "/orders/docs/index.html", "/orders/kiosk",
	}
	closed = []string{
		"/orders/secret", "/orders/drafts/1", "/orders/drafts/", "/orders/report.html", "/orders/admin.php", "/orders/a+b@c", "/orders/docs/index.html", "/orders/kiosk",
	}
	corpus = sync.OnceValue(func() []folds.Spelling { return folds.Spellings(closed, excepted...) })
)

// plainPaths must succeed below a rule with exceptions, whatever the mesh normalizes.
var plainPaths = []string{
	"/orders/", "/orders/1", "/orders/a%20b", "/orders/caf%C3%A9", "/orders/%E2%82%AC", "/orders/%D0%B6", "/orders/a+b", "/orders/~me", "/orders/100%25", "/orders/100%25/x",
	"/orders/secrets", "/orders/secret-2", "/orders/secret%20plan", "/orders/secret/plan", "/orders/drafts2/1", "/orders/old-drafts", "/orders/drafts.v2/1", "/orders/my-secret",
	"/orders/docs/x.html", "/orders/reports.html", "/orders/.well-known/x", "/orders/a,b=c:d@e", "/orders/(1)", "/orders/%40me", "/orders/a%26b", "/orders/x..y", "/orders/...x",
	"/orders/1?next=//drafts;a=b&path=%2Forders%2Fdrafts&twice=%2570&back=%5C..&null=%00", "/orders/1?q=;;//../orders/secret",
}

// entryPoint is a caller and its way to the paths.
type entryPoint struct {
	name  string
	From  From
	Probe func(*federation.Federation) traffic.Probe
}

func callerOf(name string, change ...func(*traffic.Probe)) entryPoint {
	return entryPoint{name + " by a caller", ShopAPI, func(*federation.Federation) traffic.Probe {
		p := traffic.Probe{URL: "http://" + name + ".shop:9080"}
		for _, one := range change {
			one(&p)
		}
		return p
	}}
}

func AttackerTo(name, meshName, dial string, change ...func(*traffic.Probe)) entryPoint {
	server := "p9080." + name + ".west.fed." + meshName + ".example"
	return entryPoint{name + " by west's own key", Outside, ToIngress(GenuineWest, append([]func(*traffic.Probe){WithSNI(server), func(p *traffic.Probe) {
		p.URL, p.Dial = "https://"+server, dial
	}}, change...)...)}
}

// withToken adds the end-user JWT that the rules require.
func withToken(f *federation.Federation) func(*traffic.Probe) {
	return func(p *traffic.Probe) {
		p.Header = append(p.Header, [2]string{"authorization", tokens.Bearer(tokens.Reader)(f)[0]})
	}
}

// entryPoints are all kinds of grants, by an allowed caller and past the egress gateway, over both versions of HTTP.
func entryPoints(f *federation.Federation) []entryPoint {
	const north = "203.0.113.30:443"
	return []entryPoint{
		callerOf("orders"), AttackerTo("orders", "east", EastAddress), AttackerTo("orders", "east", EastAddress, OverHTTP2),
		callerOf("everything"), AttackerTo("everything", "east", EastAddress, OverHTTP2),
		callerOf("users", withToken(f)), AttackerTo("users", "east", EastAddress, withToken(f)),
		callerOf("shared"), AttackerTo("shared", "north", north), AttackerTo("shared", "north", north, OverHTTP2),
	}
}

// Cases are other spellings of a path that a rule excepts.
func Cases() []Case {
	corpusCase := func(name, normalization, what string) Case {
		return Case{
			Name: "spellings/" + name, Guarantees: guarantee.TwoControls | guarantee.ErrorsNotGuesses,
			Expect: what + ", no spelling reaches a backend that reads it as an excepted path, and plain paths work",
			Run:    func(t *T) { trySpellings(t, normalization) },
		}
	}
	return InScenario("spellings", append([]Case{
		Analyzed("spellings"),
		corpusCase("default", "", "With Istio's default path normalization"),
		corpusCase("none", "NONE", "With path normalization NONE"),
		corpusCase("merge-slashes", "MERGE_SLASHES", "With path normalization MERGE_SLASHES"),
		corpusCase("decode-and-merge-slashes", "DECODE_AND_MERGE_SLASHES", "With path normalization DECODE_AND_MERGE_SLASHES"),
		{Name: "spellings/without-rules", Guarantees: guarantee.ErrorsNotGuesses, Expect: "Without rules, spellings of excepted paths reach backends of every kind, which read them so: only the rules reject them", Run: withoutRules},
		{Name: "spellings/raw-bytes", Guarantees: guarantee.TwoControls | guarantee.ErrorsNotGuesses, Expect: "The rules match paths that contain bytes of invalid UTF-8", Run: rawBytes},
	}, slices.Concat(RequiredTwice(), underscores(), hopHeaders())...)...)
}

// targets are the spellings, with the excepted paths that the backend checks.
func targets(paths []string) []string {
	query := url.Values{"excepted": excepted}.Encode()
	out := make([]string, len(paths))
	for i, path := range paths {
		out[i] = path + "?" + query
	}
	return out
}

// trySpellings tries the corpus and the plain paths, after the exporting mesh has set its path normalization.
func trySpellings(t *T, normalization string) {
	if normalization != "" {
		normalize(t, normalization)
	}
	paths := everyNth(spelledPaths(), 2, len(normalization)) // half of them: the cases share two cores with all others
	all := entryPoints(t.Federation)
	tried, reached, outcomes := 0, 0, map[string]int{}
	for i, one := range all {
		part := everyNth(paths, 3, i+len(normalization)) // all of them by the first three entrances together
		if i >= 3 {
			part = everyNth(paths, len(all), i+len(normalization))
		}
		for target, answer := range askAll(t, one, targets(part)) {
			tried++
			outcomes[answer.Outcome()]++
			if answer.Seen == nil {
				if !outcome.Matches(answer.Outcome(), "400 | 403 | closed | reset") {
					t.Errorf("%s, %s: %s%s", one.name, target, answer.Outcome(), Detail(answer))
				}
				continue
			}
			reached++
			if len(answer.Seen.ReadBy) > 0 {
				t.Errorf("%s: %s arrives as %s, and %s would serve what is excepted", one.name, target, answer.Seen.Path, strings.Join(answer.Seen.ReadBy, ", "))
			}
		}
		for target, answer := range askAll(t, one, plainPaths) {
			if answer.Outcome() != "200" {
				t.Errorf("%s: %s is rejected: %s%s", one.name, target, answer.Outcome(), Detail(answer))
			}
		}
	}
	t.KeepFailures(20)
	t.Logf("%d spellings in %d requests by %d callers: %s; %d arrived as paths that are not excepted; each of %d plain paths 200",
		len(paths), tried, len(all), outcomeCounts(outcomes), reached, len(plainPaths))
}

func spelledPaths() []string {
	var paths []string
	for _, spelling := range corpus() {
		paths = append(paths, spelling.Path)
	}
	return paths
}

func everyNth(all []string, n, first int) []string {
	var out []string
	for i := first % n; i < len(all); i += n {
		out = append(out, all[i])
	}
	return out
}

func outcomeCounts(outcomes map[string]int) string {
	var words []string
	for outcome, count := range outcomes {
		words = append(words, fmt.Sprintf("%d× %s", count, outcome))
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// askAll requests all targets, several on one connection; those after an answer that closed it are requested again.
func askAll(t *T, one entryPoint, targets []string) map[string]traffic.Answer {
	const onOneConnection, atOnce = 5, 64 // a third of the answers ends its connection
	answers := map[string]traffic.Answer{}
	for len(targets) > 0 {
		var probes []traffic.Probe
		var asked [][]string
		for chunk := range slices.Chunk(targets[:min(len(targets), onOneConnection*atOnce)], onOneConnection) {
			p := one.Probe(t.Federation)
			p.Target, p.Timeout = chunk[0], 30*time.Second
			for _, target := range chunk[1:] {
				p.Then = append(p.Then, traffic.Probe{Target: target, Host: p.Host, Header: p.Header})
			}
			probes, asked = append(probes, p), append(asked, chunk)
		}
		rest := targets[min(len(targets), onOneConnection*atOnce):]
		for i, answer := range t.Try(one.From, probes...) {
			for j, got := range append([]traffic.Answer{answer}, answer.Then...) {
				if got.Error != "" && j > 0 && !strings.HasPrefix(got.Error, "reset: stream") { // the one before has ended the connection
					rest = append(rest[:len(rest):len(rest)], asked[i][j:]...)
					break
				}
				answers[asked[i][j]] = got
			}
		}
		targets = rest
	}
	return answers
}

// normalize changes the mesh config of both exporters for as long as the case runs.
func normalize(t *T, normalization string) {
	set := func(ctx context.Context, normalization string) error {
		for _, m := range []*mesh.Mesh{t.East, t.North} {
			if err := m.SetPathNormalization(ctx, normalization); err != nil {
				return err
			}
		}
		return nil
	}
	t.Restore(func(ctx context.Context) error {
		if err := set(ctx, ""); err != nil {
			return err
		}
		return normalizes(t, ctx, "")
	})
	t.Must(set(t.Context(), normalization))
	t.Must(normalizes(t, t.Context(), normalization))
}

// normalizes waits until the gateways apply the path normalization, which a port without rules shows.
func normalizes(t *T, ctx context.Context, normalization string) error {
	want := map[string]string{"": "/x//b%2fd", "NONE": "/a/../x//%62%2fd", "MERGE_SLASHES": "/x/b%2fd", "DECODE_AND_MERGE_SLASHES": "/x/b/d"}[normalization]
	return mesh.Wait(ctx, time.Minute, func() error {
		p := AttackerTo("open", "east", EastAddress).Probe(t.Federation)
		p.Target = "/a/../x//%62%2fd"
		answers, err := Probe(ctx, t.Federation, Outside, p)
		if err != nil {
			return err
		}
		if seen := answers[0].Seen; seen == nil || seen.Path != want {
			return fmt.Errorf("%s arrives as %+v, and not as %s", p.Target, seen, want)
		}
		return nil
	})
}

func withoutRules(t *T) {
	read, kinds := 0, map[string]bool{}
	for _, one := range []entryPoint{AttackerTo("open", "east", EastAddress), callerOf("open")} {
		for _, answer := range askAll(t, one, targets(everyNth(spelledPaths(), 3, 0))) {
			if answer.Seen == nil {
				continue
			}
			if len(answer.Seen.ReadBy) > 0 {
				read++
			}
			for _, kind := range answer.Seen.ReadBy {
				kinds[kind] = true
			}
		}
	}
	t.Logf("%d requests are read as excepted paths, by %d of %d kinds of backends", read, len(kinds), len(folds.Backends))
	if read < 1000 || len(kinds) != len(folds.Backends) {
		t.Errorf("too few paths for the other cases to be meaningful")
	}
}

// rawBytes tests bytes that could hide the text next to them, since Envoy's patterns read UTF-8.
func rawBytes(t *T) {
	normalize(t, "NONE")
	for _, change := range []func(*traffic.Probe){func(*traffic.Probe) {}, OverHTTP2} {
		for _, name := range []string{"orders", "everything"} {
			one := AttackerTo(name, "east", EastAddress, change)
			for _, path := range []string{"/orders//drafts/\xff", "/orders/\xff/../drafts/1", "/orders/\xfe;/..;/drafts/1", "/orders/%64rafts/\xc3", "/orders/secret;\xff", "/orders/DRAFTS/\xff"} {
				for target, answer := range askAll(t, one, targets([]string{path})) {
					t.Logf("%q %s", path, answer.Outcome())
					if answer.Seen != nil && len(answer.Seen.ReadBy) > 0 || answer.Seen == nil && !outcome.Matches(answer.Outcome(), "400 | 403 | closed | reset") {
						t.Errorf("%s: %q: %s", one.name, target, answer.Outcome())
					}
				}
			}
			for _, target := range []string{"/orders/1?q=caf\xc3\xa9", "/orders/1?q=\xff"} { // Envoy rejects both itself, even without rules
				unruled := AttackerTo("open", "east", EastAddress, change)
				got, want := askAll(t, one, []string{target})[target].Outcome(), askAll(t, unruled, []string{target})[target].Outcome()
				t.Logf("%q %s", target, got)
				if got != want {
					t.Errorf("%s: %q: %s, and %s where there are no rules", one.name, target, got, want)
				}
			}
		}
	}
}
