package bench

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// Print writes a table: medians of each cell, and its ratios to the baselines.
func Print(out io.Writer, results Results) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "protocol\tin flight\tway\trequests/s\tp50 ms\tp99 ms")
	fmt.Fprintln(table, "\tp50 : direct\tp50 : plain\tp50 : pass\trate : plain\trate : pass")
	for _, protocol := range Protocols {
		for _, inFlight := range InFlight {
			for _, way := range Ways {
				loads := results[Cell{protocol.Name, inFlight, way.Name}]
				fmt.Fprintf(table, "%s\t%d\t%s\t%.0f\t%s\t%s", protocol.Name, inFlight, way.Name,
					median(loads, traffic.Load.Rate), milliseconds(median(loads, p50)), milliseconds(median(loads, p99)))
				for _, base := range baselines {
					fmt.Fprintf(table, "\t%.2f", ratio(loads, results[Cell{protocol.Name, inFlight, base}], p50))
				}
				for _, base := range []string{terminating, passing} {
					fmt.Fprintf(table, "\t%.2f", ratio(loads, results[Cell{protocol.Name, inFlight, base}], traffic.Load.Rate))
				}
				fmt.Fprintln(table)
			}
		}
	}
	table.Flush()
}

// goal is what a call through the federation may cost in p50, beside a baseline.
type goal struct {
	protocol string
	inFlight int
	base     string
	most     float64
}

var goals = []goal{
	{"HTTP/1.1", 16, terminating, 1.05}, {"gRPC", 16, terminating, 1.05}, {"TCP", 16, terminating, 1.05},
	{"HTTP/1.1", 16, passing, 1.35}, {"gRPC", 16, passing, 1.35}, {"TCP", 16, passing, 1.1},
}

// Missed are the goals that the federation misses.
func Missed(results Results) []string {
	var missed []string
	for _, g := range goals {
		got := ratio(results[Cell{g.protocol, g.inFlight, "federation"}], results[Cell{g.protocol, g.inFlight, g.base}], p50)
		if got > g.most {
			missed = append(missed, fmt.Sprintf("%s, %d in flight: p50 is %.2f times that of the %s, the goal is %.2f", g.protocol, g.inFlight, got, g.base, g.most))
		}
	}
	return missed
}

func p50(l traffic.Load) float64 { return l.P50.Seconds() }
func p99(l traffic.Load) float64 { return l.P99.Seconds() }

func milliseconds(seconds float64) string {
	return fmt.Sprintf("%.2f", seconds*float64(time.Second/time.Millisecond))
}

// median of a figure over all rounds.
func median(loads []traffic.Load, figure func(traffic.Load) float64) float64 {
	var all []float64
	for _, load := range loads {
		all = append(all, figure(load))
	}
	return middle(all)
}

// ratio is the median of the ratios of each round.
func ratio(loads, base []traffic.Load, figure func(traffic.Load) float64) float64 {
	var all []float64
	for round := range min(len(loads), len(base)) {
		if below := figure(base[round]); below > 0 {
			all = append(all, figure(loads[round])/below)
		}
	}
	return middle(all)
}

func middle(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}
