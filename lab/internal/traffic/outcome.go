package traffic

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/net/http2"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/outcome"
)

// Outcome is the answer in a word, as cases expect it: the first word of the error, with the name of a TLS alert
// ("alert: certificate required"), else the gRPC code, else the HTTP status ("200"), which raw bytes may have brought
// too, else "open".
func (a Answer) Outcome() string {
	switch word, _, _ := strings.Cut(a.Error, ":"); {
	case word == "alert":
		return a.Error
	case word != "":
		return word
	case a.GRPC != "":
		return a.GRPC
	case a.Status != 0:
		return strconv.Itoa(a.Status)
	}
	return outcome.Open
}

// failed adds the error to the answer.
func (a Answer) failed(ctx context.Context, err error) Answer {
	a.Error = describe(ctx, err)
	return a
}

// describe puts an error into the words of Answer.Error.
func describe(ctx context.Context, err error) string {
	if name, ok := alertName(err); ok {
		return "alert: " + name
	}
	return word(ctx, err) + ": " + err.Error()
}

func word(ctx context.Context, err error) string {
	var name *net.DNSError
	var network net.Error
	var stream streamReset
	var gone goAway
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return outcome.Other
	case errors.As(err, &name):
		return outcome.NoSuchName
	case errors.Is(err, syscall.ECONNREFUSED):
		return outcome.Refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return outcome.Unreachable
	case errors.Is(err, syscall.ECONNRESET), errors.As(err, &stream):
		return outcome.Reset
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return outcome.Timeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE), errors.As(err, &gone):
		return outcome.Closed
	}
	return outcome.Other
}

// Names that crypto/tls gives otherwise than RFC 8446.
var alertNames = map[string]string{
	"protocol version not supported": "protocol version",
	"unknown certificate":            "certificate unknown",
}

// alertName finds the alert that the peer sent. crypto/tls does not export its type, but its text is stable.
func alertName(err error) (string, bool) {
	_, name, found := strings.Cut(err.Error(), "remote error: tls: ")
	if own, ok := alertNames[name]; ok {
		name = own
	}
	return name, found
}

// streamReset is an HTTP/2 stream that the server gave up, goAway a connection that it takes no more streams on.
type (
	streamReset http2.ErrCode
	goAway      http2.ErrCode
)

func (e streamReset) Error() string { return "stream: " + http2.ErrCode(e).String() }
func (e goAway) Error() string      { return "GOAWAY: " + http2.ErrCode(e).String() }
