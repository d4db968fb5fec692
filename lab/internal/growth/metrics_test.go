package growth

import "testing"

const page = `# HELP pilot_xds_push_time Total time in seconds Pilot takes to push lds, rds, cds and eds.
# TYPE pilot_xds_push_time histogram
pilot_xds_push_time_bucket{type="lds",le="0.01"} 3
pilot_xds_push_time_sum{type="lds"} 0.25
pilot_xds_push_time_count{type="lds"} 4
pilot_xds_config_size_bytes_sum{type="type.googleapis.com/envoy.config.listener.v3.Listener"} 2.7e+06
pilot_xds_config_size_bytes_count{type="type.googleapis.com/envoy.config.listener.v3.Listener"} 4
pilot_xds_config_size_bytes_sum{type="type.googleapis.com/envoy.config.cluster.v3.Cluster"} 1000
pilot_proxy_convergence_time_sum 1.5
pilot_proxy_convergence_time_count 3
process_open_fds 12
`

func TestCountersAreThoseOfIstiodsPushes(t *testing.T) {
	now := parse(page)
	for name, want := range map[string]float64{
		"pilot_xds_push_time_sum lds": 0.25, "pilot_xds_push_time_count lds": 4, "pilot_xds_config_size_bytes_sum lds": 2.7e6,
		"pilot_xds_config_size_bytes_sum cds": 1000, "pilot_proxy_convergence_time_sum": 1.5, "pilot_proxy_convergence_time_count": 3,
	} {
		if now[name] != want {
			t.Errorf("%s: %v, not %v", name, now[name], want)
		}
	}
	if len(now) != 7 {
		t.Errorf("%d counters: %v", len(now), now)
	}
	before := counters{"pilot_xds_push_time_sum lds": 0.05}
	if got := now.since(before, "pilot_xds_push_time_sum lds"); got < 0.19 || got > 0.21 {
		t.Errorf("gained %v", got)
	}
}

func TestPushesAreCountedByKindAndPod(t *testing.T) {
	log := `info	delta	LDS: PUSH request for node:federation-ingress-79f-rwj65.istio-federation resources:1 removed:0 size:166.5kB
info	delta	LDS: PUSH for node:federation-ingress-79f-rwj65.istio-federation resources:1 removed:0 size:166.5kB
info	delta	SDS: PUSH for node:federation-ingress-79f-rwj65.istio-federation resources:1 removed:0 size:1.2kB cached:1/1
info	delta	LDS: PUSH for node:federation-egress-79f-rwj65.istio-federation resources:1 removed:0 size:1.5kB
info	ads	Push debounce stable[18] 1 for config Endpoints/istio-federation/federation-ingress`
	if got := pushesTo(log, "lds", "federation-ingress-79f-rwj65"); got != 2 {
		t.Errorf("%d pushes of listeners", got)
	}
	if got := pushesTo(log, "rds", "federation-ingress-79f-rwj65"); got != 0 {
		t.Errorf("%d pushes of routes", got)
	}
}

func TestTheNumberIsFoundAmongWords(t *testing.T) {
	for text, want := range map[string]int{"VmRSS:\t  71234 kB\n": 71234, "server.memory_allocated: 1048576\n": 1048576, "12\n": 12} {
		if got, err := numberIn(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	if _, err := numberIn("no such process"); err == nil {
		t.Error("no error")
	}
}

// sized is a measurement whose configuration grows with this power of the number of grants.
func sized(grants, bytes int) Size {
	p := Proxy{LDS: bytes, Resident: 100 << 20}
	return Size{Grants: grants, Ingress: p, Egress: p, Idle: Proxy{LDS: 5000}}
}

func TestComplaintsNameWhatGrowsFasterThanLinearly(t *testing.T) {
	if got := Complaints([]Size{sized(100, 1_000_000), sized(500, 5_000_000)}); len(got) != 0 {
		t.Errorf("linear growth: %v", got)
	}
	if got := Complaints([]Size{sized(100, 2_700_000), sized(500, 61_700_000)}); len(got) != 2 { // both gateways
		t.Errorf("quadratic growth: %v", got)
	}
	if got := Complaints([]Size{sized(100, 1_000_000)}); len(got) != 0 {
		t.Errorf("one size: %v", got)
	}
}

func TestComplaintsNameAWorkloadThatBindsNothingAndGrows(t *testing.T) {
	more := sized(500, 5_000_000)
	more.Idle.LDS++
	if got := Complaints([]Size{sized(100, 1_000_000), more}); len(got) != 1 {
		t.Errorf("complaints: %v", got)
	}
}

func TestComplaintsNameGoalsThatAreMissedAtAThousand(t *testing.T) {
	s := sized(1000, 16_000_000)
	s.Egress.Resident = 400 << 20
	s.OneMore = 6e9
	s.Ingress.Push = 3e9
	if got := Complaints([]Size{s}); len(got) != 5 {
		t.Errorf("complaints: %v", got)
	}
	s.Failures = []string{"reviews-999: 503"}
	if got := Complaints([]Size{s}); len(got) != 6 {
		t.Errorf("with what could not be measured: %v", got)
	}
	if got := Complaints([]Size{sized(1000, 14_000_000)}); len(got) != 0 {
		t.Errorf("within the goals: %v", got)
	}
}
