package traffic

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"
)

func TestASteadyLoadHasSoManyInFlightAndCountsAfterTheWarmUp(t *testing.T) {
	server, _ := serve(t)
	began := time.Now()
	answer := ask(t, Probe{
		URL:    at(server.http, "/?delay=50ms"),
		Steady: &Steady{InFlight: 8, WarmUp: 200 * time.Millisecond, For: 500 * time.Millisecond},
	})
	if took := time.Since(began); took < 700*time.Millisecond || took > 3*time.Second {
		t.Errorf("took %s", took)
	}
	load := answer.Load
	if load == nil {
		t.Fatalf("no load: %+v", answer)
	}
	// Each of eight workers sends at most ten requests in half a second; a loaded machine may be slower.
	if load.Requests < 16 || load.Requests > 88 || len(load.Failed) > 0 {
		t.Errorf("%+v", load)
	}
	if load.P50 < 50*time.Millisecond || load.P99 < load.P50 {
		t.Errorf("%+v", load)
	}
	if rate := load.Rate(); rate < 1 || rate > 170 {
		t.Errorf("%.0f requests a second", rate)
	}
}

func TestASteadyLoadSpeaksAllProtocolsOnKeptConnections(t *testing.T) {
	server, lines := serve(t)
	steady := &Steady{InFlight: 4, For: 200 * time.Millisecond}
	for name, probe := range map[string]Probe{
		"http": {URL: at(server.http, "/?bytes=1000")},
		"grpc": {Kind: "grpc", URL: at(server.grpc, "/lab.Echo/Any"), Body: "hello"},
		"line": {Kind: "line", URL: at(server.tcp, ""), Body: "hello\n"},
	} {
		probe.Steady = steady
		load := ask(t, probe).Load
		if load == nil || load.Requests < 8 || len(load.Failed) > 0 {
			t.Errorf("%s: %+v", name, load)
		}
	}
	expect(t, "connections", connectionsIn(lines), 3*4)
}

func TestMakingConnectionsDoesNotCount(t *testing.T) {
	// The server takes a fifth of a second for the first answer on a connection, and none for those that follow.
	address := each(t, func(conn net.Conn) {
		defer conn.Close()
		wait := 200 * time.Millisecond
		for lines := bufio.NewScanner(conn); lines.Scan(); wait = 0 {
			time.Sleep(wait)
			if _, err := conn.Write([]byte("yes\n")); err != nil {
				return
			}
		}
	})
	load := ask(t, Probe{Kind: "line", URL: "tcp://" + address, Body: "hello\n", Steady: &Steady{InFlight: 4, For: 200 * time.Millisecond}}).Load
	if load.P99 > 150*time.Millisecond || load.Requests < 8 {
		t.Errorf("%+v", load)
	}
}

func TestASteadyLoadSaysWhatFailed(t *testing.T) {
	server, _ := serve(t)
	load := ask(t, Probe{URL: at(server.http, "/?status=503"), Steady: &Steady{InFlight: 2, For: 150 * time.Millisecond}}).Load
	if load == nil || load.Requests != 0 || load.Failed["503"] == 0 || load.P50 != 0 {
		t.Errorf("%+v", load)
	}
}

func TestALineIsAnsweredByALine(t *testing.T) {
	server, _ := serve(t)
	expect(t, "answer", ask(t, Probe{Kind: "line", URL: at(server.tcp, ""), Body: "hello\n"}).Body, "echo: hello\n")
	expectOutcome(t, ask(t, Probe{Kind: "line", URL: at(server.tcp, ""), Body: "hello"}), "other")
}

func TestQuantilesOfFewValues(t *testing.T) {
	expect(t, "none", quantile(nil, 0.5), 0)
	expect(t, "one", quantile([]time.Duration{7}, 0.99), 7)
	expect(t, "median", quantile([]time.Duration{1, 2, 3}, 0.5), 2)
	expect(t, "p99", quantile([]time.Duration{1, 2, 3}, 0.99), 3)
}

// connectionsIn counts those of a server's log, but for the one with which serve waits for the server.
func connectionsIn(lines *logLines) int {
	return strings.Count(lines.String(), " connection remote=") - 1
}
