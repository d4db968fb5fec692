package traffic

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// ports of a server that runs for one test.
type ports struct{ http, grpc, tcp, greeting, tls int }

// logLines are those of a server, which writes them from many goroutines.
type logLines struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (l *logLines) Write(data []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.Write(data)
}

func (l *logLines) String() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.String()
}

func serve(t *testing.T) (ports, *logLines) {
	t.Helper()
	p := ports{freePort(t), freePort(t), freePort(t), freePort(t), freePort(t)}
	lines := &logLines{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- Serve(ctx, Options{
			HTTP: []int{p.http}, GRPC: []int{p.grpc}, TCP: []int{p.tcp}, Greeting: []int{p.greeting}, TLS: []int{p.tls}, Log: lines,
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for range 100 {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.tls)); err == nil {
			conn.Close()
			return p, lines
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the server does not listen")
	return p, lines
}

func freePort(t *testing.T) int {
	t.Helper()
	listener := listen(t)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// each runs a function on each connection to the address that it returns.
func each(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	listener := listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go handle(conn)
		}
	}()
	return listener.Addr().String()
}

// captured starts a capture server and returns its address and what it sees.
func captured(t *testing.T, config *tls.Config) (string, <-chan Seen) {
	t.Helper()
	seen := make(chan Seen, 100)
	address, err := Capture(t.Context(), "127.0.0.1:0", config, func(s Seen) { seen <- s })
	if err != nil {
		t.Fatal(err)
	}
	return address.String(), seen
}

func serverConfig(t *testing.T) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{certificate(t, "server.test")}, NextProtos: []string{"h2", "http/1.1"}}
}

func certificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	pair, err := selfSigned(name)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// asPEM is the pair as a probe carries it.
func asPEM(t *testing.T, pair tls.Certificate) (cert, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return encodeCertificates(pair.Certificate), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func ask(t *testing.T, p Probe) Answer {
	t.Helper()
	return Do(t.Context(), []Probe{p})[0]
}

func at(port int, path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", port, path) }

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func expectOutcome(t *testing.T, answer Answer, want ...string) {
	t.Helper()
	for _, outcome := range want {
		if answer.Outcome() == outcome {
			return
		}
	}
	t.Errorf("outcome: got %q (%s), want %s", answer.Outcome(), answer.Error, strings.Join(want, " or "))
}

func field(header [][2]string, name string) string {
	for _, field := range header {
		if field[0] == name {
			return field[1]
		}
	}
	return ""
}

// until reads up to the end of a request's header.
func until(conn io.Reader) string {
	var all []byte
	buffer := make([]byte, 4096)
	for !strings.Contains(string(all), "\r\n\r\n") {
		n, err := conn.Read(buffer)
		all = append(all, buffer[:n]...)
		if err != nil {
			break
		}
	}
	return string(all)
}
