package bench

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"text/template"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/federation"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/mesh"
	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
)

//go:embed east.yaml.tmpl west.yaml.tmpl
var files embed.FS

// port of the backend, as the manifests need it: where TLS ends, for which kind of route, and towards the peer.
type port struct {
	Name              string
	Number            int
	Terminated, Entry string
	Route             string
}

var ports = []port{
	{"http", 8080, "HTTPS", "HTTP", "http"},
	{"grpc", 9090, "HTTPS", "GRPC", "http"},
	{"tcp", 7001, "TLS", "TCP", "tcp"},
}

// values are known only in a running lab.
type values struct {
	East, West string   // public roots
	Client     pki.Leaf // of east's CA, for the caller of the pass-through pair
	Ports      []port
}

// manifests are the objects of the pairs of gateways, by mesh.
func manifests(v values) (map[string][]*unstructured.Unstructured, error) {
	v.Ports = ports
	functions := template.FuncMap{
		"list": func(items ...string) []string { return items },
		"json": func(text string) (string, error) { data, err := json.Marshal(text); return string(data), err },
	}
	parsed, err := template.New("").Funcs(functions).ParseFS(files, "*.tmpl")
	if err != nil {
		return nil, err
	}
	all := map[string][]*unstructured.Unstructured{}
	for _, name := range []string{"east", "west"} {
		var text bytes.Buffer
		if err := parsed.ExecuteTemplate(&text, name+".yaml.tmpl", v); err != nil {
			return nil, err
		}
		if all[name], err = mesh.Objects(text.String()); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// put applies the pairs of gateways and returns what takes them away.
func put(ctx context.Context, f *federation.Federation) (func(context.Context) error, error) {
	nothing := func(context.Context) error { return nil }
	var v values
	for m, root := range map[*mesh.Mesh]*string{f.East: &v.East, f.West: &v.West} {
		var err error
		if *root, err = m.Root(ctx); err != nil {
			return nothing, err
		}
	}
	authority, err := f.East.Authority(ctx)
	if err != nil {
		return nothing, err
	}
	if v.Client, err = authority.Issue(pki.Request{SpiffeID: "spiffe://east.example/ns/bench/sa/client", NotAfter: time.Now().Add(24 * time.Hour)}); err != nil {
		return nothing, err
	}
	all, err := manifests(v)
	if err != nil {
		return nothing, err
	}
	back := func(ctx context.Context) error {
		return f.Each(func(m *mesh.Mesh) error { return m.Delete(ctx, all[m.Name]...) })
	}
	return back, f.Each(func(m *mesh.Mesh) error {
		if err := m.Put(ctx, all[m.Name]...); err != nil {
			return err
		}
		return m.Ready(ctx, namespace)
	})
}
