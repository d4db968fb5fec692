package traffic

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"

	"golang.org/x/net/http2"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/extended"
)

// The HTTP/2 server has read the environment by now.
var _ = extended.Done()

// Capture replaces a peer's ingress gateway: it terminates TLS, answers each request of HTTP/1.1 and HTTP/2 with a
// description of the request, and reports everything that arrived, with its exact bytes if possible. It listens at the
// returned address until the context ends. Bytes that are not a request are reported as well, as a Seen with Raw and
// without Method.
func Capture(ctx context.Context, address string, config *tls.Config, onSeen func(Seen)) (net.Addr, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go capture(ctx, tls.Server(conn, config), onSeen)
		}
	}()
	return listener.Addr(), nil
}

// captureName is the name in answers, in place of that of a pod.
const captureName = "capture"

// capture uses the protocol with which the client begins, independent of ALPN, because meshes use their own ALPN names.
func capture(ctx context.Context, conn *tls.Conn, onSeen func(Seen)) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if conn.Handshake() != nil {
		return
	}
	recorded := &recorder{Reader: conn}
	reader := bufio.NewReader(recorded)
	if start, err := reader.Peek(len("PRI")); err == nil && string(start) == "PRI" {
		captureHTTP2(ctx, &peeked{conn, reader}, onSeen)
		return
	}
	for captureHTTP1(conn, reader, recorded, onSeen) {
	}
}

func captureHTTP2(ctx context.Context, conn *peeked, onSeen func(Seen)) {
	new(http2.Server).ServeConn(conn, &http2.ServeConnOpts{
		Context: ctx,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			state := conn.ConnectionState()
			r.TLS = &state
			if r.Method == http.MethodConnect { // its body is what comes later
				r.Body = http.NoBody
			}
			seen := see(r)
			seen.Raw = fmt.Sprint(seen.Method, " ", seen.Path, " ", seen.Host, " ", seen.Header)
			onSeen(seen)
			seen.Pod, seen.Raw = captureName, ""
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(seen)
		}),
	})
}

// captureHTTP1 reads one request and reports whether another one may follow.
func captureHTTP1(conn *tls.Conn, reader *bufio.Reader, recorded *recorder, onSeen func(Seen)) bool {
	var seen Seen
	response := ""
	request, err := http.ReadRequest(reader)
	if err == nil {
		state := conn.ConnectionState()
		request.TLS, request.RemoteAddr = &state, conn.RemoteAddr().String()
		seen = see(request)
	} else {
		response = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
		seen.Remote = conn.RemoteAddr().String()
	}
	ahead := reader.Buffered()
	if err != nil {
		ahead = 0
	}
	seen.Raw = recorded.take(ahead)
	if seen.Raw == "" {
		return false
	}
	onSeen(seen)
	if err == nil {
		seen.Pod, seen.Raw = captureName, ""
		body, _ := json.Marshal(seen)
		response = fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	_, failed := io.WriteString(conn, response)
	return err == nil && failed == nil && !request.Close
}

// recorder records the bytes that are read.
type recorder struct {
	io.Reader
	kept bytes.Buffer
}

func (r *recorder) Read(data []byte) (int, error) {
	n, err := r.Reader.Read(data)
	r.kept.Write(data[:n])
	return n, err
}

// take returns the bytes that were read since the last call, without the buffered part that has not been parsed yet.
func (r *recorder) take(ahead int) string {
	return string(r.kept.Next(r.kept.Len() - ahead))
}

// peeked is a connection of which the beginning has been read already.
type peeked struct {
	*tls.Conn
	reader *bufio.Reader
}

func (p *peeked) Read(data []byte) (int, error) { return p.reader.Read(data) }
