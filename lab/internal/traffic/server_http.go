package traffic

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/folds"
)

func (s *server) serveHTTP(ctx context.Context, l *listener) error {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return s.serveHTTPOn(ctx, l, l, &protocols)
}

func (s *server) serveTLS(ctx context.Context, l *listener) error {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return s.serveHTTPOn(ctx, l, tls.NewListener(l, s.tls), &protocols)
}

func (s *server) serveHTTPOn(ctx context.Context, l *listener, connections net.Listener, protocols *http.Protocols) error {
	web := &http.Server{
		Handler:   &app{server: s, listener: l},
		Protocols: protocols,
		ErrorLog:  s.log,
		// Otherwise net/http answers "OPTIONS *" itself.
		DisableGeneralOptionsHandler: true,
	}
	stopped := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(stopped)
		patience, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if web.Shutdown(patience) != nil {
			web.Close()
		}
	})
	if err := web.Serve(connections); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-stopped
	return nil
}

// app answers each request with what it saw of it, whatever the path: a ServeMux would clean paths and redirect.
type app struct {
	server   *server
	listener *listener
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path == "/lab/count" {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(&a.server.counts)
		return
	}
	a.listener.request(r.Method, r.RequestURI, r.Host, r.RemoteAddr)
	if websocket.IsWebSocketUpgrade(r) {
		a.webSocket(w, r)
		return
	}
	seen := see(r)
	seen.Pod = a.server.pod
	// Pairs with a semicolon are ignored.
	steering, _ := url.ParseQuery(r.URL.RawQuery)
	seen.ReadBy = folds.ReadBy(r.RequestURI, steering["excepted"]...)
	if delay, err := time.ParseDuration(steering.Get("delay")); err == nil {
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return
		}
	}
	respond(w, r, steering, seen)
}

// respond follows the query parameters of a request.
func respond(w http.ResponseWriter, r *http.Request, steering url.Values, seen Seen) {
	header := w.Header()
	header.Set("Server", "lab-backend/1.0")
	header.Set("X-Powered-By", "lab")
	header.Set("Content-Type", "application/json")
	if steering.Has("bytes") {
		header.Set("Content-Type", "application/octet-stream")
	}
	own := map[string]bool{}
	for _, field := range steering["header"] {
		name, value, _ := strings.Cut(field, ":")
		if !own[name] {
			header.Del(name)
		}
		own[name] = true
		header.Add(name, strings.TrimSpace(value))
	}
	status, err := strconv.Atoi(steering.Get("status"))
	if err != nil || status < 200 || status > 999 {
		status = http.StatusOK
	}
	if path := steering.Get("redirect"); path != "" {
		header.Set("Location", redirection(r, path))
		status = http.StatusFound
	}
	if size, err := strconv.ParseInt(steering.Get("bytes"), 10, 64); err == nil && size >= 0 {
		header.Set("Content-Length", strconv.FormatInt(size, 10))
		w.WriteHeader(status)
		io.CopyN(w, filler{}, size)
		return
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(seen)
}

// redirection is the whole URL, as applications write it that trust the Host header.
func redirection(r *http.Request, path string) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host + "/" + strings.TrimPrefix(path, "/")
}

// webSocket sends the first message back with the pod's name; with the query "talk" it sends every message back as it
// is.
func (a *app) webSocket(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	kind, message, err := conn.ReadMessage()
	for err == nil && r.URL.RawQuery == "talk" {
		if err = conn.WriteMessage(kind, message); err == nil {
			kind, message, err = conn.ReadMessage()
		}
	}
	if err != nil {
		return
	}
	conn.WriteMessage(kind, append([]byte(a.server.pod+": "), message...))
	conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
}

// filler is a body without end.
type filler struct{}

func (filler) Read(data []byte) (int, error) {
	for i := range data {
		data[i] = 'x'
	}
	return len(data), nil
}
