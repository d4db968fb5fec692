package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/build"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/cases"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/lab"
)

var started = time.Now()

func say(format string, args ...any) {
	fmt.Printf("%6.1fs  %s\n", time.Since(started).Seconds(), fmt.Sprintf(format, args...))
}

// operate runs the commands that people type.
func operate(ctx context.Context, command string, args []string) error {
	if command == "list" {
		return list()
	}
	if err := lab.Check(); err != nil {
		return err
	}
	if command == "down" {
		removed, err := lab.Clean()
		say("%d labs removed", removed)
		return err
	}
	repository, err := repositoryRoot()
	if err != nil {
		return err
	}
	programs, err := build.Make(ctx, filepath.Join(repository, "lab"), os.Stdout)
	if err != nil {
		return err
	}
	switch command {
	case "up":
		scenario := "two-meshes-http"
		if len(args) > 0 {
			scenario = args[0]
		}
		return up(ctx, programs, repository, scenario)
	case "status":
		return status(programs)
	case "shell":
		return shell(ctx, programs, args)
	case "run":
		return run(ctx, programs, repository, args)
	case "mutate":
		return mutate(ctx, programs, repository, args)
	case "bench":
		return benchmark(ctx, programs, repository, args)
	case "grow":
		return grow(ctx, programs, repository, args)
	}
	// Without a command, everything is played and no page is written.
	return prove(ctx, programs, repository, command == "prove", args)
}

// repositoryRoot is found from where the lab is started.
func repositoryRoot() (string, error) {
	out, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return "", errors.New("start the lab in the repository, with `npm run lab`")
	}
	return strings.TrimSpace(string(out)), nil
}

// begin starts a lab, ready for its first scenario.
func begin(ctx context.Context, programs build.Programs, repository string) (*lab.Lab, *federation.Federation, error) {
	l, err := lab.Up(ctx, programs)
	if err != nil {
		return nil, nil, err
	}
	say("lab %d: three clusters answer", l.ID)
	f, err := federation.Open(l, repository)
	if err == nil {
		err = f.Prepare(ctx)
	}
	if err != nil {
		l.Down()
		return nil, nil, err
	}
	say("Istio is ready in each mesh, and every scenario is synthesized with the root certificates of the meshes")
	return l, f, nil
}

func up(ctx context.Context, programs build.Programs, repository, scenario string) error {
	l, f, err := begin(ctx, programs, repository)
	if err != nil {
		return err
	}
	if err := f.Use(ctx, scenario); err != nil {
		l.Down()
		return err
	}
	say("%s is applied", scenario)
	if err := l.Keep(); err != nil {
		return err
	}
	return status(programs)
}

func status(programs build.Programs) error {
	l, err := lab.Kept(programs)
	if err != nil {
		return err
	}
	fmt.Printf("\nlab %d, in %s\n\n", l.ID, l.Directory())
	for _, site := range lab.Sites {
		if l.Runs(site.Name) {
			fmt.Printf("export KUBECONFIG=%-60s # mesh %s, public address %s\n", l.Kubeconfig(site.Name), site.Mesh, strings.Join(site.Addresses, " and "))
		}
	}
	fmt.Printf("\nkubectl is in %s/bin. logs, exec and port-forward work, for example:\n", l.Directory())
	fmt.Println("  kubectl -n istio-federation logs deploy/federation-ingress")
	fmt.Println("  kubectl -n istio-federation port-forward deploy/federation-ingress 15000   # Envoy's admin interface")
	fmt.Println("  npm run lab -- shell west/default/productpage")
	fmt.Println("  npm run lab -- run external     # cases on this lab")
	fmt.Println("  npm run lab -- down")
	return nil
}

// shell opens one in a pod: mesh/namespace/app.
func shell(ctx context.Context, programs build.Programs, args []string) error {
	l, err := lab.Kept(programs)
	if err != nil {
		return err
	}
	if len(args) != 1 || strings.Count(args[0], "/") != 2 {
		return errors.New("name a pod as mesh/namespace/app, for example `npm run lab -- shell west/default/productpage`")
	}
	parts := strings.Split(args[0], "/")
	if !slices.ContainsFunc(lab.Sites, func(site lab.Site) bool { return site.Name == parts[0] && l.Runs(site.Name) }) {
		return fmt.Errorf("the lab has no mesh %q", parts[0])
	}
	command := exec.CommandContext(ctx, filepath.Join(l.Directory(), "bin", "kubectl"), "--kubeconfig", l.Kubeconfig(parts[0]), "-n", parts[1], "exec", "-it", "deploy/"+parts[2], "--", "sh")
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return command.Run()
}

func list() error {
	for _, c := range cases.All() {
		fmt.Printf("%-50s %-20s %s\n", c.Name, c.Scenario, c.Expect)
	}
	for _, m := range cases.Mutations() {
		fmt.Printf("%-50s %-20s without %s\n", m.Name, "mutation", m.Subject())
	}
	return nil
}
