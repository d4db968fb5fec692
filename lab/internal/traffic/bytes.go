package traffic

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"time"
)

// refusalWait is how long a server has to reject the client's certificate. With TLS 1.3 the client's handshake is
// complete before the server has received it.
const refusalWait = 150 * time.Millisecond

// tcp waits for a greeting, writes the body and listens for what comes.
func (c *connection) tcp(ctx context.Context, p Probe) Answer {
	answer := c.facts
	heard, err := c.listen(ctx, p.quiet(), true)
	if err == nil && p.Body != "" {
		if _, err = c.Write([]byte(p.Body)); err == nil {
			var more []byte
			more, err = c.listen(ctx, p.quiet(), false)
			heard = append(heard, more...)
		}
	}
	return answer.heard(ctx, heard, err)
}

// raw writes the body at once. What comes back may be an HTTP response or not.
func (c *connection) raw(ctx context.Context, p Probe) Answer {
	c.spent = true
	answer := c.facts
	if _, err := c.Write([]byte(p.Body)); err != nil {
		return answer.failed(ctx, err)
	}
	heard, err := c.listen(ctx, p.quiet(), false)
	if answer.Status = httpStatus(heard); answer.Status != 0 {
		err = nil
	}
	return answer.heard(ctx, heard, err)
}

// handshake only waits for a rejection by the server.
func (c *connection) handshake(ctx context.Context, p Probe) Answer {
	c.spent = true
	answer := c.facts
	heard, err := c.listen(ctx, refusalWait, true)
	return answer.heard(ctx, heard, err)
}

func (p Probe) quiet() time.Duration {
	if p.Quiet > 0 {
		return p.Quiet
	}
	return 300 * time.Millisecond
}

// heard is the answer of a server that sent this text. A server that closes the connection after a text was reached.
func (a Answer) heard(ctx context.Context, heard []byte, err error) Answer {
	a.setBody(heard, int64(len(heard)))
	if err == nil || err == io.EOF && len(heard) > 0 {
		return a
	}
	return a.failed(ctx, err)
}

// listen reads until nothing arrives for a while, or (once) until something has arrived.
func (c *connection) listen(ctx context.Context, quiet time.Duration, once bool) ([]byte, error) {
	var heard []byte
	buffer := make([]byte, 32<<10)
	for ctx.Err() == nil {
		c.SetReadDeadline(time.Now().Add(quiet))
		n, err := c.reader.Read(buffer)
		heard = append(heard, buffer[:n]...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return heard, nil
		}
		if err != nil || once {
			return heard, err
		}
	}
	return heard, ctx.Err()
}

// httpStatus finds the status at the start of an HTTP/1 response, or 0.
func httpStatus(response []byte) int {
	version, rest, found := bytes.Cut(response, []byte(" "))
	if !found || !bytes.HasPrefix(version, []byte("HTTP/")) || len(rest) < 3 {
		return 0
	}
	status, err := strconv.Atoi(string(rest[:3]))
	if err != nil {
		return 0
	}
	return status
}
