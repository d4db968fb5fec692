// Package outcome is the vocabulary for expected outcomes of attempts, and their comparison with actual outcomes.
//
//	"200"                        an HTTP status
//	"PERMISSION_DENIED"          a gRPC code
//	"refused | reset | timeout"  one of several words
//	"alert: certificate required", "alert: *"
//
// A word that is not in the vocabulary can never occur, so it would have no effect in an expectation. Check rejects it.
package outcome

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Words for how a connection ended without an answer, as traffic.Answer.Outcome gives them.
const (
	Open        = "open"        // connected, and nothing went wrong
	Refused     = "refused"     // no process listens
	Unreachable = "unreachable" // no route to the address
	Reset       = "reset"       // the other side reset the connection or the stream
	Closed      = "closed"      // the other side closed the connection before it answered
	Timeout     = "timeout"     // no answer in time
	NoSuchName  = "name"        // the host does not resolve
	Other       = "other"       // any other error
)

// TLS alerts that cases expect by name.
const (
	NoCertificate    = "alert: certificate required"
	UnknownAuthority = "alert: unknown certificate authority"
	WrongIdentity    = "alert: certificate unknown"
	ExpiredOrFuture  = "alert: expired certificate"
	ProtocolVersion  = "alert: protocol version"
	AnyAlert         = "alert: *"
)

// Combinations that many cases expect.
const (
	// CutOff is a connection that ends before any answer.
	CutOff = Reset + " | " + Closed
	// Rejected is the same, or an alert: a sidecar or a socket on the way may lose the alert.
	Rejected = CutOff + " | " + AnyAlert
)

const (
	separator   = " | "
	alertPrefix = "alert: "
)

var words = []string{Open, Refused, Unreachable, Reset, Closed, Timeout, NoSuchName, Other}

// GRPC are the names of the gRPC codes, by number.
var GRPC = []string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
	"UNAUTHENTICATED",
}

// alerts of TLS, by the names that RFC 8446 and crypto/tls give them.
var alerts = []string{
	"*", "close notify", "unexpected message", "bad record MAC", "decryption failed", "record overflow", "decompression failure",
	"handshake failure", "bad certificate", "unsupported certificate", "revoked certificate", "expired certificate", "certificate unknown",
	"illegal parameter", "unknown certificate authority", "access denied", "error decoding message", "error decrypting message",
	"export restriction", "protocol version", "insufficient security level", "internal error", "inappropriate fallback", "user canceled",
	"no renegotiation", "missing extension", "unsupported extension", "certificate unobtainable", "unrecognized name",
	"bad certificate status response", "bad certificate hash value", "unknown PSK identity", "certificate required",
	"no application protocol", "encrypted client hello required",
}

// Alternatives are the words of an expectation.
func Alternatives(expected string) []string { return strings.Split(expected, separator) }

// Check returns an error that names the first word of an expectation that is not in the vocabulary. The own words are
// those that a case adds to it.
func Check(expected string, own ...string) error {
	for _, word := range Alternatives(expected) {
		if !known(word) && !slices.Contains(own, word) {
			return fmt.Errorf("%q is not an outcome: use an HTTP status, a gRPC code, %s, or %q with the name of a TLS alert or *",
				word, strings.Join(words, ", "), alertPrefix)
		}
	}
	return nil
}

// CheckDetailed is Check for outcomes that are followed by what came with them: "open: echo: hello", "200 yes".
func CheckDetailed(expected string, own ...string) error {
	var first []string
	for _, word := range Alternatives(expected) {
		if !known(word) && !slices.Contains(own, word) {
			word, _, _ = strings.Cut(word, " ")
			word = strings.TrimSuffix(word, ":")
		}
		first = append(first, word)
	}
	return Check(strings.Join(first, separator), own...)
}

func known(word string) bool {
	if alert, isAlert := strings.CutPrefix(word, alertPrefix); isAlert {
		return slices.Contains(alerts, alert)
	}
	status, err := strconv.Atoi(word)
	return err == nil && http.StatusText(status) != "" || slices.Contains(words, word) || slices.Contains(GRPC, word)
}

// Matches compares what an attempt ended with to what was expected: "a | b" is one of several words, "a*" every word
// that begins so. The values of headers and of access logs are compared in the same way.
func Matches(got, expected string) bool {
	return slices.ContainsFunc(Alternatives(expected), func(one string) bool {
		prefix, open := strings.CutSuffix(one, "*")
		return got == one || open && strings.HasPrefix(got, prefix)
	})
}
