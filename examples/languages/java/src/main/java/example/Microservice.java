package example;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.cdk8s.ApiObjectMetadata;
import org.cdk8s.Chart;
import org.cdk8s.plus27.Container;
import org.cdk8s.plus27.ContainerPort;
import org.cdk8s.plus27.ContainerProps;
import org.cdk8s.plus27.ContainerResources;
import org.cdk8s.plus27.ContainerSecurityContextProps;
import org.cdk8s.plus27.Deployment;
import org.cdk8s.plus27.EnvValue;
import org.cdk8s.plus27.ImagePullPolicy;
import org.cdk8s.plus27.LabelSelector;
import org.cdk8s.plus27.LabelSelectorOptions;
import org.cdk8s.plus27.Service;
import org.cdk8s.plus27.ServiceAccount;
import org.cdk8s.plus27.ServicePort;
import org.cdk8s.plus27.Volume;

/**
 * One Service of Istio's sample application Bookinfo, and one Deployment for each version:
 * examples/bookinfo/application.ts in Java.
 */
final class Microservice {
    private static final int PORT = 9080;
    private static final String IMAGE_TAG = "1.20.3";

    final Service service;
    final List<Deployment> deployments;

    Microservice(Chart chart, String name, List<String> versions, List<String> writes, Map<String, String> env) {
        ServiceAccount serviceAccount = ServiceAccount.Builder.create(chart, name + "-account")
                .metadata(metadata("bookinfo-" + name, Map.of("account", name)))
                .build();

        service = Service.Builder.create(chart, name + "-service")
                .metadata(metadata(name, Map.of("app", name, "service", name)))
                .ports(List.of(ServicePort.builder().name("http").port(PORT).build()))
                .build();
        service.selectLabel("app", name);

        deployments = versions.stream()
                .map(version -> deploy(chart, name, version, serviceAccount, writes, env))
                .collect(Collectors.toList());
    }

    private static Deployment deploy(
            Chart chart,
            String name,
            String version,
            ServiceAccount serviceAccount,
            List<String> writes,
            Map<String, String> env) {
        Map<String, String> labels = Map.of("app", name, "version", version);
        Deployment deployment = Deployment.Builder.create(chart, name + "-" + version)
                .metadata(metadata(name + "-" + version, labels))
                .podMetadata(ApiObjectMetadata.builder().labels(labels).build())
                .select(false)
                .replicas(1)
                .serviceAccount(serviceAccount)
                .build();
        deployment.select(LabelSelector.of(LabelSelectorOptions.builder().labels(labels).build()));

        Container container = deployment.addContainer(ContainerProps.builder()
                .name(name)
                .image("registry.istio.io/release/examples-bookinfo-" + name + "-" + version + ":" + IMAGE_TAG)
                .imagePullPolicy(ImagePullPolicy.IF_NOT_PRESENT)
                .ports(List.of(ContainerPort.builder().number(PORT).build()))
                .resources(ContainerResources.builder().build())
                .securityContext(ContainerSecurityContextProps.builder()
                        .readOnlyRootFilesystem(false)
                        .build())
                .build());
        env.forEach((variable, value) -> container.getEnv().addVariable(variable, EnvValue.fromValue(value)));
        for (String path : writes) {
            String volumeName = path.substring(path.lastIndexOf('/') + 1);
            container.mount(path, Volume.fromEmptyDir(deployment, volumeName, volumeName));
        }
        return deployment;
    }

    private static ApiObjectMetadata metadata(String name, Map<String, String> labels) {
        return ApiObjectMetadata.builder().name(name).labels(labels).build();
    }
}
