// Command lab applies the output of the constructs to real clusters and real proxies, and attacks it. See README.md.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/kubelet"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/node"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	command, args := "", []string(nil)
	if len(os.Args) > 1 {
		command, args = os.Args[1], os.Args[2:]
	}
	if err := dispatch(ctx, command, args); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		stop()
		os.Exit(1)
	}
}

func dispatch(ctx context.Context, command string, args []string) error {
	switch command {
	// Commands that people type.
	case "", "up", "down", "run", "list", "mutate", "grow", "bench", "prove", "shell", "status":
		return operate(ctx, command, args)
	// Parts of the lab.
	case "node":
		return node.Run(ctx, args[0])
	case "container":
		return kubelet.Init(args[0])
	case "connect":
		return connect(args[0])
	}
	return fmt.Errorf("there is no command %q: see lab/README.md", command)
}

// connect joins standard input and output to a port, on the host on which it is started.
func connect(address string) error {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(connection, os.Stdin)
		_ = connection.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(os.Stdout, connection)
	return err
}
