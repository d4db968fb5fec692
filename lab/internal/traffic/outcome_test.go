package traffic

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestFailuresHaveTheirOwnWords(t *testing.T) {
	free := freePort(t)
	reset := each(t, func(conn net.Conn) {
		conn.(*net.TCPConn).SetLinger(0)
		conn.Read(make([]byte, 1))
		conn.Close()
	})
	closed := each(t, func(conn net.Conn) {
		conn.(*net.TCPConn).CloseWrite()
		until(conn)
		conn.Close()
	})
	silent := each(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	for _, kind := range []string{"http", "h2", "grpc", "websocket", "raw", "tcp"} {
		expectOutcome(t, ask(t, Probe{Kind: kind, URL: at(free, "")}), "refused")
		expectOutcome(t, ask(t, Probe{Kind: kind, URL: "http://" + reset, Body: "x"}), "reset")
		expectOutcome(t, ask(t, Probe{Kind: kind, URL: "http://" + closed, Body: "x"}), "closed")
	}
	for _, kind := range []string{"http", "h2", "grpc", "websocket", "handshake"} {
		expectOutcome(t, ask(t, Probe{Kind: kind, URL: "http://" + silent, Timeout: 50 * time.Millisecond}), "timeout")
	}
	for _, kind := range []string{"raw", "tcp"} {
		expectOutcome(t, ask(t, Probe{Kind: kind, URL: "http://" + silent, Body: "x", Quiet: 20 * time.Millisecond}), "open")
	}
	expectOutcome(t, ask(t, Probe{URL: "http://no-such-name.invalid/"}), "name", "timeout")
	expectOutcome(t, ask(t, Probe{Kind: "telepathy", URL: "http://" + silent}), "other")
}

func TestAResponseThatPrecedesAResetIsRead(t *testing.T) {
	address := each(t, func(conn net.Conn) {
		conn.Write([]byte("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
		conn.Close()
	})
	for range 20 {
		expectOutcome(t, ask(t, Probe{URL: "http://" + address, Body: strings.Repeat("b", 10<<20)}), "413")
	}
}

func TestATruncatedResponseIsNoAnswer(t *testing.T) {
	address := each(t, func(conn net.Conn) {
		until(conn)
		conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"))
		conn.Close()
	})
	answer := ask(t, Probe{URL: "http://" + address})
	expectOutcome(t, answer, "closed")
	expect(t, "status", answer.Status, 200)
	expect(t, "body", answer.Body, "half")
}
