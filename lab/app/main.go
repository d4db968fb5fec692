// Command app is what runs in the pods of the lab's applications: a server that says what reached it, and a client that
// tries what it is told. It is a program of its own so that it starts at once.
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
