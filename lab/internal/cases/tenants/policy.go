package tenants

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/patience"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// withoutPolicy disables the admission policy for as long as the case runs.
func withoutPolicy(t *T, m *mesh.Mesh) {
	binding := bindingOf(t, m)
	t.Restore(func(ctx context.Context) error { return policyOn(ctx, m, binding) })
	policyOff(t, m, binding)
}

// whilePolicyIsOff disables the admission policy for a part of a case.
func whilePolicyIsOff(t *T, m *mesh.Mesh, run func()) {
	binding := bindingOf(t, m)
	defer func() {
		if err := policyOn(context.WithoutCancel(t.Context()), m, binding); err != nil {
			t.Errorf("%v", err)
		}
	}()
	policyOff(t, m, binding)
	run()
}

func bindingOf(t *T, m *mesh.Mesh) *unstructured.Unstructured {
	return t.Manifest(m, "ValidatingAdmissionPolicyBinding", "istio-federation-boundary")
}

func policyOff(t *T, m *mesh.Mesh, binding *unstructured.Unstructured) {
	t.Must(m.Delete(t.Context(), binding))
	t.Must(waitForPolicy(t.Context(), m, false))
}

func policyOn(ctx context.Context, m *mesh.Mesh, binding *unstructured.Unstructured) error {
	if err := m.PutOwn(ctx, binding); err != nil {
		return err
	}
	return waitForPolicy(ctx, m, true)
}

// waitForPolicy waits until the API server enforces the admission policy, or does not: it reads policies once a second.
// The object of the request is denied for its host, and has no effect.
func waitForPolicy(ctx context.Context, m *mesh.Mesh, works bool) error {
	asked, err := mesh.Objects(fmt.Sprintf(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: lab-asks, namespace: tenant}
spec: {hosts: [nothing.fed.%s.example], gateways: [none], exportTo: ["."], http: [{directResponse: {status: 404}}]}
`, m.Name))
	if err != nil {
		return err
	}
	err = mesh.Wait(ctx, 20*time.Second, func() error {
		switch err := m.Put(ctx, asked...); {
		case err == nil && works:
			return errors.New("the admission policy is not in effect")
		case err != nil && !works:
			return err
		case err != nil && !Refusal(err):
			return err
		}
		return nil
	})
	return errors.Join(err, m.Delete(context.WithoutCancel(ctx), asked...))
}

// waitForConfig waits until earlier changes have reached the proxies of the boundary, and in west those of the callers.
// istiod sends changes in the order in which they were written, so a mark that is written last arrives after everything
// else. The mark also shows that the proxies still accept updates.
func waitForConfig(t *T, meshes ...*mesh.Mesh) {
	for _, m := range meshes {
		t.Must(waitForConfigWithin(t.Context(), t.Federation, m, 20*time.Second))
	}
}

func waitForConfigWithin(ctx context.Context, f *federation.Federation, m *mesh.Mesh, limit time.Duration) error {
	ctx, cancel := patience.WithTimeout(ctx, limit)
	defer cancel()
	mark := "m" + strings.ToLower(rand.Text()[:12])
	from, gateway, marked := Outside, "ingress", ToIngress(GenuineWest)(f)
	if m.Name == "west" {
		from, gateway, marked = Productpage, "egress", Reviews("/reviews/0")
	}
	marked.Header = [][2]string{{"x-lab-mark", mark}}
	text := fmt.Sprintf(`apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: lab-mark, namespace: istio-federation}
spec:
  selector: {matchLabels: {istio: istio-federation-%s}}
  action: DENY
  rules: [{when: [{key: "request.headers[x-lab-mark]", values: [%s]}]}]
`, gateway, mark)
	if m.Name == "west" {
		text += fmt.Sprintf(`---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: lab-mark, namespace: default}
spec: {hosts: [%[1]s.lab.example], exportTo: ["."], ports: [{number: 9080, name: http, protocol: HTTP}], resolution: STATIC, endpoints: [{address: 192.0.2.1}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: lab-mark, namespace: default}
spec: {hosts: [%[1]s.lab.example], exportTo: ["."], http: [{directResponse: {status: 418}}]}
`, mark)
	}
	objects, err := mesh.Objects(text)
	if err != nil {
		return err
	}
	if err := m.Put(ctx, objects...); err != nil {
		return err
	}
	err = WaitUntil(ctx, f, from, "403", marked)
	if m.Name == "west" && err == nil {
		err = WaitUntil(ctx, f, Productpage, "418", traffic.Probe{URL: "http://" + mark + ".lab.example:9080/", Dial: "reviews.default:9080"})
	}
	return errors.Join(err, m.Delete(context.WithoutCancel(ctx), objects...))
}

// expectUnharmed checks that other tenants have no effect: the allowed call reaches its backend, and every other caller
// and request is rejected.
func expectUnharmed(t *T) {
	expectAgreedCall(t)
	t.Want(OtherAccount, "503", Reviews("/reviews/0"))
	t.Want(Productpage, "403", traffic.Probe{URL: "http://reviews:9080/reviews/0", Method: "POST"}, Reviews("/admin"))
	t.Want(Productpage, "400", Reviews("/reviews/%2e%2e%2fadmin"))
	t.Want(Outside, "alert: certificate required", ToIngress(NoCertificate)(t.Federation))
	t.Want(Outside, "alert: certificate unknown", ToIngress(MeshCA("west", OtherOfWest))(t.Federation))
}

// expectAgreedCall checks that the allowed call reaches its backend. The one from outside opens a connection of its
// own.
func expectAgreedCall(t *T) {
	for _, answer := range append(t.Try(Productpage, Reviews("/reviews/0")), t.Try(Outside, ToIngress(GenuineWest)(t.Federation))...) {
		if answer.Outcome() != "200" {
			t.Errorf("the allowed call: %s%s", answer.Outcome(), Detail(answer))
		} else if answer.Seen == nil || !strings.HasPrefix(answer.Seen.Pod, "reviews-") {
			t.Errorf("the allowed call was answered by another workload: %s", Detail(answer))
		}
	}
}

// listeners are the addresses that a gateway listens on.
func listeners(t *T, m *mesh.Mesh, workload string) string {
	out := EnvoyAdmin(t, m, workload, "listeners")
	var found []string
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		_, address, _ := strings.Cut(line, "::")
		found = append(found, address)
	}
	return strings.Join(found, " ")
}
