package traffic

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func pod(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestQueriesSteerTheAnswer(t *testing.T) {
	server, _ := serve(t)
	for _, kind := range []string{"http", "h2"} {
		get := func(path string) Answer {
			return ask(t, Probe{Kind: kind, URL: at(server.http, path), Host: "Shop.test:8"})
		}

		answer := get("/?status=418&header=X-A:1&header=X-A:2&header=Server:other")
		expectOutcome(t, answer, "418")
		expect(t, "server", field(answer.Header, "server"), "other")
		expect(t, "powered by", field(answer.Header, "x-powered-by"), "lab")
		expect(t, "content type", field(answer.Header, "content-type"), "application/json")
		if list := fmt.Sprint(answer.Header); !strings.Contains(list, "[x-a 1] [x-a 2]") {
			t.Errorf("header: %s", list)
		}

		answer = get("/?bytes=3000000")
		expectOutcome(t, answer, "200")
		expect(t, "bytes", answer.Bytes, int64(3_000_000))
		expect(t, "shown", len(answer.Body), 64<<10)

		answer = get("/?redirect=/next")
		expectOutcome(t, answer, "302")
		expect(t, "location", field(answer.Header, "location"), "http://Shop.test:8/next")

		start := time.Now()
		expectOutcome(t, get("/?delay=100ms"), "200")
		if time.Since(start) < 100*time.Millisecond {
			t.Error("no delay")
		}
	}
}

func TestTheServerSaysWhatItSaw(t *testing.T) {
	server, _ := serve(t)
	answer := ask(t, Probe{
		URL: at(server.http, "/x"), Method: "POST", Host: "shop.test", Body: "4\r\nbody\r\n0\r\n\r\n",
		Header: [][2]string{{"X-B", "2"}, {"x-a", "1"}, {"Transfer-Encoding", "chunked"}},
	})
	seen := answer.Seen
	expect(t, "pod", seen.Pod, pod(t))
	expect(t, "request", seen.Method+" "+seen.Host+" "+seen.Body, "POST shop.test body")
	expect(t, "header", fmt.Sprint(seen.Header), "[[accept */*] [transfer-encoding chunked] [user-agent lab] [x-a 1] [x-b 2]]")
}

func TestTheServerMakesItselfACertificate(t *testing.T) {
	server, _ := serve(t)
	cert, key := asPEM(t, certificate(t, "client.test"))
	answer := ask(t, Probe{
		URL: fmt.Sprintf("https://127.0.0.1:%d/", server.tls), TLS: &TLS{ServerName: "Web.test", Cert: cert, Key: key},
	})
	expectOutcome(t, answer, "200")
	expect(t, "server name", answer.Seen.ServerName, "Web.test")
	expect(t, "client certificate", answer.Seen.Certificates, cert)
	if !strings.HasPrefix(answer.Certificates, "-----BEGIN CERTIFICATE-----") {
		t.Errorf("certificates: %q", answer.Certificates)
	}
}

func TestGRPCCallsAnswerWithTrailers(t *testing.T) {
	server, _ := serve(t)
	call := func(method string) Answer {
		return ask(t, Probe{Kind: "grpc", URL: at(server.grpc, "/lab.Echo/"+method), Body: "hello"})
	}
	message := pod(t) + ": hello"

	answer := call("Any")
	expectOutcome(t, answer, "OK")
	expect(t, "body", answer.Body, message)
	expect(t, "trailer", field(answer.Trailer, "x-lab-trailer"), "yes")
	expect(t, "status", answer.Status, 200)

	answer = call("Fail")
	expectOutcome(t, answer, "FAILED_PRECONDITION")
	expect(t, "message", field(answer.Trailer, "grpc-message"), "as asked")
	expect(t, "trailer", field(answer.Trailer, "x-lab-trailer"), "yes")

	answer = call("Stream")
	expectOutcome(t, answer, "OK")
	expect(t, "body", answer.Body, strings.Join([]string{message, message, message}, "\n"))

	expectOutcome(t, ask(t, Probe{Kind: "grpc", URL: at(server.http, "/?status=503")}), "UNAVAILABLE")
}

func TestWebSocketsEchoOneMessage(t *testing.T) {
	server, _ := serve(t)
	for _, size := range []int{5, 1000, 100_000} {
		message := strings.Repeat("m", size)
		answer := ask(t, Probe{Kind: "websocket", URL: at(server.http, "/any//path"), Body: message})
		expectOutcome(t, answer, "101")
		expect(t, "length", answer.Bytes, int64(len(pod(t)+": ")+size))
		expect(t, "pod", answer.pod(), pod(t))
	}
	expectOutcome(t, ask(t, Probe{Kind: "websocket", URL: at(server.http, "/"), Header: [][2]string{{"Upgrade", "no"}}}), "200")
}

func TestTCPPortsEchoAndGreet(t *testing.T) {
	server, _ := serve(t)
	answer := ask(t, Probe{Kind: "tcp", URL: at(server.tcp, ""), Body: "hello", Quiet: 100 * time.Millisecond})
	expectOutcome(t, answer, "open")
	expect(t, "echo", answer.Body, "echo: hello")
	answer = ask(t, Probe{Kind: "tcp", URL: fmt.Sprintf("localhost:%d", server.greeting), Body: "hello"})
	expectOutcome(t, answer, "open")
	expect(t, "greeting and echo", answer.Body, "220 lab ready\r\necho: hello")
}

func TestWhatArrivesIsCountedAndLogged(t *testing.T) {
	server, lines := serve(t)
	ask(t, Probe{URL: at(server.http, "/a"), Host: "shop.test", Then: []Probe{{URL: "/b"}}})
	ask(t, Probe{Kind: "grpc", URL: at(server.grpc, "/lab.Echo/Any")})
	ask(t, Probe{Kind: "raw", URL: at(server.tcp, ""), Body: "bytes", Quiet: 50 * time.Millisecond})

	var counts map[int]map[string]int
	if err := json.Unmarshal([]byte(ask(t, Probe{URL: at(server.http, "/lab/count")}).Body), &counts); err != nil {
		t.Fatal(err)
	}
	expect(t, "http requests", counts[server.http]["requests"], 2)
	expect(t, "http connections, this one included", counts[server.http]["connections"], 2)
	expect(t, "grpc requests", counts[server.grpc]["requests"], 1)
	expect(t, "tcp requests", counts[server.tcp]["requests"], 1)
	expect(t, "greeting connections", counts[server.greeting]["connections"], 0)
	for _, want := range []string{
		fmt.Sprintf("port=%d connection remote=127.0.0.1:", server.http),
		fmt.Sprintf(`port=%d request method=GET path="/b" host="shop.test" remote=127.0.0.1:`, server.http),
		fmt.Sprintf(`port=%d request method=POST path="/lab.Echo/Any" host="127.0.0.1:%[1]d" remote=127.0.0.1:`, server.grpc),
		fmt.Sprintf(`port=%d request method=- path="bytes"`, server.tcp),
	} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("no line with %s in\n%s", want, lines)
		}
	}
}
