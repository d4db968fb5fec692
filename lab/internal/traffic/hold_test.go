package traffic

import (
	"bufio"
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

func TestHeldConnectionsTalkUntilTheyAreLetGo(t *testing.T) {
	server, _ := serve(t)
	plans := []Hold{
		{Name: "a", Count: 2, Probe: Probe{Kind: "tcp", URL: at(server.tcp, "")}},
		{Name: "b", Count: 2, Probe: Probe{Kind: "websocket", URL: at(server.http, "/?talk")}},
		{Name: "c", Count: 2, Probe: Probe{Kind: "grpc", URL: at(server.grpc, "/lab.Echo/Talk")}},
	}
	for i := range plans {
		plans[i].Every = 20 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
	defer cancel()
	held := KeepOpen(ctx, plans)
	expect(t, "connections", len(held), 6)
	for _, one := range held {
		if !one.Alive() || one.Received < 5 {
			t.Errorf("%s", one)
		}
	}
}

func TestAHeldConnectionSaysWhyItEnded(t *testing.T) {
	server, _ := serve(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	listener := listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			bufio.NewReader(conn).ReadString('\n')
			conn.Write([]byte("line 1\n"))
			conn.Close()
		}
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	for _, plan := range []struct {
		hold Hold
		why  string
		said int
	}{
		{Hold{Count: 1, Probe: Probe{Kind: "tcp", URL: at(port, ""), Every: time.Hour}}, "closed", 1},
		{Hold{Count: 1, Probe: Probe{Kind: "websocket", URL: at(server.http, "/"), Every: 10 * time.Millisecond}}, "closed", 1},
		{Hold{Count: 1, Probe: Probe{Kind: "grpc", URL: at(server.grpc, "/lab.Echo/Any")}}, "closed", 1},
		{Hold{Count: 1, Probe: Probe{Kind: "tcp", URL: at(freePort(t), "")}}, "other: refused", 0},
	} {
		held := KeepOpen(ctx, []Hold{plan.hold})[0]
		if held.Alive() || held.Ended.IsZero() || !strings.HasPrefix(held.Why, plan.why) || held.Sent < plan.said {
			t.Errorf("%s: %s", plan.hold.Kind, held)
		}
	}
}
