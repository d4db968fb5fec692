package traffic

import (
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

var oddPaths = []string{
	"/reviews/../admin", "/a//b", "//a", "/./a", "/%2e%2e/admin", "/%2E%2e/admin", "/a%2Fb", "/a%2fb", "/a;b=c/d", "/ADMIN/Case", "/%00",
	"/%5c", "/a?b=/../c&d=%2F", "/a?", "/",
}

// Paths that Go's own servers reject.
var worsePaths = []string{`/a\..\b`, "/%zz", "/a#b", `\a`, "/\x7f", "/ümlaut"}

func TestHTTP1PathsArriveAsWritten(t *testing.T) {
	lines := make(chan string, 1)
	address := each(t, func(conn net.Conn) {
		defer conn.Close()
		line, _, _ := strings.Cut(until(conn), "\r\n")
		lines <- line
		conn.Write([]byte("HTTP/1.1 204 No Content\r\n\r\n"))
	})
	for _, path := range append(worsePaths, oddPaths...) {
		answer := ask(t, Probe{URL: "http://" + address + path})
		expectOutcome(t, answer, "204")
		expect(t, "request line", <-lines, "GET "+path+" HTTP/1.1")
	}
}

func TestTheServerReportsPathsAsTheyArrived(t *testing.T) {
	server, _ := serve(t)
	for _, kind := range []string{"http", "h2"} {
		for _, path := range oddPaths {
			answer := ask(t, Probe{Kind: kind, URL: at(server.http, path)})
			expectOutcome(t, answer, "200")
			if answer.Seen == nil {
				t.Fatalf("%s %s: nothing seen", kind, path)
			}
			expect(t, kind+" path", answer.Seen.Path, path)
			expect(t, kind+" protocol", answer.Seen.Proto, answer.Proto)
		}
	}
}

func TestHTTP2PathsArriveAsWritten(t *testing.T) {
	address, seen := captured(t, serverConfig(t))
	for _, path := range oddPaths {
		expectOutcome(t, ask(t, Probe{Kind: "h2", URL: "https://" + address + path}), "200")
		expect(t, "path", (<-seen).Path, path)
	}
}

func TestHTTP2PathsThatServersRefuseAreSentAsWritten(t *testing.T) {
	paths := make(chan string, 1)
	address := each(t, func(conn net.Conn) {
		defer conn.Close()
		io.ReadFull(conn, make([]byte, len(http2.ClientPreface)))
		framer := http2.NewFramer(conn, conn)
		framer.WriteSettings()
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return
			}
			if header, ok := frame.(*http2.HeadersFrame); ok {
				fields, _ := hpack.NewDecoder(4096, nil).DecodeFull(header.HeaderBlockFragment())
				for _, field := range fields {
					if field.Name == ":path" {
						paths <- field.Value
					}
				}
				framer.WriteHeaders(http2.HeadersFrameParam{
					StreamID: header.StreamID, BlockFragment: []byte{0x89}, EndStream: true, EndHeaders: true, // :status 204
				})
			}
		}
	})
	for _, path := range worsePaths {
		expectOutcome(t, ask(t, Probe{Kind: "h2", URL: "http://" + address + path}), "204")
		expect(t, "path", <-paths, path)
	}
}

func TestHTTP1RequestsAreWrittenToTheByte(t *testing.T) {
	address, seen := captured(t, serverConfig(t))
	answer := ask(t, Probe{
		URL: "https://" + address + "/a", Method: "pOST", Host: "Reviews.Test:1", Body: "hello",
		Header: [][2]string{{"x-lower", "1"}, {"X-UPPER", "2"}, {"a-Mixed", "3"}, {"x-lower", "4"}, {"aCCept", "none"}},
	})
	expectOutcome(t, answer, "200")
	expect(t, "request", (<-seen).Raw, "pOST /a HTTP/1.1\r\nHost: Reviews.Test:1\r\nUser-Agent: lab\r\nContent-Length: 5\r\n"+
		"x-lower: 1\r\nX-UPPER: 2\r\na-Mixed: 3\r\nx-lower: 4\r\naCCept: none\r\n\r\nhello")
}

func TestHTTP2HeadersArriveInLowerCaseAndMayReplacePseudoHeaders(t *testing.T) {
	address, seen := captured(t, serverConfig(t))
	answer := ask(t, Probe{
		Kind: "h2", URL: "https://" + address + "/a", Host: "Reviews.Test", Body: strings.Repeat("b", 200_000), Method: "PUT",
		Header: [][2]string{{"X-Long", strings.Repeat("l", 40_000)}, {":path", "/b"}, {"Host", "other.test"}},
	})
	expectOutcome(t, answer, "200")
	got := <-seen
	expect(t, "path", got.Path, "/b")
	expect(t, "host", got.Host, "Reviews.Test")
	expect(t, "other host", field(got.Header, "host"), "other.test")
	expect(t, "long header", len(field(got.Header, "x-long")), 40_000)
	expect(t, "body", got.Bytes, int64(200_000))
	expect(t, "protocol", got.Proto, "HTTP/2.0")
	expect(t, "chosen protocol", answer.ALPN, "h2")
}

func TestTheTargetMayBeAnythingElseThanAPath(t *testing.T) {
	server, _ := serve(t)
	answer := ask(t, Probe{URL: at(server.http, ""), Method: "OPTIONS", Target: "*"})
	expectOutcome(t, answer, "200")
	expect(t, "path", answer.Seen.Path, "*")
	answer = ask(t, Probe{URL: at(server.http, "/x"), Target: "http://other.test/admin"})
	expect(t, "path", answer.Seen.Path, "http://other.test/admin")
}

func TestServerNamesArriveWithTheirUpperCase(t *testing.T) {
	address, seen := captured(t, serverConfig(t))
	for _, kind := range []string{"http", "h2"} {
		name := "outbound_.9080_._.Reviews.Prod.SVC.cluster.local"
		answer := ask(t, Probe{Kind: kind, URL: "https://" + address, TLS: &TLS{ServerName: name}})
		expectOutcome(t, answer, "200")
		expect(t, "server name", (<-seen).ServerName, name)
	}
	ask(t, Probe{URL: "https://" + address})
	expect(t, "no server name", (<-seen).ServerName, "")
	ask(t, Probe{URL: "https://" + address, TLS: &TLS{ServerName: "reviews.test."}})
	expect(t, "server name with a dot at its end", (<-seen).ServerName, "reviews.test")
}

func TestMoreRequestsGoOverTheSameConnection(t *testing.T) {
	address, seen := captured(t, serverConfig(t))
	for _, kind := range []string{"http", "h2"} {
		answer := ask(t, Probe{
			Kind: kind, URL: "https://" + address + "/first", Host: "first.test",
			Then: []Probe{{URL: "/second//"}, {URL: "https://unused.test/third", Method: "DELETE", Host: "third.test", Body: "body"}},
		})
		expectOutcome(t, answer, "200")
		expect(t, "answers", len(answer.Then), 2)
		first, second, third := <-seen, <-seen, <-seen
		expect(t, "connection", second.Remote, first.Remote)
		expect(t, "connection", third.Remote, first.Remote)
		expect(t, "second request", second.Method+" "+second.Host+second.Path, "GET first.test/second//")
		expect(t, "third request", third.Method+" "+third.Host+third.Path, "DELETE third.test/third")
		expect(t, "third body", third.Body, "body")
		if kind == "http" && !strings.HasPrefix(second.Raw, "GET /second//") {
			t.Errorf("raw bytes of the second request: %q", second.Raw)
		}
	}
}

func TestSmuggledBytesArriveInOnePiece(t *testing.T) {
	smuggling := "POST /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 6\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\nG"
	received := make(chan string, 1)
	address := each(t, func(conn net.Conn) {
		defer conn.Close()
		received <- until(conn)
		conn.Write([]byte("HTTP/1.1 403 Forbidden\r\n\r\n"))
	})
	answer := ask(t, Probe{Kind: "raw", URL: "tcp://" + address, Body: smuggling})
	expect(t, "bytes", <-received, smuggling)
	expectOutcome(t, answer, "403")
	expect(t, "response", answer.Body, "HTTP/1.1 403 Forbidden\r\n\r\n")

	answer = ask(t, Probe{URL: "http://" + address + "/a", Method: "POST", Body: "0\r\n\r\n", Header: [][2]string{
		{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"},
	}})
	expectOutcome(t, answer, "403")
	if got := <-received; !strings.HasSuffix(got, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") {
		t.Errorf("bytes: %q", got)
	}
}

func TestWhatIsNoRequestIsCapturedAllTheSame(t *testing.T) {
	address, seen := captured(t, serverConfig(t))
	answer := ask(t, Probe{Kind: "raw", URL: "https://" + address, Body: "GET / nonsense\r\n\r\n"})
	expectOutcome(t, answer, "400")
	got := <-seen
	expect(t, "method", got.Method, "")
	expect(t, "bytes", got.Raw, "GET / nonsense\r\n\r\n")
}
