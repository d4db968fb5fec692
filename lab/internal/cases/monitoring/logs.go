package monitoring

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// logEntry is one line of the access log that docs/how-to/monitoring.md configures.
type logEntry map[string]any

func (e logEntry) text(field string) string {
	if e[field] == nil {
		return "-"
	}
	return fmt.Sprint(e[field])
}

// watched runs a case once both gateways write the access log that the scenario configures.
func watched(run func(*T)) func(*T) {
	return func(t *T) {
		t.Must(mesh.Wait(t.Context(), 30*time.Second, func() error {
			target := unique()
			t.Want(ShopAPI, "200", traffic.Probe{URL: shopReviews + target})
			time.Sleep(time.Second)
			for _, m := range []*mesh.Mesh{t.East, t.West} {
				if !slices.ContainsFunc(accessLog(t, m), func(e logEntry) bool { return e.text("path") == target }) {
					return fmt.Errorf("mesh %s does not log so", m.Name)
				}
			}
			return nil
		}))
		run(t)
	}
}

// accessLog of a gateway, the lines of it that are requests and connections.
func accessLog(t *T, m *mesh.Mesh) (entries []logEntry) {
	for _, line := range logLines(t, m) {
		var e logEntry
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &e) == nil && e["listener"] != nil {
			entries = append(entries, e)
		}
	}
	return entries
}

func logLines(t *T, m *mesh.Mesh) []string {
	pod, err := m.Pod(t.Context(), GatewayOf(m.Name))
	t.Must(err)
	text, err := m.Logs(t.Context(), pod, "istio-proxy")
	t.Must(err)
	return strings.Split(text, "\n")
}

// logged waits for the line of which the fields are these: it is written with some delay.
func logged(t *T, m *mesh.Mesh, after int, fields map[string]string) logEntry {
	var found logEntry
	t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
		all := accessLog(t, m)
		for _, e := range all[min(after, len(all)):] {
			if !slices.ContainsFunc(keysOf(fields), func(field string) bool { return e.text(field) != fields[field] }) {
				found = e
				return nil
			}
		}
		return fmt.Errorf("mesh %s has not logged %v", m.Name, fields)
	}))
	return found
}

func keysOf(fields map[string]string) (keys []string) {
	for key := range fields {
		keys = append(keys, key)
	}
	return keys
}

// compareFields compares fields of a line.
func compareFields(t *T, what string, e logEntry, want map[string]string) {
	for field, value := range want {
		if !outcome.Matches(e.text(field), value) {
			t.Errorf("%s: %s is %s, and not %s", what, field, e.text(field), value)
		}
	}
}

func defaultLog(t *T) {
	target := unique()
	t.Want(Productpage, "200", Reviews(target))
	for _, one := range []struct {
		m    *mesh.Mesh
		name string
	}{{t.East, ReviewsSNI + " reviews-9080-west"}, {t.West, BindingSNI + " reviews-9080-default-east"}} {
		var line string
		t.Must(mesh.Wait(t.Context(), 20*time.Second, func() error {
			for _, line = range logLines(t, one.m) {
				if strings.Contains(line, target) {
					return nil
				}
			}
			return fmt.Errorf("mesh %s has not logged %s", one.m.Name, target)
		}))
		if !strings.HasSuffix(line, one.name) || strings.Contains(line, "spiffe://") {
			t.Errorf("mesh %s logs %s", one.m.Name, line)
		}
		t.Logf("… %s", one.name)
	}
}

func loggedIn(t *T) {
	for _, one := range []struct {
		from     From
		peer, id string
	}{{ShopAPI, "west", EgressID}, {NorthAPI, "north", northEgressID}} {
		var line logEntry
		// A connection from before the log's format changed is logged as it was, until the gateway has drained it.
		t.Must(mesh.Wait(t.Context(), time.Minute, func() error {
			target := unique()
			t.Want(one.from, "200", traffic.Probe{URL: shopReviews + target + "?secret=1"})
			time.Sleep(time.Second)
			all := accessLog(t, t.East)
			index := slices.IndexFunc(all, func(e logEntry) bool { return e.text("path") == target })
			if index < 0 {
				return fmt.Errorf("mesh east does not log calls of %s so", one.peer)
			}
			line = all[index]
			return nil
		}))
		compareFields(t, "a call of "+one.peer, line, map[string]string{
			"listener": ReviewOf(one.peer), "caller": one.id, "status": "200", "method": "GET", "route": "reviews-9080-" + one.peer,
			"server": "spiffe://east.example/ns/default/sa/bookinfo-reviews", "details": "via_upstream",
		})
		if len(line.text("serial")) < 16 {
			t.Errorf("the serial number is %s", line.text("serial"))
		}
		t.Logf("%s, %s", line.text("listener"), line.text("caller"))
	}
}

func loggedOut(t *T) {
	for _, from := range []From{ShopAPI, Batch} {
		target := unique()
		t.Want(from, "200", traffic.Probe{URL: shopReviews + target})
		account := strings.TrimPrefix(from.Workload, "shop/")
		line := logged(t, t.West, 0, map[string]string{"path": target})
		compareFields(t, "a call of "+account, line, map[string]string{
			"listener": shopListener, "caller": "spiffe://west.example/ns/shop/sa/" + account, "status": "200", "server": IngressID,
			"cluster": "outbound|15443||" + ReviewsSNI, "upstream": EastAddress,
		})
		t.Logf("%s to %s", line.text("caller"), line.text("cluster"))
	}
}

func loggedRefusal(t *T) {
	target := unique()
	t.Want(ShopAPI, "403", traffic.Probe{URL: shopReviews + target, Method: "POST"})
	at := logged(t, t.East, 0, map[string]string{"path": target})
	compareFields(t, "at the ingress gateway", at, map[string]string{
		"listener": ReviewsSNI, "caller": EgressID, "status": "403", "method": "POST", "route": "reviews-9080-west-refused",
		"details": "rbac_access_denied_matched_policy[none]", "upstream": "-",
	})
	compareFields(t, "at the egress gateway", logged(t, t.West, 0, map[string]string{"path": target}), map[string]string{
		"caller": "spiffe://west.example/ns/shop/sa/api", "status": "403", "details": "via_upstream",
	})
	t.Logf("%s %s", at.text("details"), at.text("route"))
}

func loggedConnection(t *T) {
	in, out := len(accessLog(t, t.East)), len(accessLog(t, t.West))
	t.Want(ShopAPI, "open", TcpBytes("mysql.shop:3306", "hello")(t.Federation))
	at := logged(t, t.East, in, map[string]string{"listener": MysqlOf("west")})
	compareFields(t, "at the ingress gateway", at, map[string]string{"caller": EgressID, "received": "5", "server": "spiffe://east.example/ns/db/sa/mysql", "status": "0"})
	compareFields(t, "at the egress gateway", logged(t, t.West, out, map[string]string{"listener": "p3306.mysql.shop.east.egress.fed.west.example"}), map[string]string{
		"caller": "spiffe://west.example/ns/shop/sa/api", "received": "5", "server": IngressID, "cluster": "outbound|15443||" + MysqlOf("west"),
	})
	t.Logf("%s bytes in, %s out, %s ms", at.text("received"), at.text("sent"), at.text("milliseconds"))
}

func loggedRefusedConnection(t *T) {
	out := len(accessLog(t, t.West))
	t.Want(Caller("west", "shop/other"), "closed | reset", TcpBytes("mysql.shop:3306", "hello")(t.Federation))
	line := logged(t, t.West, out, map[string]string{"listener": "p3306.mysql.shop.east.egress.fed.west.example"})
	compareFields(t, "at the egress gateway", line, map[string]string{"caller": "spiffe://west.example/ns/shop/sa/other", "received": "0"})
	t.Logf("%s, %s bytes", line.text("caller"), line.text("received"))
	in := len(accessLog(t, t.East))
	t.Want(Outside, "alert: *", ToServer(MysqlOf("west"), "tcp", NoCertificate)(t.Federation))
	attacker := logged(t, t.East, in, map[string]string{"listener": MysqlOf("west"), "caller": "-"})
	compareFields(t, "at the ingress gateway", attacker, map[string]string{"received": "0", "address": "203.0.113.66:*"})
	t.Logf("an external attacker from %s", attacker.text("address"))
}

func loggedUnknownName(t *T) {
	const nobody = "p1.nobody.west.fed.east.example"
	before := len(accessLog(t, t.East))
	t.Want(Outside, outcome.CutOff, ToIngress(GenuineWest, WithSNI(nobody))(t.Federation))
	line := logged(t, t.East, before, map[string]string{"listener": nobody})
	compareFields(t, "an unknown SNI", line, map[string]string{"flags": "NR", "details": "filter_chain_not_found", "caller": "-", "address": "203.0.113.66:*"})
	t.Logf("%s %s from %s", line.text("flags"), line.text("details"), line.text("address"))
}
