package traffic

import (
	"context"
	"net"
	"strings"
	"sync"
)

const greeting = "220 lab ready\r\n"

func (s *server) serveTCP(ctx context.Context, l *listener) error { return serveEcho(ctx, l, "") }

func (s *server) serveGreeting(ctx context.Context, l *listener) error {
	return serveEcho(ctx, l, greeting)
}

// serveEcho sends the greeting, if there is one, and returns what it receives.
func serveEcho(ctx context.Context, l *listener, first string) error {
	return serveConnections(ctx, l, func(conn net.Conn) { echo(l, conn, first) })
}

// serveDeaf accepts connections and reads nothing from them.
func (s *server) serveDeaf(ctx context.Context, l *listener) error {
	return serveConnections(ctx, l, func(net.Conn) { <-ctx.Done() })
}

func serveConnections(ctx context.Context, l *listener, serve func(net.Conn)) error {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	var open sync.WaitGroup
	defer open.Wait()
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		open.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			serve(conn)
		})
	}
}

func echo(l *listener, conn net.Conn, first string) {
	if _, err := conn.Write([]byte(first)); err != nil {
		return
	}
	host, prefix := conn.LocalAddr().String(), "echo: "
	buffer := make([]byte, 32<<10)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		l.request("-", strings.ToValidUTF8(string(buffer[:min(n, 80)]), "?"), host, conn.RemoteAddr().String())
		// Only the beginning has the prefix, however the bytes were cut on their way.
		if _, err := conn.Write(append([]byte(prefix), buffer[:n]...)); err != nil {
			return
		}
		prefix = ""
	}
}
