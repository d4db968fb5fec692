package traffic

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestAttacksSayWhatTheServerMadeOfThem(t *testing.T) {
	server, _ := serve(t)
	http, grpc, tcp := at(server.http, "/?bytes=100000"), at(server.grpc, "/lab.Echo/Flood"), at(server.tcp, "")
	for _, one := range []struct {
		plan  Attack
		right func(*Report) bool
	}{
		{Attack{Probe: Probe{Kind: "window", URL: http}, Connections: 2, Streams: 5}, func(r *Report) bool { return r.Connections == 2 && r.Outcomes["200"] == 10 && r.Received == 0 }},
		{Attack{Probe: Probe{Kind: "window", URL: http}, Streams: 5, Window: 1000}, func(r *Report) bool { return r.Outcomes["200"] == 5 && r.Received == 5000 }},
		{Attack{Probe: Probe{Kind: "window", URL: grpc, Body: "go"}, GRPC: true, Streams: 2, Window: 1000}, func(r *Report) bool { return r.Outcomes["200"] == 2 && r.Received == 2000 }},
		{Attack{Probe: Probe{Kind: "reset", URL: http}, Streams: 5, Waves: 3}, func(r *Report) bool { return r.Streams == 15 && r.MaxStreams > 0 }},
		{Attack{Probe: Probe{Kind: "reset", URL: grpc, Body: "go"}, GRPC: true, Streams: 5, Waves: 2, Delay: 10 * time.Millisecond}, func(r *Report) bool { return r.Streams == 10 && len(r.Ends) == 0 }},
		{Attack{Probe: Probe{Kind: "headers", URL: http}, Streams: 3, Bytes: 40_000}, func(r *Report) bool { return r.Streams == 3 && r.Sent > 60_000 }},
		{Attack{Probe: Probe{Kind: "continuation", URL: http}}, func(r *Report) bool { return r.Streams == 1 && r.Sent > 100_000 }},
		{Attack{Probe: Probe{Kind: "upload", URL: http, Method: "POST"}, Streams: 2}, func(r *Report) bool { return r.Sent > 1_000_000 }},
		{Attack{Probe: Probe{Kind: "ping", URL: http}}, func(r *Report) bool { return r.Sent > 10_000 }},
		{Attack{Probe: Probe{Kind: "half", URL: http}, Connections: 3}, func(r *Report) bool { return r.Connections == 3 && len(r.Ends) == 0 }},
		{Attack{Probe: Probe{Kind: "slow", URL: http}, Connections: 3}, func(r *Report) bool { return r.Connections == 3 && r.Received == 0 }},
		{Attack{Probe: Probe{Kind: "deaf", URL: tcp}}, func(r *Report) bool { return r.Sent > 100_000 }},
		{Attack{Probe: Probe{Kind: "idle", URL: http}, Connections: 3}, func(r *Report) bool { return r.Connections == 3 && r.Streams == 0 }},
		{Attack{Probe: Probe{Kind: "idle", URL: at(freePort(t), "/")}}, func(r *Report) bool { return r.Ends["refused"] == 1 }},
		{Attack{Probe: Probe{Kind: "flattery", URL: http}}, func(r *Report) bool { return r.Connections == 0 && r.Ends["other"] == 1 }},
	} {
		one.plan.For = 300 * time.Millisecond
		if report := Assault(context.Background(), []Attack{one.plan})[0]; !one.right(report) {
			t.Errorf("%s: %s", one.plan.Kind, report)
		}
	}
}

func TestAReportNamesWhatTheServerEnded(t *testing.T) {
	report := &Report{Connections: 2, Streams: 3, Outcomes: map[string]int{"200": 3}, Ends: map[string]int{"closed": 1}, Lived: 1500 * time.Millisecond}
	for _, want := range []string{"2 connections", "3 streams", "map[200:3]", "map[closed:1]", "1.5 s"} {
		if !strings.Contains(report.String(), want) {
			t.Errorf("%q is not in %q", want, report)
		}
	}
}
