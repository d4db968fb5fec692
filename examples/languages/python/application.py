"""Istio's sample application Bookinfo: examples/bookinfo/application.ts in Python."""

from dataclasses import dataclass
from typing import Mapping, Sequence

from cdk8s import ApiObjectMetadata, Chart
from cdk8s_plus_27 import (
    ContainerPort,
    ContainerResources,
    ContainerSecurityContextProps,
    Deployment,
    EnvValue,
    ImagePullPolicy,
    LabelSelector,
    Service,
    ServiceAccount,
    ServicePort,
    Volume,
)

PORT = 9080
IMAGE_TAG = "1.20.3"


@dataclass(frozen=True)
class Microservice:
    """One Service for all versions, and one Deployment for each."""

    service: Service
    deployments: Sequence[Deployment]


def microservice(
    chart: Chart,
    name: str,
    *,
    versions: Sequence[str] = ("v1",),
    writes: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Microservice:
    service_account = ServiceAccount(
        chart,
        f"{name}-account",
        metadata=ApiObjectMetadata(name=f"bookinfo-{name}", labels={"account": name}),
    )

    service = Service(
        chart,
        f"{name}-service",
        metadata=ApiObjectMetadata(name=name, labels={"app": name, "service": name}),
        ports=[ServicePort(name="http", port=PORT)],
    )
    service.select_label("app", name)

    def deploy(version: str) -> Deployment:
        labels = {"app": name, "version": version}
        deployment = Deployment(
            chart,
            f"{name}-{version}",
            metadata=ApiObjectMetadata(name=f"{name}-{version}", labels=labels),
            pod_metadata=ApiObjectMetadata(labels=labels),
            select=False,
            replicas=1,
            service_account=service_account,
        )
        deployment.select(LabelSelector.of(labels=labels))

        container = deployment.add_container(
            name=name,
            image=f"registry.istio.io/release/examples-bookinfo-{name}-{version}:{IMAGE_TAG}",
            image_pull_policy=ImagePullPolicy.IF_NOT_PRESENT,
            ports=[ContainerPort(number=PORT)],
            resources=ContainerResources(),
            security_context=ContainerSecurityContextProps(read_only_root_filesystem=False),
        )
        for variable, value in (env or {}).items():
            container.env.add_variable(variable, EnvValue.from_value(value))
        for path in writes:
            volume_name = path.rsplit("/", 1)[-1]
            container.mount(path, Volume.from_empty_dir(deployment, volume_name, volume_name))
        return deployment

    return Microservice(service, [deploy(version) for version in versions])
