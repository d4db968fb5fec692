package mesh

import (
	"context"

	"istio.io/istio/pkg/config/analysis/analyzers"
	"istio.io/istio/pkg/config/analysis/diag"
	"istio.io/istio/pkg/config/analysis/local"
	"istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/log"
)

// Analyze is `istioctl analyze` over all namespaces of the mesh: its warnings and errors.
func (m *Mesh) Analyze(ctx context.Context) ([]string, error) {
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel) // it logs every watch
	}
	client, err := kube.NewClient(kube.NewClientConfigForRestConfig(m.config), "")
	if err != nil {
		return nil, err
	}
	analyzer := local.NewIstiodAnalyzer(analyzers.AllCombined(), "", System, nil)
	analyzer.AddRunningKubeSource(kube.EnableCrdWatcher(client))
	result, err := analyzer.Analyze(ctx.Done())
	if err != nil {
		return nil, err
	}
	var messages []string
	for _, message := range result.Messages {
		if message.Type.Level().IsWorseThanOrEqualTo(diag.Warning) {
			messages = append(messages, message.String())
		}
	}
	return messages, nil
}
