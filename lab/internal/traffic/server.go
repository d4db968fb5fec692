package traffic

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"regexp"
	"time"
)

// grace is how long requests under way may take when the server is stopped.
const grace = 5 * time.Second

// Options are the ports of the server, by protocol.
type Options struct {
	HTTP     []int // HTTP/1.1, and HTTP/2 with prior knowledge
	GRPC     []int
	TCP      []int // the client sends first
	Greeting []int // the server sends first
	TLS      []int // HTTP/1.1 inside TLS, with a certificate that the server generates
	Deaf     []int // nothing: connections are accepted, and nothing is read from them

	// Log receives a line for each connection and each request; standard error when nil.
	Log io.Writer
}

// server is what all ports share.
type server struct {
	pod    string
	log    *log.Logger
	counts counts
	tls    *tls.Config
}

// Serve answers on all ports until the context ends.
func Serve(ctx context.Context, options Options) error {
	s, err := newServer(options.Log)
	if err != nil {
		return err
	}
	var services []func(context.Context) error
	for _, kind := range []struct {
		ports []int
		serve func(context.Context, *listener) error
	}{
		{options.HTTP, s.serveHTTP},
		{options.GRPC, s.serveGRPC},
		{options.TCP, s.serveTCP},
		{options.Greeting, s.serveGreeting},
		{options.TLS, s.serveTLS},
		{options.Deaf, s.serveDeaf},
	} {
		for _, port := range kind.ports {
			listener, err := s.listen(port)
			if err != nil {
				return err
			}
			defer listener.Close()
			services = append(services, func(ctx context.Context) error { return kind.serve(ctx, listener) })
		}
	}
	if len(services) == 0 {
		return errors.New("no port to serve")
	}
	return together(ctx, services)
}

// together runs all services until the context ends or one of them fails.
func together(ctx context.Context, services []func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(services))
	for _, service := range services {
		go func() { ended <- service(ctx) }()
	}
	var first error
	for range services {
		if err := <-ended; err != nil && first == nil {
			first = err
			cancel()
		}
	}
	return first
}

func newServer(out io.Writer) (*server, error) {
	pod, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	application := regexp.MustCompile(`(-[a-z0-9]+){2}$`).ReplaceAllString(pod, "") // as a Deployment names its pods
	certificate, err := selfSigned(pod, application+".east.example")
	if err != nil {
		return nil, err
	}
	if out == nil {
		out = os.Stderr
	}
	return &server{
		pod: pod,
		log: log.New(out, "", 0),
		tls: &tls.Config{
			Certificates: []tls.Certificate{certificate},
			NextProtos:   []string{"http/1.1"},
			ClientAuth:   tls.RequestClientCert,
		},
	}, nil
}

// note writes a line to the log.
func (s *server) note(port int, format string, arguments ...any) {
	s.log.Printf("%s port=%d %s", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), port, fmt.Sprintf(format, arguments...))
}

// listener counts the connections that it accepts and writes them to the log.
type listener struct {
	net.Listener
	server *server
	port   int
	count  *count
}

func (s *server) listen(port int) (*listener, error) {
	inner, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		return nil, err
	}
	return &listener{inner, s, port, s.counts.of(port)}, nil
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.count.connections.Add(1)
		l.server.note(l.port, "connection remote=%s", conn.RemoteAddr())
	}
	return conn, err
}

// request counts a request and writes it to the log.
func (l *listener) request(method, path, host, remote string) {
	l.count.requests.Add(1)
	l.server.note(l.port, "request method=%s path=%q host=%q remote=%s", method, path, host, remote)
}
