package traffic

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

// ServeCommand is "app serve": it runs the server until it is stopped.
func ServeCommand(args []string) error {
	var options Options
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.Func("http", "ports for HTTP/1.1 and HTTP/2, separated by commas", into(&options.HTTP))
	flags.Func("grpc", "ports for gRPC", into(&options.GRPC))
	flags.Func("tcp", "ports where the client speaks first", into(&options.TCP))
	flags.Func("greeting", "ports where the server speaks first", into(&options.Greeting))
	flags.Func("tls", "ports for HTTP/1.1 inside TLS", into(&options.TLS))
	silent := flags.Bool("silent", false, "no line for each request, which would be most of the work under load")
	flags.Func("deaf", "ports where nothing is read", into(&options.Deaf))
	if err := parse(flags, args); err != nil {
		return err
	}
	if *silent {
		options.Log = io.Discard
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	return Serve(ctx, options)
}

// ProbeCommand is "app probe": probes on standard input, answers on standard output.
func ProbeCommand(args []string) error {
	if err := parse(flag.NewFlagSet("probe", flag.ContinueOnError), args); err != nil {
		return err
	}
	return RunProbe(os.Stdin, os.Stdout)
}

// HoldCommand is "app hold": it reads plans from standard input, and writes the result of each connection to standard
// output when the input ends or when the file of the option exists.
func HoldCommand(args []string) error {
	flags := flag.NewFlagSet("hold", flag.ContinueOnError)
	stop := flags.String("stop", "", "hold until this file exists, and not until standard input ends")
	if err := parse(flags, args); err != nil {
		return err
	}
	return RunHold(os.Stdin, os.Stdout, *stop)
}

// AttackCommand is "app attack": plans on standard input, reports on standard output.
func AttackCommand(args []string) error {
	if err := parse(flag.NewFlagSet("attack", flag.ContinueOnError), args); err != nil {
		return err
	}
	return RunAttack(os.Stdin, os.Stdout)
}

func parse(flags *flag.FlagSet, args []string) error {
	err := flags.Parse(args)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("%s takes no arguments: %q", flags.Name(), flags.Args())
	}
	return err
}

// into reads a list of ports.
func into(ports *[]int) func(string) error {
	return func(list string) error {
		for text := range strings.SplitSeq(list, ",") {
			port, err := strconv.ParseUint(text, 10, 16)
			if err != nil {
				return err
			}
			*ports = append(*ports, int(port))
		}
		return nil
	}
}
