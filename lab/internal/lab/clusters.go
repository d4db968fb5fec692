package lab

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/network"
)

// Start starts a further cluster of a mesh. Its pods and those of the mesh's first cluster reach each other.
func (l *Lab) Start(ctx context.Context, cluster string) error {
	site := SiteOf(cluster)
	if err := l.site(site); err != nil {
		return err
	}
	if err := network.Join(l.host(site.Mesh), SiteOf(site.Mesh).Networks.Pods, l.host(cluster), site.Networks.Pods); err != nil {
		return err
	}
	return l.wait(ctx, cluster)
}

// Runs reports whether a cluster is running.
func (l *Lab) Runs(cluster string) bool {
	return slices.Contains(network.Of(l.ID), l.host(cluster))
}

// Stop ends a further cluster and removes what it left. It is safe to call it twice.
func (l *Lab) Stop(cluster string) {
	l.host(cluster).Remove() // first the node, which would start ended pods again
	var waiting sync.WaitGroup
	for _, pod := range network.Of(l.ID) {
		if strings.HasPrefix(string(pod), string(l.host(cluster))+"-") {
			waiting.Go(pod.Remove)
		}
	}
	waiting.Wait()
	l.host(cluster).Detach(l.world(), l.host(SiteOf(cluster).Mesh))
	_ = os.RemoveAll(filepath.Join(l.Directory(), cluster))
}

// Lose makes a further cluster unreachable, without an error, from everywhere: peers, the mesh's other clusters, and us.
func (l *Lab) Lose(cluster string) error {
	return l.host(cluster).Isolate(l.world(), l.host(SiteOf(cluster).Mesh))
}

// Regain undoes Lose.
func (l *Lab) Regain(cluster string) error {
	return l.host(cluster).Reconnect(l.world(), l.host(SiteOf(cluster).Mesh))
}

// Authority is the file with the certificate that a cluster's API server presents.
func (l *Lab) Authority(cluster string) string {
	return filepath.Join(l.Directory(), cluster, "pki", "apiserver.crt")
}
