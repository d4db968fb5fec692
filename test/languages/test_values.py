"""test/languages/values.ts in Python."""

import unittest
from pathlib import Path

from cdk8s import ApiObject, ApiObjectMetadata, App, Chart, Duration, JsonPatch
from cdk8s_mesh_federation import (
    BoundaryGateway,
    Caller,
    Delivery,
    FederatedMesh,
    GatewayCredential,
    GatewayEndpoint,
    GatewayServiceType,
    HttpRule,
    IstioVersion,
    Justification,
    JwtRule,
    KeyAlgorithm,
    LocalName,
    LocalService,
    NodeToleration,
    PeerLimits,
    PortMapping,
    RemoteMesh,
    RemoteServiceProps,
    ServicePort,
    SpiffeId,
    TrustBundle,
)

from main import TRUST


def values() -> App:
    app = App()
    bank = FederatedMesh(
        Chart(app, "bank"),
        "Mesh",
        mesh_name="bank",
        trust_domain="bank.example",
        trust_bundle=TrustBundle.from_pem_file(str(TRUST / "east.pem")),
        endpoints=[GatewayEndpoint(address="10.0.0.1", port=443, private_address=Justification(reason="a leased line to the shop"))],
        istio_version=IstioVersion.V1_31,
        delivery=Delivery.argo_cd(),
        create_namespace=False,
        credential=GatewayCredential.from_cert_manager(
            issuer_name="boundary", key_algorithm=KeyAlgorithm.ECDSA_P384, duration=Duration.days(2)
        ),
        ingress_gateway=BoundaryGateway.dedicated(
            min_replicas=3,
            labels={"team": "platform", "tier": "edge"},
            tolerations=[NodeToleration.exists("dmz")],
            service_type=GatewayServiceType.NODE_PORT,
        ),
    )
    shop = RemoteMesh(
        app,
        "Shop",
        mesh_name="shop",
        trust_domain="shop.example",
        trust_bundle=TrustBundle.from_pem_file(str(TRUST / "west.pem")),
        ingress_identity=SpiffeId.parse("spiffe://shop.example/ns/istio-federation/sa/federation-ingress"),
        egress_identity=SpiffeId.for_service_account(
            trust_domain="shop.example", namespace_name="istio-federation", service_account_name="federation-egress"
        ),
        endpoints=[GatewayEndpoint(address="federation.shop.example")],
        exposed_services=[
            RemoteServiceProps(export_name="orders", ports=[ServicePort.http(8080), ServicePort.tcp(9000, export_port=19000)])
        ],
        known_as="bank",
    )
    bank.add_peer(
        shop, strip_tracing=True, limits=PeerLimits(max_connections=100, max_connection_duration=Duration.hours(1))
    )

    accounts = bank.expose(
        "Accounts",
        service=LocalService.from_name("accounts", "ledger"),
        export_name="accounts.v1",
        ports=[ServicePort.http(8080), ServicePort.grpc(9090)],
        request_timeout=Duration.seconds(5),
    )
    accounts.allow_from(
        shop,
        ports=[8080],
        http=[
            HttpRule.allow(
                paths=["/accounts/*"],
                except_paths=["/accounts/drafts"],
                required_headers={"x-channel": "shop", "x-region": "eu"},
            )
        ],
        jwt=JwtRule(
            issuer="https://login.example",
            audiences=["accounts"],
            jwks_uri="https://login.example/keys",
            claims={"groups": ["a", "b"], "scope": ["read"]},
        ),
    )
    orders = bank.bind(
        "Orders",
        source=shop.exposed_service("orders"),
        local_name=LocalName.new_service("orders", "ledger"),
        port_mappings=[PortMapping(export_port=8080, local_port=80)],
    )
    orders.allow_from(Caller.any_in_namespace("ledger"))

    read = ApiObject(
        Chart(app, "read"), "Read", api_version="v1", kind="ConfigMap", metadata=ApiObjectMetadata(name="read")
    )
    endpoint = bank.endpoints[0]
    assert endpoint.private_address
    values_read = [
        orders.host,
        accounts.sni_for(shop, 8080),
        str(endpoint.port),
        endpoint.private_address.reason,
        bank.ingress_gateway.pod_labels["istio"],
        shop.exposed_service("orders").mesh.egress_identity.uri,
        str(shop.exposed_service("orders").ports[1].export_port),
        bank.trust_bundle.fingerprints[0],
    ]
    read.add_json_patch(JsonPatch.add("/read", values_read))
    return app


class Values(unittest.TestCase):
    def test_the_program_passes_every_kind_of_value(self) -> None:
        Path("values.yaml").write_text(values().synth_yaml(), encoding="utf-8")
