import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { emitTyped } from './emit';
import { GatewayConfig } from '../model/model';

/**
 * Creates the autoscaler of a gateway, unless the number of its pods is fixed. It comes last: without metrics Argo CD
 * calls it degraded, and applies no later object.
 */
export function renderAutoscaler(scope: Construct, gateway: GatewayConfig): void {
  const { minReplicas, maxReplicas } = gateway.settings;
  if (maxReplicas === minReplicas) return;
  const named = { name: gateway.serviceName, namespace: gateway.namespaceName };
  emitTyped(scope, k8s.KubeHorizontalPodAutoscalerV2, named, {
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: gateway.serviceName },
      minReplicas,
      maxReplicas,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
    },
  });
}
