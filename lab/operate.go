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

// operate is what people ask of the lab.
func operate(ctx context.Context, command string, args []string) error {
	if command == "list" {
		return list()
	}
	if err := lab.Check(); err != nil {
		return err
	}
	if command == "down" {
		say("%d labs taken away", lab.Clean())
		return nil
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
	}
	return run(ctx, programs, repository, command, args)
}

// repositoryRoot is found from where the lab is started.
func repositoryRoot() (string, error) {
	out, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return "", errors.New("start the lab in the repository, with `npm run lab`")
	}
	return strings.TrimSpace(string(out)), nil
}

// begin brings a lab up, ready for its first scenario.
func begin(ctx context.Context, programs build.Programs, repository string) (*lab.Lab, *federation.Federation, error) {
	l, err := lab.Up(ctx, programs)
	if err != nil {
		return nil, nil, err
	}
	say("lab %d: three clusters answer", l.ID)
	f, err := federation.Open(l, repository)
	if err == nil {
		err = f.Prepare(ctx, programs.Kubernetes)
	}
	if err != nil {
		l.Down()
		return nil, nil, err
	}
	say("Istio is ready in each, and every scenario is synthesised with the roots that the meshes made for themselves")
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
		fmt.Printf("export KUBECONFIG=%-60s # mesh %s, reached by others at %s\n", l.Kubeconfig(site.Name), site.Name, strings.Join(site.Addresses, " and "))
	}
	fmt.Printf("\nkubectl is in %s/bin. logs, exec and port-forward work, for example:\n", l.Directory())
	fmt.Println("  kubectl -n istio-federation logs deploy/federation-ingress")
	fmt.Println("  kubectl -n istio-federation port-forward deploy/federation-ingress 15000   # the proxy's admin page")
	fmt.Println("  npm run lab -- shell west/default/productpage")
	fmt.Println("  npm run lab -- run strangers    # cases on this lab")
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
	if !slices.ContainsFunc(lab.Sites, func(site lab.Site) bool { return site.Name == parts[0] }) {
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
	return nil
}

// run plays cases: on the lab that is up if somebody explores, otherwise on one that is taken away afterwards.
func run(ctx context.Context, programs build.Programs, repository, command string, args []string) error {
	chosen, err := choose(cases.All(), args)
	if err != nil {
		return err
	}
	var f *federation.Federation
	if l, missing := lab.Kept(programs); command == "run" && missing == nil {
		if f, err = federation.Open(l, repository); err != nil {
			return err
		}
		if err := f.Resume(); err != nil {
			return err
		}
	} else {
		l, opened, err := begin(ctx, programs, repository)
		if err != nil {
			return err
		}
		defer l.Down()
		f = opened
	}
	results := play(ctx, f, chosen)
	return report(results, ctx.Err())
}

// choose takes cases by name, or all of a group.
func choose(all []cases.Case, names []string) ([]cases.Case, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []cases.Case
	for _, name := range names {
		before := len(chosen)
		for _, c := range all {
			if c.Name == name || c.Group() == name || c.Scenario == name {
				chosen = append(chosen, c)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("there is no case or group %q: `npm run lab -- list` shows them", name)
		}
	}
	return chosen, nil
}

func play(ctx context.Context, f *federation.Federation, chosen []cases.Case) []cases.Result {
	var results []cases.Result
	for _, c := range chosen {
		if ctx.Err() != nil {
			return results
		}
		if err := use(ctx, f, c.Scenario); err != nil {
			results = append(results, cases.Result{Case: c, Failures: []string{err.Error()}})
		} else {
			results = append(results, cases.Play(ctx, f, c))
		}
		show(results[len(results)-1])
	}
	return results
}

// use applies a scenario, unless it is the one that is applied.
func use(ctx context.Context, f *federation.Federation, scenario string) error {
	if f.Current() == scenario {
		return nil
	}
	if err := f.Use(ctx, scenario); err != nil {
		return err
	}
	return cases.Settle(ctx, f, scenario)
}

func show(result cases.Result) {
	mark := "ok  "
	if !result.OK() {
		mark = "FAIL"
	}
	say("%s %-48s %5.1fs  %s", mark, result.Name, result.Took.Seconds(), result.Seen)
	for _, failure := range result.Failures {
		fmt.Printf("                 %s\n", strings.ReplaceAll(failure, "\n", "\n                 "))
	}
}

func report(results []cases.Result, interrupted error) error {
	failed := 0
	for _, result := range results {
		if !result.OK() {
			failed++
		}
	}
	fmt.Printf("%d passed, %d failed\n", len(results)-failed, failed)
	if interrupted != nil {
		return errors.New("interrupted before all cases were played")
	}
	if failed > 0 {
		return fmt.Errorf("%d cases did not behave", failed)
	}
	return nil
}
