package traffic

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// connection is one connection to a server, and the protocol spoken on it.
type connection struct {
	net.Conn
	reader *bufio.Reader
	// facts is the part of every answer about TLS, which is known before any request.
	facts Answer
	// exchange sends one request and waits for the answer to it.
	exchange func(context.Context, Probe) Answer
	// spent means that no further request belongs on the connection, though the last one went well.
	spent bool
}

// connect opens the connection of a probe, or returns an answer with the error. Sessions are those to resume, if any.
func connect(ctx context.Context, p Probe, sessions *lastSession) (*connection, Answer) {
	where := locate(p.URL)
	address := p.Dial
	if address == "" {
		address = where.address()
	}
	wrap := p.TLS
	if wrap == nil && (where.encrypted() || p.Kind == "handshake") {
		wrap = &TLS{}
	}
	if wrap != nil && wrap.ResumeFrom != nil {
		if sessions == nil {
			sessions = &lastSession{}
		}
		first := p
		first.TLS, first.Then = wrap.ResumeFrom, nil
		if answer := once(ctx, first, sessions); answer.Error != "" {
			answer.Error = "other: connection to resume from: " + answer.Error
			return nil, answer
		}
		if !rest(ctx, wrap.ResumeAfter) {
			return nil, Answer{}.failed(ctx, ctx.Err())
		}
	}
	plain, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, Answer{}.failed(ctx, err)
	}
	c := &connection{Conn: &patientWriter{Conn: plain}}
	if wrap != nil {
		if err := c.encrypt(ctx, *wrap, p.Kind, sessions); err != nil {
			plain.Close()
			return nil, c.facts.failed(ctx, err)
		}
	}
	c.reader = bufio.NewReader(c.Conn)
	if c.exchange = c.protocol(p.Kind); c.exchange == nil {
		c.Close()
		return nil, c.facts.failed(ctx, fmt.Errorf("no such kind of probe: %q", p.Kind))
	}
	return c, c.facts
}

func (c *connection) encrypt(ctx context.Context, how TLS, kind string, sessions *lastSession) error {
	var alpn []string
	if kind == "h2" || kind == "grpc" {
		alpn = []string{"h2"}
	}
	config, err := how.config(alpn, sessions, &c.facts.Certificates)
	if err != nil {
		return err
	}
	defer c.bound(ctx)()
	encrypted := tls.Client(c.Conn, config)
	if err := encrypted.Handshake(); err != nil {
		return err
	}
	c.Conn = encrypted
	state := encrypted.ConnectionState()
	c.facts.Certificates = peerCertificates(&state)
	c.facts.TLSVersion = tlsVersionName(state.Version)
	c.facts.ALPN = state.NegotiatedProtocol
	c.facts.Resumed = state.DidResume
	return nil
}

func (c *connection) protocol(kind string) func(context.Context, Probe) Answer {
	switch kind {
	case "", "http":
		return c.http1
	case "h2":
		return newHTTP2(c).ask
	case "grpc":
		return newHTTP2(c).call
	case "websocket":
		return c.websocket
	case "tcp":
		return c.tcp
	case "line":
		return c.line
	case "raw":
		return c.raw
	case "handshake":
		return c.handshake
	}
	return nil
}

// converse sends the request of a probe and those that follow it.
func (c *connection) converse(ctx context.Context, p Probe) Answer {
	defer c.bound(ctx)()
	answer := c.exchange(ctx, p)
	for _, next := range p.Then {
		answer.Then = append(answer.Then, c.exchange(ctx, p.follow(next)))
	}
	return answer
}

// bound ends whatever the connection waits for when the context ends, until the function that it returns is called.
func (c *connection) bound(ctx context.Context) func() bool {
	conn := c.Conn
	conn.SetDeadline(time.Time{})
	return context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
}

// patientWriter does not report a failed write at once. Before a server closes a connection, it may have sent a reason:
// an alert, or a complete response. It can still be read, and is more informative than the failed write.
type patientWriter struct {
	net.Conn
	failed error
}

func (w *patientWriter) Write(data []byte) (int, error) {
	n, err := w.Conn.Write(data)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		w.failed = err
		return len(data), nil
	}
	return n, err
}

// Read reports the reset that a write has received before, because the kernel reports it only once.
func (w *patientWriter) Read(data []byte) (int, error) {
	n, err := w.Conn.Read(data)
	if err == io.EOF && errors.Is(w.failed, syscall.ECONNRESET) {
		err = w.failed
	}
	return n, err
}
