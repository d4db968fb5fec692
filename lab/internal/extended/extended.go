// Package extended enables extended CONNECT requests (RFC 8441), which transport a WebSocket over HTTP/2, in Go's
// HTTP/2 server. The server reads this setting from the environment once, when it is initialised. Go initialises
// packages in the order of their paths, so this one is initialised first.
package extended

import "os"

const variable = "GODEBUG"

var before = os.Getenv(variable)

func init() {
	_ = os.Setenv(variable, before+",http2xconnect=1") // without it, a WebSocket is rejected, and leaks/wire fails
}

// Done restores the environment, which programs that are started from here inherit.
func Done() error {
	if before == "" {
		return os.Unsetenv(variable)
	}
	return os.Setenv(variable, before)
}
