package traffic

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
)

// http1 writes a request by hand, since net/http would tidy it, and reads the response.
func (c *connection) http1(ctx context.Context, p Probe) Answer {
	answer := c.facts
	if _, err := c.Write(p.http1Request()); err != nil {
		return answer.failed(ctx, err)
	}
	return c.http1Response(ctx, p)
}

func (p Probe) http1Request() []byte {
	defaults := [][2]string{{"Host", p.host()}, {"User-Agent", "lab"}, {"Accept", "*/*"}}
	if p.Body != "" && !p.given("Transfer-Encoding") {
		defaults = append(defaults, [2]string{"Content-Length", strconv.Itoa(len(p.Body))})
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s %s HTTP/1.1\r\n", p.method(), p.target())
	for _, field := range p.withDefaults(defaults...) {
		fmt.Fprintf(&out, "%s: %s\r\n", field[0], field[1])
	}
	out.WriteString("\r\n" + p.Body)
	return out.Bytes()
}

func (c *connection) http1Response(ctx context.Context, p Probe) Answer {
	answer := c.facts
	var response *http.Response
	for response == nil || response.StatusCode < 200 && response.StatusCode != http.StatusSwitchingProtocols {
		var err error
		if response, err = http.ReadResponse(c.reader, &http.Request{Method: p.method()}); err != nil {
			return answer.failed(ctx, err)
		}
	}
	defer response.Body.Close()
	c.spent = response.Close
	answer.Status = response.StatusCode
	answer.Proto = response.Proto
	answer.Header = listHeader(response.Header)
	if err := answer.takeBody(response.Body); err != nil {
		return answer.failed(ctx, err)
	}
	answer.Trailer = listHeader(response.Trailer)
	return answer
}
