package attackers

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	. "github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases/testbed"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/guarantee"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

// refusedFraming are Envoy's answers to a request with ambiguous framing.
const refusedFraming = "400 | 501 | closed | reset"

// Framing are requests whose end two parsers may find at different positions. In the bytes, OUT is a path that the
// rules allow, HIDDEN one that they deny, and HOST the name of the service.
func Framing() []Case {
	const get = "GET OUT HTTP/1.1\r\nHost: HOST\r\n"
	const hidden = "GET HIDDEN HTTP/1.1\r\nHost: HOST\r\n\r\n"
	// The bytes after the header: the end for a parser of chunks, a part of the body for a parser of Content-Length.
	const ended = "Content-Length: 4\r\n%s\r\n\r\n0\r\n\r\n" + hidden
	var cases []Case
	add := func(name, expect, want, bytes string) {
		cases = append(cases, Case{Name: "framing/" + name, Guarantees: guarantee.TwoControls, Expect: expect, Run: func(t *T) { sendFraming(t, want, bytes) }})
	}
	for name, encoding := range map[string]string{
		"chunked":           "Transfer-Encoding: chunked",
		"identity-last":     "Transfer-Encoding: chunked, identity",
		"identity-first":    "Transfer-Encoding: identity, chunked",
		"twice":             "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
		"twice-chunked":     "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
		"unknown":           "Transfer-Encoding: xchunked",
		"tab":               "Transfer-Encoding:\tchunked",
		"vertical-tab":      "Transfer-Encoding: \x0bchunked",
		"quoted":            "Transfer-Encoding: \"chunked\"",
		"space-before":      "Transfer-Encoding : chunked",
		"space-in-front":    " Transfer-Encoding: chunked",
		"folded":            "Transfer-Encoding:\r\n chunked",
		"bare-line-feed":    "X: y\nTransfer-Encoding: chunked",
		"bare-return":       "X: y\rTransfer-Encoding: chunked",
		"return-in-name":    "Transfer-\rEncoding: chunked",
		"null-in-value":     "Transfer-Encoding: chunked\x00",
		"null-in-name":      "Transfer-Encoding\x00: chunked",
		"mixed-case":        "tRANSFER-eNCODING: CHUNKED",
		"empty":             "Transfer-Encoding: ",
		"semicolon":         "Transfer-Encoding: chunked;q=1",
		"comma-in-front":    "Transfer-Encoding: ,chunked",
		"byte-outside":      "Transfer-Encoding: chunked\xff",
		"colon-in-the-name": "Transfer-Encoding:: chunked",
	} {
		want := refusedFraming
		if name == "bare-return" {
			want += " | 200" // Envoy writes a blank for the return, so it is a part of the value
		}
		add("two-lengths-"+name, fmt.Sprintf("A request with Content-Length and `%s` produces no second request at the backend", strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(encoding, "\r", "\\r"), "\n", "\\n"), "\x00", "\\0"), "\xff", "\\xff")),
			want, get+fmt.Sprintf(ended, encoding))
	}
	// Envoy does not treat an underscore as a dash: it uses Content-Length, and the hidden request is the body.
	add("underscore", "The gateways reject `Transfer_Encoding`, and the hidden request remains part of the body", "503 | "+refusedFraming,
		get+"Transfer_Encoding: chunked\r\nContent-Length: LENGTH\r\n\r\n0\r\n\r\n"+hidden)
	for name, length := range map[string]string{
		"two": "4\r\nContent-Length: 60", "list": "4, 4", "list-of-two": "4, 60", "plus": "+4", "minus": "-4", "hex": "0x4", "blank-inside": "4 4", "empty": "", "huge": "99999999999999999999", "tab": "4\t4",
	} {
		add("length-"+name, fmt.Sprintf("The gateways reject the Content-Length `%s`", strings.ReplaceAll(length, "\r\n", "; ")), refusedFraming, get+"Content-Length: "+length+"\r\n\r\nbody"+hidden)
	}
	for name, chunk := range map[string]string{
		"hex-prefix": "0x5\r\nhello\r\n", "minus": "-5\r\nhello\r\n", "letters": "5g\r\nhello\r\n", "huge": "fffffffffffffffff5\r\nhello\r\n", "blank": "5 5\r\nhello\r\n", "no-end": "5\r\nhelloXX", "longer": "5\r\nhello!!\r\n",
		"line-feed": "5\nhello\r\n", "extension-line-feed": "5;x\nhello\r\n", "extension-return": "5;x\rhello\r\n", "empty": "\r\nhello\r\n",
	} {
		want := refusedFraming
		if name == "blank" || name == "longer" {
			want += " | 200" // Envoy uses the number, and frames the body again
		}
		add("chunk-"+name, fmt.Sprintf("A malformed chunk size produces no second request (%s)", name), want, get+"Transfer-Encoding: chunked\r\n\r\n"+chunk+"0\r\n\r\n"+hidden)
	}
	add("chunk-extension", "The gateways forward a chunk extension, and apply the rules to the request behind it", "200 | "+refusedFraming,
		get+"Transfer-Encoding: chunked\r\n\r\n5;ext=\"a;b\"\r\nhello\r\n0\r\n\r\n"+hidden)
	add("trailer", "The gateways ignore framing headers in a trailer", "200 | "+refusedFraming, get+"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n"+hidden)
	for name, head := range map[string]string{
		"line-feeds":        "GET OUT HTTP/1.1\nHost: HOST\nContent-Length: 0\n\n",
		"return-in-value":   get + "X: a\rHost: other\r\n\r\n",
		"null-in-value":     get + "X: a\x00b\r\n\r\n",
		"name-with-blank":   get + "X Y: a\r\n\r\n",
		"name-with-return":  get + "X\rY: a\r\n\r\n",
		"space-colon":       get + "X : a\r\n\r\n",
		"no-colon":          get + "X\r\n\r\n",
		"version-1.2":       "GET OUT HTTP/1.2\r\nHost: HOST\r\n\r\n",
		"version-2.0":       "GET OUT HTTP/2.0\r\nHost: HOST\r\n\r\n",
		"version-0.9":       "GET OUT\r\n\r\n",
		"blank-in-path":     "GET OUT HIDDEN HTTP/1.1\r\nHost: HOST\r\n\r\n",
		"tab-in-line":       "GET\tOUT\tHTTP/1.1\r\nHost: HOST\r\n\r\n",
		"return-in-path":    "GET OUT\rHIDDEN HTTP/1.1\r\nHost: HOST\r\n\r\n",
		"line-feed-in-path": "GET OUT\nX: HIDDEN HTTP/1.1\r\nHost: HOST\r\n\r\n",
		"method-with-bytes": "GE\x00T OUT HTTP/1.1\r\nHost: HOST\r\n\r\n",
	} {
		add("line-"+name, "A malformed request line or header produces no second request ("+name+")", "200 | 404 | 426 | "+refusedFraming, head+hidden)
	}
	add("version-1.0", "The gateways answer HTTP/1.0 with 426", "426 | reset", "GET OUT HTTP/1.0\r\nHost: HOST\r\n\r\n")
	add("upgrade-h2c", "The gateways do not upgrade to HTTP/2 in plaintext", "200 | 403 | "+refusedFraming, get+"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"+hidden)
	add("absolute-form", "The gateways deny an absolute request target for another host", "403 | 404 | 503 | "+refusedFraming, "GET http://ratings.default.svc.cluster.local/reviews/0 HTTP/1.1\r\nHost: HOST\r\n\r\n")
	add("expect", "A body that is announced and not sent produces no second request", "100 | 200 | 417 | timeout | "+refusedFraming, get+"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
	add("connection-names-headers", "The `Connection` header removes no header that the gateway sets", "200 | 400", get+"Connection: close, x-federation-peer, x-forwarded-for\r\n\r\n")
	return InScenario("two-meshes-http", append(cases, framingHTTP2()...)...)
}

// sendFraming sends bytes to the ingress gateway with west's genuine certificate, and as the allowed caller.
func sendFraming(t *T, want, bytes string) {
	sendBothWays(t, want, func(kind, out, hidden, host string) traffic.Probe {
		text := strings.NewReplacer("OUT", out, "HIDDEN", hidden, "HOST", host).Replace(bytes)
		if _, body, found := strings.Cut(text, "\r\n\r\n"); found {
			text = strings.Replace(text, "LENGTH", fmt.Sprint(len(body)), 1)
		}
		return traffic.Probe{Kind: "raw", Body: text, Quiet: 500 * time.Millisecond}
	})
}

// sendBothWays sends a request in both ways at once, and checks the backend's log.
func sendBothWays(t *T, want string, request func(kind, out, hidden, host string) traffic.Probe) {
	pod, err := t.East.Pod(t.Context(), "default/reviews")
	t.Must(err)
	type way struct {
		from              From
		mark, out, hidden string
		answer            traffic.Answer
	}
	ways := []way{{from: Outside}, {from: Productpage}}
	var both errgroup.Group
	for i := range ways {
		w := &ways[i]
		w.mark = strings.ToLower(rand.Text())
		w.out, w.hidden = "/reviews/"+w.mark, "/hidden/"+w.mark
		host := "reviews:9080"
		if w.from == Outside {
			host = ReviewsSNI
		}
		p := request(w.from.Mesh, w.out, w.hidden, host)
		if w.from == Outside {
			direct := ToIngress(GenuineWest)(t.Federation)
			p.URL, p.Dial, p.TLS = direct.URL, direct.Dial, direct.TLS
		} else {
			p.URL = "http://reviews:9080" + w.out
		}
		both.Go(func() error {
			answers, err := Probe(t.Context(), t.Federation, w.from, p)
			if err == nil {
				w.answer = answers[0]
			}
			return err
		})
	}
	t.Must(both.Wait())
	time.Sleep(200 * time.Millisecond)
	log, err := t.East.Logs(t.Context(), pod, "app")
	t.Must(err)
	for _, w := range ways {
		if !outcome.Matches(w.answer.Outcome(), want) {
			t.Errorf("%s: %s, and not %s%s", w.from, w.answer.Outcome(), want, Detail(w.answer))
		}
		if strings.Contains(log, w.hidden) {
			t.Errorf("%s: the hidden request has reached the backend", w.from)
		}
		if count := strings.Count(log, w.mark); count > 1 {
			t.Errorf("%s: the backend saw %d requests", w.from, count)
		}
		text := w.answer.Outcome()
		if seen := seenInBytes(w.answer); seen != nil {
			text += fmt.Sprintf(", the backend has a body of %d bytes", seen.Bytes)
			if seen.Path != w.out || Header(seen.Header, "x-federation-peer") != "west" || strings.ContainsAny(fmt.Sprint(seen.Header), "\r\n\x00") {
				t.Errorf("%s: the backend saw another request: %+v", w.from, *seen)
			}
		}
		t.Logf("%s", text)
	}
}

// seenInBytes is what the backend received, read from an answer in raw bytes.
func seenInBytes(answer traffic.Answer) *traffic.Seen {
	begin, end := strings.Index(answer.Body, "{"), strings.LastIndex(answer.Body, "}")
	seen := &traffic.Seen{}
	if answer.Seen != nil {
		return answer.Seen
	}
	if begin < 0 || end < begin || json.Unmarshal([]byte(answer.Body[begin:end+1]), seen) != nil {
		return nil
	}
	return seen
}

// framingHTTP2 are HTTP/2 requests that are ambiguous in HTTP/1.1, which the gateway uses to the backend.
func framingHTTP2() []Case {
	var cases []Case
	for name, header := range map[string][][2]string{
		"value-with-lines":         {{"x", "a\r\nHost: other\r\n\r\nGET HIDDEN HTTP/1.1"}},
		"value-with-line-feed":     {{"x", "a\nTransfer-Encoding: chunked"}},
		"value-with-null":          {{"x", "a\x00b"}},
		"name-with-lines":          {{"x: y\r\ntransfer-encoding", "chunked"}},
		"name-with-colon":          {{"transfer-encoding:x", "chunked"}},
		"name-with-blank":          {{"transfer-encoding ", "chunked"}},
		"transfer-encoding":        {{"transfer-encoding", "chunked"}},
		"connection":               {{"connection", "transfer-encoding"}},
		"te":                       {{"te", "gzip"}},
		"length-too-short":         {{"content-length", "2"}},
		"length-too-long":          {{"content-length", "20"}},
		"length-twice":             {{"content-length", "4"}, {"content-length", "60"}},
		"length-odd":               {{"content-length", "+4"}},
		"path-with-lines":          {{":path", "OUT HTTP/1.1\r\nHost: other\r\n\r\nGET HIDDEN"}},
		"path-with-blank":          {{":path", "OUT HIDDEN"}},
		"path-twice":               {{":path", "OUT"}, {":path", "HIDDEN"}},
		"path-empty":               {{":path", ""}},
		"path-absolute":            {{":path", "http://other.example/HIDDEN"}},
		"method-with-lines":        {{":method", "GET HIDDEN HTTP/1.1\r\nHost: x\r\n\r\nGET"}},
		"method-twice":             {{":method", "GET"}, {":method", "POST"}},
		"scheme-with-lines":        {{":scheme", "https://x/HIDDEN?"}},
		"authority-with-lines":     {{":authority", "x\r\nX: y"}},
		"authority-twice":          {{":authority", "HOST"}, {":authority", "other.example"}},
		"pseudo-unknown":           {{":x", "y"}},
		"pseudo-of-a-response":     {{":status", "200"}},
		"websocket-by-connect":     {{":method", "CONNECT"}, {":protocol", "websocket"}},
		"host-of-another":          {{"host", "other.example"}},
		"underscored-te-as-header": {{"transfer_encoding", "chunked"}},
	} {
		cases = append(cases, Case{
			Name: "framing/h2-" + name, Guarantees: guarantee.TwoControls, Expect: "An HTTP/2 request that is ambiguous in HTTP/1.1 produces no second request (" + name + ")",
			Run: func(t *T) {
				sendBothWays(t, "200 | 403 | 404 | 503 | 502 | timeout | "+refusedFraming, func(kind, out, hidden, host string) traffic.Probe {
					p := traffic.Probe{Kind: "h2", Target: out, Host: host, Body: "body", Timeout: 3 * time.Second}
					for _, field := range header {
						p.Header = append(p.Header, [2]string{field[0], strings.NewReplacer("OUT", out, "HIDDEN", hidden, "HOST", host).Replace(field[1])})
					}
					return p
				})
			},
		})
	}
	return cases
}
