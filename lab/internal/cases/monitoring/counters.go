package monitoring

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

func impostor(t *T) {
	const counter = "envoy_cluster_ssl_fail_verify_san"
	before := readCounter(t, t.West, counter, ReviewsSNI)
	StandInForEast(t, "spiffe://east.example/ns/default/sa/bookinfo-reviews")
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		target := unique()
		t.Try(Productpage, Reviews(target))
		time.Sleep(time.Second)
		for _, line := range logLines(t, t.West) {
			if strings.Contains(line, target) && strings.Contains(line, " 503 URX,UF ") && strings.Contains(line, "CERTIFICATE_VERIFY_FAILED") && strings.Contains(line, BindingSNI) {
				return nil
			}
		}
		return fmt.Errorf("no log line has the failure")
	}))
	after := readCounter(t, t.West, counter, ReviewsSNI)
	if after <= before {
		t.Errorf("%s was %d and is %d", counter, before, after)
	}
	t.Logf("503 URX,UF, CERTIFICATE_VERIFY_FAILED, %s", counter)
}

func countedAttackers(t *T) {
	logs := len(accessLog(t, t.East))
	for _, one := range []struct {
		what, counter string
		shown         CertificateSource
	}{
		{"no certificate", "envoy_listener_ssl_fail_verify_no_cert", NoCertificate},
		{"an unknown CA", "envoy_listener_ssl_fail_verify_error", ForeignCA(pki.Request{SpiffeID: EgressID})},
		{"another identity of the peer", "envoy_listener_ssl_fail_verify_san", MeshCA("west", OtherOfWest)},
	} {
		before := readCounter(t, t.East, one.counter, "15443")
		t.Want(Outside, "alert: *", ToIngress(one.shown)(t.Federation))
		waitForCounter(t, t.East, before, 1, one.counter, "15443")
		t.Logf("%s: %s", one.what, one.counter)
	}
	t.Want(ShopAPI, "200", traffic.Probe{URL: shopReviews + "/reviews/after"}) // whatever was to be logged is logged by then
	logged(t, t.East, logs, map[string]string{"path": "/reviews/after"})
	for _, e := range accessLog(t, t.East)[logs:] {
		if e.text("path") != "/reviews/after" {
			t.Errorf("logged: %v", e)
		}
	}
}

func countedCaller(t *T) {
	const counter = "envoy_listener_ssl_fail_verify_san"
	before := readCounter(t, t.West, counter, "15443")
	target := unique()
	t.Want(Caller("west", "shop/other"), "503", traffic.Probe{URL: shopReviews + target})
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		if now := readCounter(t, t.West, counter, "15443"); now <= before {
			return fmt.Errorf("%s is still %d", counter, now)
		}
		return nil
	}))
	t.Want(ShopAPI, "200", traffic.Probe{URL: shopReviews + target + "-after"})
	logged(t, t.West, 0, map[string]string{"path": target + "-after"})
	for _, e := range accessLog(t, t.West) {
		if e.text("path") == target {
			t.Errorf("logged: %v", e)
		}
	}
	t.Logf("%s", counter)
}

func countedApart(t *T) {
	type counted struct{ good, refused, denied int }
	count := func(peer string) counted {
		name := "envoy_http_reviews_9080_" + peer
		return counted{
			readCounter(t, t.East, name+"_downstream_rq", `"2xx"`), readCounter(t, t.East, name+"_downstream_rq", `"4xx"`), readCounter(t, t.East, name+"_rbac", `"denied"`),
		}
	}
	west, north := count("west"), count("north")
	for range 3 {
		t.Want(ShopAPI, "200", traffic.Probe{URL: shopReviews + "/reviews/0"})
	}
	t.Want(ShopAPI, "403", traffic.Probe{URL: shopReviews + "/reviews/0", Method: "POST"})
	want := counted{west.good + 3, west.refused + 1, west.denied + 1}
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		if now := count("west"); now != want {
			return fmt.Errorf("west has %v, and not %v", now, want)
		}
		return nil
	}))
	if now := count("north"); now != north {
		t.Errorf("north had %v and has %v, and did nothing", north, now)
	}
	t.Logf("west %v, north %v", want, north)
	out := readCounter(t, t.West, "envoy_cluster_upstream_rq", ReviewsSNI, `"2xx"`)
	t.Want(Batch, "200", traffic.Probe{URL: shopReviews + "/reviews/0"})
	waitForCounter(t, t.West, out, 1, "envoy_cluster_upstream_rq", ReviewsSNI, `"2xx"`)
}

func deadPeer(t *T) {
	const failed = "envoy_cluster_upstream_cx_connect_fail"
	before := readCounter(t, t.West, failed, ReviewsSNI)
	t.AnswersAtTheEnd(ShopAPI, traffic.Probe{URL: shopReviews + "/reviews/0"})
	t.ChangeObject(t.West, t.Manifest(t.West, "ServiceEntry", "fed-out-reviews-9080-east"), func(entry map[string]any) {
		t.Must(unstructured.SetNestedSlice(entry, []any{map[string]any{"address": "203.0.113.20", "ports": map[string]any{"http2-federation": int64(9)}}}, "spec", "endpoints"))
	})
	var target string
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		target = unique()
		if got := t.Try(ShopAPI, traffic.Probe{URL: shopReviews + target})[0].Outcome(); got != "503" {
			return fmt.Errorf("the peer still answers: %s", got)
		}
		return nil
	}))
	line := logged(t, t.West, 0, map[string]string{"path": target})
	compareFields(t, "a call to a dead peer", line, map[string]string{
		"status": "503", "flags": "URX,UF", "caller": "spiffe://west.example/ns/shop/sa/api", "cluster": "outbound|15443||" + ReviewsSNI, "upstream": "203.0.113.20:9",
	})
	t.Logf("%s %s", line.text("flags"), line.text("details"))
	if now := readCounter(t, t.West, failed, ReviewsSNI); now <= before {
		t.Errorf("%s was %d and is %d", failed, before, now)
	}
}

var prometheusSample = regexp.MustCompile(`^(\w+)\{(.*)\} (\d+)$`)

// waitForCounter waits until a counter has grown by so much.
func waitForCounter(t *T, m *mesh.Mesh, before, by int, name string, labels ...string) {
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		if now := readCounter(t, m, name, labels...); now != before+by {
			return fmt.Errorf("%s %v was %d and is %d", name, labels, before, now)
		}
		return nil
	}))
}
