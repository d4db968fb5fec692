package admission

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	apiservercel "k8s.io/apiserver/pkg/apis/cel"
)

// programs of test/scenarios: the numbers of local names that west binds, without and with as many additional hosts.
var programs = []string{"names-10", "names-10-hosts", "names-1000", "names-1000-hosts", "names-2000", "names-2000-hosts", "names-5000", "names-5000-hosts"}

// synthesised are the policies that the library writes for these programs now.
var synthesised = sync.OnceValues(func() (map[string]*Policy, error) {
	command := exec.Command("npx", append([]string{"ts-node", "--transpile-only", "--project", "scripts/tsconfig.json", "scripts/policies.ts"}, programs...)...)
	command.Dir = filepath.Join("..", "..", "..")
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("synthesis: %w", err)
	}
	var objects map[string]map[string]any
	if err := json.Unmarshal(out, &objects); err != nil {
		return nil, err
	}
	policies := map[string]*Policy{}
	for name, object := range objects {
		if policies[name], err = Compile(&unstructured.Unstructured{Object: object}); err != nil {
			return nil, fmt.Errorf("the API server rejects the policy of %s: %w", name, err)
		}
	}
	return policies, nil
})

// onPolicies runs a test for the policy of each program.
func onPolicies(t *testing.T, run func(t *testing.T, program string, policy *Policy)) {
	policies, err := synthesised()
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range programs {
		t.Run(program, func(t *testing.T) { run(t, program, policies[program]) })
	}
}

func object(apiVersion, kind, namespace string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": "theirs", "namespace": namespace}, "spec": spec,
	}}
}

const (
	istio      = "networking.istio.io/v1"
	gatewayAPI = "gateway.networking.k8s.io/v1"
)

// texts are a number of texts with their index in them.
func texts(count int, format string) []any {
	all := make([]any, count)
	for i := range all {
		all[i] = fmt.Sprintf(format, i)
	}
	return all
}

func references(count int) []any {
	var all []any
	for _, name := range texts(count, "service-%d") {
		all = append(all, map[string]any{"kind": "Service", "name": name, "namespace": "elsewhere"})
	}
	return all
}

// unrelated are large objects of teams that have nothing to do with the boundary. The hosts of some are in the domains of
// bound names, as far as somebody else can have a host there.
var unrelated = map[string]*unstructured.Unstructured{
	"VirtualService with 1 host":                       object(istio, "VirtualService", "tenant", map[string]any{"hosts": texts(1, "shop-%d.tenant.svc.cluster.local"), "http": []any{}}),
	"VirtualService with 200 hosts":                    object(istio, "VirtualService", "tenant", map[string]any{"hosts": texts(200, "shop-%d.tenant.svc.cluster.local"), "http": []any{}}),
	"VirtualService with 200 hosts in a bound domain":  object(istio, "VirtualService", "tenant", map[string]any{"hosts": texts(200, "shop-%d.team-1.svc.cluster.local"), "http": []any{}}),
	"VirtualService with 200 hosts below fed":          object(istio, "VirtualService", "tenant", map[string]any{"hosts": texts(200, "a.b.c.d.shop-%d.fed.tenant.example"), "http": []any{}}),
	"VirtualService with 200 short names":              object(istio, "VirtualService", "tenant", map[string]any{"hosts": texts(200, "shop-%d"), "http": []any{}}),
	"VirtualService with TLS routes and 200 wildcards": object(istio, "VirtualService", "tenant", map[string]any{"hosts": texts(200, "*.shop-%d.tenant.example"), "tls": []any{}}),
	"VirtualService with TCP routes and 200 partial wildcards": object(istio, "VirtualService", "tenant",
		map[string]any{"hosts": texts(200, "*-%d.tenant.example"), "tcp": []any{}}),
	"ServiceEntry with 1 host":          object(istio, "ServiceEntry", "tenant", map[string]any{"hosts": texts(1, "shop-%d.tenant.example")}),
	"ServiceEntry with 200 hosts":       object(istio, "ServiceEntry", "tenant", map[string]any{"hosts": texts(200, "shop-%d.tenant.example")}),
	"ServiceEntry with 200 wildcards":   object(istio, "ServiceEntry", "tenant", map[string]any{"hosts": texts(200, "*.shop-%d.partner-1.example")}),
	"HTTPRoute with the most parents":   object(gatewayAPI, "HTTPRoute", "tenant", map[string]any{"hostnames": texts(16, "shop-%d.example"), "parentRefs": references(32)}),
	"Gateway of Istio":                  object(istio, "Gateway", "tenant", map[string]any{"selector": map[string]any{"istio": "ingressgateway"}}),
	"Gateway of the Gateway API":        object(gatewayAPI, "Gateway", "tenant", map[string]any{"gatewayClassName": "istio"}),
	"EnvoyFilter for its own namespace": object("networking.istio.io/v1alpha3", "EnvoyFilter", "tenant", map[string]any{}),
}

func TestUnrelatedObjectsAreAccepted(t *testing.T) {
	onPolicies(t, func(t *testing.T, _ string, policy *Policy) {
		for name, object := range unrelated {
			if refusals := policy.Refusals(t.Context(), object); len(refusals) > 0 {
				t.Errorf("%s: %s", name, strings.Join(refusals, "; "))
			}
		}
	})
}

// TestTheCostOfAnObjectDoesNotDependOnTheBoundNames compares with the smallest program. The parts of the list of bound
// hosts are looked at one by one, so a list of many parts costs a little more.
func TestTheCostOfAnObjectDoesNotDependOnTheBoundNames(t *testing.T) {
	policies, err := synthesised()
	if err != nil {
		t.Fatal(err)
	}
	for name, object := range unrelated {
		least := cost(t, policies[programs[0]], object)
		var all []string
		for _, program := range programs {
			costs := cost(t, policies[program], object)
			all = append(all, fmt.Sprintf("%s %d", program, costs))
			if costs > apiservercel.PerCallLimit/4 || costs > 3*least {
				t.Errorf("%s costs %d with %s and %d with %s; the limit of one rule is %d", name, least, programs[0], costs, program, apiservercel.PerCallLimit)
			}
		}
		t.Logf("%s: %s", name, strings.Join(all, ", "))
	}
}

func TestTheCostOfAnObjectGrowsWithItsHosts(t *testing.T) {
	onPolicies(t, func(t *testing.T, _ string, policy *Policy) {
		hosts := func(count int) int64 {
			return cost(t, policy, object(istio, "VirtualService", "tenant", map[string]any{"hosts": texts(count, "shop-%03d.tenant.example"), "tls": []any{}}))
		}
		if one, two, four := hosts(50), hosts(100), hosts(200); four-two > 2*(two-one)+two/100 {
			t.Errorf("50 hosts cost %d, 100 hosts %d, 200 hosts %d", one, two, four)
		}
	})
}

func TestObjectsForTheLastBoundNameAreRefused(t *testing.T) {
	onPolicies(t, func(t *testing.T, program string, policy *Policy) {
		var size int
		if _, err := fmt.Sscanf(program, "names-%d", &size); err != nil {
			t.Fatal(err)
		}
		last, domain := size-1, (size-1)%20
		name := fmt.Sprintf("ledger-%d.team-%d", last, domain)
		attacks := map[string]*unstructured.Unstructured{
			"a VirtualService":         object(istio, "VirtualService", "tenant", map[string]any{"hosts": []any{name}}),
			"a VirtualService between": object(istio, "VirtualService", "tenant", map[string]any{"hosts": append(texts(200, "shop-%d.example"), name)}),
			"a wildcard":               object(istio, "VirtualService", "tenant", map[string]any{"hosts": []any{fmt.Sprintf("*r-%d.team-%d.svc.cluster.local", last, domain)}, "tcp": []any{}}),
			"a ServiceEntry":           object(istio, "ServiceEntry", "tenant", map[string]any{"hosts": []any{name + ".svc.cluster.local"}, "exportTo": []any{"."}}),
			"an HTTPRoute": object(gatewayAPI, "HTTPRoute", "tenant", map[string]any{"parentRefs": []any{
				map[string]any{"kind": "Service", "group": "", "name": fmt.Sprintf("ledger-%d", last), "namespace": fmt.Sprintf("team-%d", domain)}}}),
		}
		if strings.HasSuffix(program, "-hosts") {
			host := fmt.Sprintf("ledger-%d.partner-%d.example", last, domain)
			attacks["a VirtualService for the additional host"] = object(istio, "VirtualService", "tenant", map[string]any{"hosts": []any{host}})
			attacks["a ServiceEntry for the additional host"] = object(istio, "ServiceEntry", "tenant", map[string]any{"hosts": []any{host}})
		}
		for what, object := range attacks {
			refusals := policy.Refusals(t.Context(), object)
			if len(refusals) != 1 || !strings.Contains(refusals[0], "that mesh west binds to another mesh: ") {
				t.Errorf("%s: %q", what, refusals)
			}
		}
	})
}

func cost(t *testing.T, policy *Policy, object *unstructured.Unstructured) int64 {
	t.Helper()
	costs, err := policy.Cost(t.Context(), object)
	if err != nil {
		t.Fatalf("%s with %s: %v", object.GetKind(), object.GetName(), err)
	}
	return costs
}
