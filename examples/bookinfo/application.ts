/**
 * Istio's sample application Bookinfo (https://istio.io/latest/docs/examples/bookinfo), as its teams declare it. It is the same with and
 * without a federation.
 */
import { Chart } from 'cdk8s';
import { Deployment, EnvValue, ImagePullPolicy, LabelSelector, Service, ServiceAccount, Volume } from 'cdk8s-plus-27';

/** Every service of Bookinfo listens on this port. */
const PORT = 9080;

/** Tag of the images that Istio publishes. */
const IMAGE_TAG = '1.20.3';

export interface MicroserviceOptions {
  /** Versions that run side by side. */
  readonly versions?: string[];
  /** Directories that the container writes to. */
  readonly writes?: string[];
  /** Environment variables of the container. */
  readonly env?: { readonly [name: string]: string };
}

/** One Service for all versions, and one Deployment for each. */
export interface Microservice {
  readonly service: Service;
  readonly deployments: Deployment[];
}

export function microservice(chart: Chart, name: string, options: MicroserviceOptions = {}): Microservice {
  const { versions = ['v1'], writes = [], env = {} } = options;

  const serviceAccount = new ServiceAccount(chart, `${name}-account`, {
    metadata: { name: `bookinfo-${name}`, labels: { account: name } },
  });

  const service = new Service(chart, `${name}-service`, {
    metadata: { name, labels: { app: name, service: name } },
    ports: [{ name: 'http', port: PORT }], // Istio reads the protocol from the port's name
  });
  service.selectLabel('app', name);

  const deployments = versions.map((version) => {
    const labels = { app: name, version };
    const deployment = new Deployment(chart, `${name}-${version}`, {
      metadata: { name: `${name}-${version}`, labels },
      podMetadata: { labels },
      select: false, // cdk8s-plus would select pods by an identifier of its own; the labels are set below
      replicas: 1,
      serviceAccount,
    });
    deployment.select(LabelSelector.of({ labels }));

    const container = deployment.addContainer({
      name,
      image: `registry.istio.io/release/examples-bookinfo-${name}-${version}:${IMAGE_TAG}`,
      imagePullPolicy: ImagePullPolicy.IF_NOT_PRESENT,
      ports: [{ number: PORT }], // with `portNumber`, cdk8s-plus would restart a container that does not listen within 30 s
      resources: {}, // cdk8s-plus would request a whole CPU for each pod
      securityContext: { readOnlyRootFilesystem: false }, // the images run as a non-root user; a read-only root was not tested
    });
    for (const [variable, value] of Object.entries(env)) container.env.addVariable(variable, EnvValue.fromValue(value));
    for (const path of writes) {
      const volumeName = path.split('/').pop()!;
      container.mount(path, Volume.fromEmptyDir(deployment, volumeName, volumeName));
    }
    return deployment;
  });

  return { service, deployments };
}
