// Package extended lets Go's HTTP/2 server take extended CONNECT requests (RFC 8441), by which a WebSocket crosses
// HTTP/2. The server asks the environment for that once, when it is initialised. Go initialises packages in the order
// of their paths, so this one comes before it.
package extended

import "os"

const variable = "GODEBUG"

var before = os.Getenv(variable)

func init() {
	_ = os.Setenv(variable, before+",http2xconnect=1") // without it, a WebSocket is refused: leaks/wire sees that
}

// Done restores the environment, which programs that are started from here inherit.
func Done() error {
	if before == "" {
		return os.Unsetenv(variable)
	}
	return os.Setenv(variable, before)
}
