// Package locks has the cases for locked workloads, and for namespaces that cannot bypass the egress gateway.
package locks

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/edits"
	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Callers in the scenario with locks.
var (
	checkout      = Caller("west", "finance/checkout") // may call the exports of east, and is in a restricted namespace, unlike shopOther
	teller        = Caller("east", "accounts/teller")  // a local caller that is named
	bookkeeper    = Caller("east", "books/ledger")     // of a namespace that is named
	unlistedLocal = Caller("east", "accounts/other")   // a local caller that is not
	noIdentity    = Caller("east", "accounts/plain")   // has the teller's account and no sidecar
)

// Cases are locked workloads, and namespaces that cannot bypass the egress gateway.
func Cases() []Case {
	withdraw := Get("http://withdraw.accounts:8080/withdrawals/0")
	return InScenario("locked",
		Analyzed("locked"),
		Ask("locks/peer", guarantee.ExplicitAccess, "A locked workload answers the peer", checkout, Get("http://withdraw:8080/withdrawals/0"), "200"),
		Ask("locks/additional-host", guarantee.ExplicitAccess, "A restricted namespace reaches the locked workload by an additional host", Caller("west", "finance/resolver"), Get("http://withdraw.east.example:8080/withdrawals/0"), "200"),
		Ask("locks/local-caller", guarantee.WorkloadsUntouched, "A locked workload answers the local caller that is listed", teller, withdraw, "200"),
		Ask("locks/local-namespace", guarantee.WorkloadsUntouched, "A locked workload answers callers of a listed local namespace", bookkeeper, withdraw, "200"),
		Ask("locks/another-account", guarantee.TwoControls, "A locked workload denies another service account of its own namespace", unlistedLocal, withdraw, "403"),
		Ask("locks/plaintext", guarantee.TwoControls, "A locked workload rejects plaintext, whatever service account the caller has", noIdentity, withdraw, outcome.CutOff),
		Case{Name: "locks/plaintext-permissive", Guarantees: guarantee.TwoControls, Expect: "A locked workload rejects plaintext in a mesh that accepts plaintext", Run: lockInPermissiveMesh},
		Case{Name: "locks/tenants-policies", Guarantees: guarantee.TwoControls, Expect: "ALLOW policies of other tenants, in the root namespace or beside the workload, do not open a locked workload", Run: lockAgainstOthers},
		Case{Name: "locks/narrower-policy", Guarantees: guarantee.WorkloadsUntouched, Expect: "A narrower policy of other tenants remains in effect on a locked workload", Run: lockBesideNarrower},
		Case{Name: "locks/probes", Guarantees: guarantee.WorkloadsUntouched, Expect: "A locked workload still serves the node's probes and the sidecar's metrics", Run: lockedProbes},
		Attempts("locks/tcp", guarantee.TwoControls, "A locked database serves the peer; an unlisted workload receives its greeting, and none of its bytes arrive",
			Attempt{From: checkout, Probe: TcpBytes("mysql.finance:3306", "ping"), Want: greetingAndEcho, Read: greets, Words: greetings},
			Attempt{From: unlistedLocal, Probe: TcpBytes("mysql.db:3306", "ping"), Want: greetingOnly, Read: greets, Words: greetings},
		),
		Ask("locks/local-name", guarantee.ExplicitAccess, "A restricted namespace reaches local names of bindings", checkout, Get("http://withdraw.finance:8080/withdrawals/0"), "200"),
		Ask("locks/own-service", guarantee.WorkloadsUntouched, "A restricted namespace reaches Services of its own mesh", checkout, Get("http://prices:8080/"), "200"),
		Attempts("locks/peer-direct", guarantee.ExplicitAccess, "A restricted namespace cannot bypass the egress gateway, even with that gateway's private key",
			Attempt{From: ShopOther, Probe: toWithdraw, Want: "200"},
			Attempt{From: checkout, Probe: toWithdraw, Want: outcome.CutOff},
		),
		Case{Name: "locks/restriction-lifted", Guarantees: guarantee.CompleteRemoval, Expect: "Objects that are removed from a file with several namespaces are pruned in each namespace, as documented", Run: restrictionLifted},
		Case{Name: "locks/declared-hosts", Guarantees: guarantee.ExplicitAccess, Expect: "A restricted namespace reaches only the allowed external hosts of those that ServiceEntries declare", Run: declaredHosts},
	)
}

// Outcomes for a caller of a server that sends first.
const (
	greetingAndEcho = "greeting and echo"
	greetingOnly    = "greeting only"
)

var greetings = []string{greetingAndEcho, greetingOnly}

// greets returns what a server that sends first sends to a caller.
func greets(answer traffic.Answer) string {
	switch {
	case strings.Contains(answer.Body, "ping"):
		return greetingAndEcho
	case answer.Body != "":
		return greetingOnly
	}
	return answer.Outcome()
}

// toWithdraw is a request that bypasses the egress gateway, with its genuine certificate.
func toWithdraw(f *federation.Federation) traffic.Probe {
	name := "p8080.withdraw.west.fed.east.example"
	return ToIngress(GenuineWest, WithSNI(name), func(p *traffic.Probe) { p.URL = "https://" + name + "/withdrawals/0" })(f)
}

func balance(path string) traffic.Probe {
	return traffic.Probe{URL: "http://withdraw.accounts:8080" + path}
}

func lockInPermissiveMesh(t *T) {
	t.Put(t.East, `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: permissive, namespace: accounts}
spec: {mtls: {mode: PERMISSIVE}}
`)
	took := t.Until(noIdentity, "403", balance("/"))
	t.Want(teller, "200", balance("/"))
	t.Logf("403 after %s", Rounded(took))
}

func lockAgainstOthers(t *T) {
	t.Put(t.East, AllowAnything+`---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: anybody, namespace: accounts}
spec: {action: ALLOW, rules: [{}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: they-have-arrived, namespace: accounts}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/marker]}}]}]}
`)
	t.Until(teller, "403", balance("/marker"))
	t.Want(unlistedLocal, "403", balance("/"))
	t.Want(teller, "200", balance("/"))
	t.Logf("403")
	unlock(t, "withdraw", "accounts")
	took := t.Until(unlistedLocal, "200", balance("/"))
	t.Logf("200 after %s without the locking policy", Rounded(took))
}

// unlock removes the policy of a locked workload for as long as the case runs.
func unlock(t *T, service, namespace string) {
	objects, err := t.Objects("locked", "east")
	t.Must(err)
	t.Must(t.East.Delete(t.Context(), FindObject(objects, "AuthorizationPolicy", "fed-lock-"+service+"-"+namespace)))
	t.Restore(func(ctx context.Context) error {
		if err := t.Reapply(ctx); err != nil {
			return err
		}
		return WaitUntil(ctx, t.Federation, unlistedLocal, "403", balance("/"))
	})
}

func lockBesideNarrower(t *T) {
	byPeer := traffic.Probe{URL: "http://withdraw:8080/withdrawals/0"}
	t.Restore(func(ctx context.Context) error { return WaitUntilAlways(ctx, t.Federation, checkout, "200", byPeer) }) // once the policy has been deleted
	t.Put(t.East, `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: owners-own, namespace: accounts}
spec:
  selector: {matchLabels: {app: withdraw}}
  action: ALLOW
  rules: [{from: [{source: {principals: [east.example/ns/accounts/sa/teller]}}], to: [{operation: {paths: [/balance]}}]}]
`)
	took := t.Until(teller, "403", balance("/withdrawals/0"))
	t.Want(teller, "200", balance("/balance"))
	t.Until(checkout, "403", byPeer) // the gateway reuses connections for a while
	t.Logf("403 after %s; what the narrower policy allows 200", Rounded(took))
}

func lockedProbes(t *T) {
	objects, err := t.Objects("locked", "east")
	t.Must(err)
	lock := FindObject(objects, "AuthorizationPolicy", "fed-lock-withdraw-accounts").DeepCopy()
	lock.SetName("of-probed")
	edits.WithField("spec/selector/matchLabels/app", "probed")(lock)
	t.Restore(func(ctx context.Context) error { return t.East.Delete(ctx, lock) })
	t.Must(t.East.Put(t.Context(), lock))
	t.Put(t.East, `apiVersion: apps/v1
kind: Deployment
metadata: {name: probed, namespace: accounts}
spec:
  replicas: 1
  selector: {matchLabels: {app: probed}}
  template:
    metadata: {labels: {app: probed, sidecar.istio.io/inject: "true"}}
    spec:
      serviceAccountName: withdraw
      terminationGracePeriodSeconds: 2
      containers:
      - name: app
        image: mesh-federation-lab/app
        args: [serve, --http, "8080"]
        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
`)
	var pod *core.Pod
	t.Must(mesh.Wait(t.Context(), time.Minute, func() (err error) {
		pod, err = t.East.Pod(t.Context(), "accounts/probed")
		return err
	}))
	if port := pod.Spec.Containers[0].ReadinessProbe.HTTPGet.Port.IntValue(); port != 15020 {
		t.Errorf("the probe uses port %d: injection has not rewritten it", port)
	}
	t.Want(noIdentity, outcome.CutOff, traffic.Probe{URL: "http://" + pod.Status.PodIP + ":8080/ready"})
	for _, port := range []string{"15020", "15090"} {
		t.Want(noIdentity, "200", traffic.Probe{URL: "http://" + pod.Status.PodIP + ":" + port + "/stats/prometheus"})
	}
	t.Logf("ready by port 15020, metrics 200")
}

func declaredHosts(t *T) {
	entry := func(namespace, host string) string {
		return fmt.Sprintf(`apiVersion: v1
kind: Namespace
metadata: {name: egress}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: %s}
spec:
  hosts: [%s]
  addresses: [203.0.113.20]
  ports: [{number: 15443, name: tcp, protocol: TCP}]
  location: MESH_EXTERNAL
  resolution: STATIC
  endpoints: [{address: 203.0.113.20}]
`, namespace, host)
	}
	t.Put(t.West, entry("shop", "peer.example"))
	time.Sleep(3 * time.Second)
	t.Want(checkout, outcome.CutOff, toWithdraw(t.Federation))
	t.Put(t.West, entry("egress", "peer.acquirer.example"))
	took := t.Until(checkout, "200", toWithdraw(t.Federation))
	t.Logf("other hosts closed; an allowed host 200 after %s", Rounded(took))
}

// restrictionLifted applies west's file with an ApplySet without a namespace, and then without the restricted
// namespace.
func restrictionLifted(t *T) {
	const kind = "crd/applysets.mesh-federation.internal"
	kubectl := func(args ...string) {
		_, err := t.West.Kubectl(t.Context(), "", args...)
		t.Must(err)
	}
	t.Restore(func(ctx context.Context) error {
		if _, err := t.West.Kubectl(ctx, "", "delete", kind, "--ignore-not-found"); err != nil {
			return err
		}
		if err := t.Reapply(ctx); err != nil {
			return err
		}
		return WaitUntil(ctx, t.Federation, checkout, outcome.CutOff, toWithdraw(t.Federation))
	})
	kubectl("apply", "-f", t.Page("how-to/applyset-kind.yaml"))
	kubectl("wait", "--for", "condition=established", kind)
	kubectl("create", "-f", t.Page("how-to/applyset.yaml"))
	apply := func(file string) {
		kubectl("apply", "--server-side", "--prune", "--applyset=applysets.mesh-federation.internal/federation", "-f", file)
	}
	whole := t.Files(t.Current(), "west")[0]
	apply(whole)
	t.Until(checkout, outcome.CutOff, toWithdraw(t.Federation))

	text, err := os.ReadFile(whole)
	t.Must(err)
	documents := strings.Split(string(text), "\n---\n")
	directory := t.Directory()
	lifted := filepath.Join(directory, "west.yaml")
	t.Must(os.WriteFile(lifted, []byte(strings.Join(slices.DeleteFunc(documents, func(one string) bool {
		return strings.Contains(one, "fed-restricted-finance")
	}), "\n---\n")), 0o600))
	apply(lifted)
	for _, kind := range []string{"Sidecar", "NetworkPolicy"} {
		if _, err := t.West.Get(t.Context(), t.Manifest(t.West, kind, "fed-restricted-finance")); !apierrors.IsNotFound(err) {
			t.Errorf("%s fed-restricted-finance is still there (%v)", kind, err)
		}
	}
	t.Logf("both objects are gone; bypassing the egress gateway 200 after %s", Rounded(t.Until(checkout, "200", toWithdraw(t.Federation))))
}
