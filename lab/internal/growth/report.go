package growth

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// margin is by how much the configuration may grow faster than the number of grants.
const margin = 1.2

// goalsAt is the number of grants for which there are goals.
const goalsAt = 1000

const (
	mostLDS      = 15_000_000 // bytes for each gateway
	mostResident = 300 << 20  // bytes for each gateway
	mostRollout  = 5 * time.Second
	mostPush     = 2 * time.Second
)

// Complaints lists the figures that grow faster than linearly from the first size to the last one, and the missed
// goals.
func Complaints(sizes []Size) []string {
	var all []string
	first, last := sizes[0], sizes[len(sizes)-1]
	linear := float64(last.Grants) / float64(first.Grants)
	for _, one := range []struct {
		name          string
		first, last   Proxy
		allowedGrowth float64
	}{{"ingress", first.Ingress, last.Ingress, linear * margin}, {"egress", first.Egress, last.Egress, linear * margin}, {"idle", first.Idle, last.Idle, 1}} {
		if float64(one.last.Bytes()) > float64(one.first.Bytes())*one.allowedGrowth {
			all = append(all, fmt.Sprintf("%s: %d grants need %d bytes of configuration and %d grants %d bytes: at most %.1f times as many are linear",
				one.name, first.Grants, one.first.Bytes(), last.Grants, one.last.Bytes(), one.allowedGrowth))
		}
	}
	for _, s := range sizes {
		for _, failure := range s.Failures {
			all = append(all, fmt.Sprintf("%d grants: %s", s.Grants, failure))
		}
		if s.Grants == goalsAt {
			all = append(all, s.missed()...)
		}
	}
	return all
}

// missed are the goals that a size misses.
func (s Size) missed() []string {
	var all []string
	for name, p := range map[string]Proxy{"ingress": s.Ingress, "egress": s.Egress} {
		if p.LDS > mostLDS {
			all = append(all, fmt.Sprintf("%s: %d grants need %d bytes of LDS, the goal is %d", name, s.Grants, p.LDS, mostLDS))
		}
		if p.Resident > mostResident {
			all = append(all, fmt.Sprintf("%s: %d grants need %d MiB of memory, the goal is %d", name, s.Grants, p.Resident>>20, mostResident>>20))
		}
		if p.Push > mostPush {
			all = append(all, fmt.Sprintf("%s: istiod needs %.1f s for a push of %d grants, the goal is %s", name, p.Push.Seconds(), s.Grants, mostPush))
		}
	}
	if s.Settled > mostRollout || s.OneMore > mostRollout {
		all = append(all, fmt.Sprintf("%d grants answer %.1f s after they are applied, and one more after %.1f s: the goal is %s",
			s.Grants, s.Settled.Seconds(), s.OneMore.Seconds(), mostRollout))
	}
	return all
}

// Print writes the tables.
func Print(out io.Writer, sizes []Size) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "grants\tproxy\tLDS kB\tRDS kB\tCDS kB\tbytes a grant\tchains\tresident MiB\tallocated MiB\trestart s\tistiod's push s\t")
	for _, s := range sizes {
		for _, one := range []struct {
			name  string
			proxy Proxy
		}{{"ingress", s.Ingress}, {"egress", s.Egress}, {"idle", s.Idle}} {
			p := one.proxy
			fmt.Fprintf(table, "%d\t%s\t%.1f\t%.1f\t%.1f\t%d\t%d\t%d\t%d\t%.1f\t%.2f\t\n", s.Grants, one.name, float64(p.LDS)/1000, float64(p.RDS)/1000,
				float64(p.CDS)/1000, p.Bytes()/s.Grants, p.Chains, p.Resident>>20, p.Allocated>>20, p.Restart.Seconds(), p.Push.Seconds())
		}
	}
	table.Flush()
	fmt.Fprintln(out)
	table = tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "grants\tapply s\tthe last answers after s\tone more answers after s\tone more converges in s\t")
	for _, s := range sizes {
		fmt.Fprintf(table, "%d\t%.1f\t%.1f\t%.1f\t%.2f\t\n", s.Grants, s.Apply.Seconds(), s.Settled.Seconds(), s.OneMore.Seconds(), s.Converged.Seconds())
	}
	table.Flush()
}
