// Package traffic runs inside pods: a server that reports what it received, and a client that sends probes and reports
// the answers. Neither depends on Kubernetes, so the same binary can be an image of an existing cluster.
//
//	lab serve --http 9080                      the server
//	lab probe < probes.json > answers.json     the client: all probes at once, answers in the same order
//	lab hold < holds.json                      holds connections open until its input ends, and reports their results
//	lab attack < attacks.json                  runs attacks that cost the server more than the client
package traffic

import "time"

// Probe is one request or connection to try. Zero values mean what a plain client would do.
type Probe struct {
	// Kind is the protocol above the connection: "http" (HTTP/1.1, the default), "h2", "grpc", "websocket", "tcp",
	// "line" (Body is one line, and so is the answer), "handshake" (TLS only) or "raw" (Body is written as it is).
	Kind string `json:"kind,omitempty"`

	// URL is the target: http(s)://host:port/path. Its path is sent unchanged. For "tcp", "raw" and "handshake", only
	// host and port are used. With grpc, the path is /package.Service/Method.
	URL string `json:"url,omitempty"`

	// Dial is the host:port to connect to when it is not the URL's.
	Dial string `json:"dial,omitempty"`

	// Target is the request target when it is not the URL's path: "*", or a whole URL as one sends it to a proxy.
	Target string `json:"target,omitempty"`

	Method string `json:"method,omitempty"` // GET
	// Host is Host or :authority when it is not the URL's host.
	Host string `json:"host,omitempty"`
	// Header is sent in this order, as written (HTTP/2: in lower case). A field takes the place of the default of that
	// name; with HTTP/2, ":path" and its like do so too, and may be there twice.
	Header [][2]string `json:"header,omitempty"`
	Body   string      `json:"body,omitempty"`

	// TLS wraps the connection. Without it, only an https URL does, with what TLS{} means.
	TLS *TLS `json:"tls,omitempty"`

	// Then are further requests on the same connection (http, h2, grpc): only path, Target, Method, Host, Header and
	// Body count. Their host is that of the first request unless they name one.
	Then []Probe `json:"then,omitempty"`

	Timeout time.Duration `json:"timeout,omitempty"` // UsualTimeout for all of it; a repeated probe has it each time
	Quiet   time.Duration `json:"quiet,omitempty"`   // 300 ms: tcp and raw stop reading when nothing arrives for this time

	// Every repeats the probe at this interval, For this long or (without For) until standard input closes, each time
	// on a new connection unless Reuse is set. The answer is the last one, with Samples of all.
	Every time.Duration `json:"every,omitempty"`
	For   time.Duration `json:"for,omitempty"`
	Reuse bool          `json:"reuse,omitempty"`
	// Times is the number of repetitions: one after the other, as fast as answers arrive, or at the interval Every.
	Times int `json:"times,omitempty"`
	// Steady repeats the probe with a fixed number in flight. The answer has Load in place of Samples.
	Steady *Steady `json:"steady,omitempty"`
}

// TLS is the TLS configuration of a connection. The client never rejects a server certificate: it reports the
// certificate.
type TLS struct {
	// ServerName is sent as written, upper case included; none when empty. crypto/tls leaves two things out: the dots
	// at its end, and the whole name when it is an IP address. Neither is allowed in a ClientHello.
	ServerName string   `json:"serverName,omitempty"`
	Cert       string   `json:"cert,omitempty"`       // PEM chain
	Key        string   `json:"key,omitempty"`        // PEM
	MinVersion string   `json:"minVersion,omitempty"` // "1.2", "1.3"
	MaxVersion string   `json:"maxVersion,omitempty"`
	ALPN       []string `json:"alpn,omitempty"`
	// Classical offers no key exchange that resists quantum computers: X25519 and P-256 only.
	Classical bool `json:"classical,omitempty"`

	// ResumeFrom opens a first connection with this configuration, sends one request on it, and offers its session on
	// this connection.
	ResumeFrom *TLS `json:"resumeFrom,omitempty"`
	// ResumeAfter is how long the session rests in between.
	ResumeAfter time.Duration `json:"resumeAfter,omitempty"`
}

// Answer is the result of a Probe.
type Answer struct {
	Status  int         `json:"status,omitempty"` // HTTP status; for grpc see GRPC
	Proto   string      `json:"proto,omitempty"`  // HTTP/1.1, HTTP/2.0
	Header  [][2]string `json:"header,omitempty"` // lower-case names, sorted
	Trailer [][2]string `json:"trailer,omitempty"`
	Body    string      `json:"body,omitempty"`  // at most 64 KiB of it; for tcp and raw all bytes that came, greeting included
	Bytes   int64       `json:"bytes,omitempty"` // length of the body
	GRPC    string      `json:"grpc,omitempty"`  // OK, UNAVAILABLE, PERMISSION_DENIED…

	// Error is the reason for a missing answer. It begins with one of these words: "refused" (connection refused),
	// "unreachable", "timeout", "reset", "closed" (end of file), "alert" (a TLS alert: its name follows), "name" (the
	// name does not resolve), "other". Then a colon and details.
	Error string `json:"error,omitempty"`

	Certificates string `json:"certificates,omitempty"` // PEM, what the server showed
	TLSVersion   string `json:"tlsVersion,omitempty"`   // "1.3"
	ALPN         string `json:"alpn,omitempty"`         // the protocol that the server chose
	Resumed      bool   `json:"resumed,omitempty"`

	// Seen is the request as the server of this package reports it, if that server answered.
	Seen *Seen `json:"seen,omitempty"`

	Then    []Answer `json:"then,omitempty"`
	Samples []Sample `json:"samples,omitempty"`
	Load    *Load    `json:"load,omitempty"`
}

// Sample is one of many answers: the time of the request (Unix time), its duration, and the outcome in a word.
type Sample struct {
	At      time.Time     `json:"at"`
	Took    time.Duration `json:"took"`
	Outcome string        `json:"outcome"`
	Pod     string        `json:"pod,omitempty"` // the pod that answered
}

// Seen is what the server received.
type Seen struct {
	Pod    string      `json:"pod"`    // the server's host name
	Proto  string      `json:"proto"`  // HTTP/1.1, HTTP/2.0
	Method string      `json:"method"` // as it arrived
	Path   string      `json:"path"`   // as it arrived, with query, not decoded
	Host   string      `json:"host"`
	Header [][2]string `json:"header"` // lower-case names, sorted
	Remote string      `json:"remote"` // the address that connected
	Body   string      `json:"body,omitempty"`
	Bytes  int64       `json:"bytes,omitempty"`
	// ReadBy are the kinds of backends that would read the path as one of those that the query names as `excepted`.
	ReadBy []string `json:"readBy,omitempty"`
	// TLS of the connection, if the server itself terminated it: the certificates and settings of the client.
	ServerName   string `json:"serverName,omitempty"`
	Certificates string `json:"certificates,omitempty"`
	Raw          string `json:"raw,omitempty"` // capture server: the bytes of the request as they came
}
