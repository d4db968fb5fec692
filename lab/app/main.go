// Command app runs in the pods of the lab's applications: a server that reports the requests that it receives, and a
// client that sends probes. It is a separate program so that it starts quickly.
package main

import (
	"fmt"
	"os"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/traffic"
)

func main() {
	commands := map[string]func([]string) error{
		"serve": traffic.ServeCommand, "probe": traffic.ProbeCommand, "hold": traffic.HoldCommand, "attack": traffic.AttackCommand,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "app: serve, probe, hold or attack")
		os.Exit(1)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "app:", err)
		os.Exit(1)
	}
}
