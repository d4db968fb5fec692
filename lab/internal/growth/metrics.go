package growth

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
)

// counters are sums and counts of istiod's distributions at one moment, by name and type, for example
// "pilot_xds_push_time_sum lds".
type counters map[string]float64

// distributions are those that are read. The first two count bytes and seconds of each push, by type of resource.
var distributions = []string{"pilot_xds_config_size_bytes", "pilot_xds_push_time", "pilot_proxy_convergence_time"}

// countersOf reads the metrics of a mesh's istiod.
func countersOf(ctx context.Context, m *mesh.Mesh) (counters, error) {
	pods, err := m.Client.CoreV1().Pods(mesh.System).List(ctx, metav1.ListOptions{LabelSelector: "app=istiod"})
	if err != nil {
		return nil, err
	}
	if len(pods.Items) != 1 {
		return nil, fmt.Errorf("mesh %s has %d istiods: counters of one would not be those of all", m.Name, len(pods.Items))
	}
	text, err := m.Client.CoreV1().Pods(mesh.System).ProxyGet("http", pods.Items[0].Name, "15014", "metrics", nil).DoRaw(ctx)
	if err != nil {
		return nil, err
	}
	return parse(string(text)), nil
}

// parse reads sums and counts from the text format of Prometheus.
func parse(text string) counters {
	found := counters{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		series, value, _ := strings.Cut(lines.Text(), " ")
		name, labels, _ := strings.Cut(series, "{")
		if !isSumOrCount(name) {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			continue
		}
		found[strings.TrimSpace(name+" "+typeIn(labels))] += number
	}
	return found
}

func isSumOrCount(name string) bool {
	for _, distribution := range distributions {
		if name == distribution+"_sum" || name == distribution+"_count" {
			return true
		}
	}
	return false
}

// short are the usual names of the resource types that are compared; one of the distributions writes them as URLs.
var short = map[string]string{
	"type.googleapis.com/envoy.config.listener.v3.Listener":        "lds",
	"type.googleapis.com/envoy.config.route.v3.RouteConfiguration": "rds",
	"type.googleapis.com/envoy.config.cluster.v3.Cluster":          "cds",
}

// typeIn is the value of the label "type".
func typeIn(labels string) string {
	_, rest, found := strings.Cut(labels, `type="`)
	if !found {
		return ""
	}
	value, _, _ := strings.Cut(rest, `"`)
	if name, known := short[value]; known {
		return name
	}
	return value
}

// since is what has been added to a counter.
func (c counters) since(before counters, name string) float64 { return c[name] - before[name] }
