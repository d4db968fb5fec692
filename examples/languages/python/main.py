"""Istio's Bookinfo across two meshes: the program of examples/bookinfo in Python.

    cdk8s synth
"""

import os
from pathlib import Path

from cdk8s import App, Chart
from cdk8s_mesh_federation import (
    Caller,
    FederatedMesh,
    GatewayEndpoint,
    HttpRule,
    LocalName,
    LocalService,
    RemoteServiceBinding,
    ServicePort,
    TrustBundle,
)

from application import microservice

BOOKINFO = Path(__file__).resolve().parents[2] / "bookinfo"
TRUST = Path(os.environ.get("TRUST_DIRECTORY", BOOKINFO / "trust"))


def bookinfo() -> App:
    app = App()

    # ---- Bookinfo: the workloads of each mesh ----
    east_bookinfo = Chart(app, "east-bookinfo", namespace="default")
    reviews_application = microservice(
        east_bookinfo,
        "reviews",
        versions=["v1", "v2", "v3"],
        writes=["/tmp", "/opt/ibm/wlp/output"],
        env={"LOG_DIR": "/tmp/logs"},
    )
    microservice(east_bookinfo, "ratings")
    west_bookinfo = Chart(app, "west-bookinfo", namespace="default")
    productpage = microservice(west_bookinfo, "productpage", writes=["/tmp"])
    microservice(west_bookinfo, "details")

    # ---- the boundaries ----
    east = FederatedMesh(
        Chart(app, "east"),
        "Mesh",
        mesh_name="east",
        trust_domain="east.example",
        trust_bundle=TrustBundle.from_pem_file(str(TRUST / "east.pem")),
        endpoints=[GatewayEndpoint(address="federation.east.example")],
    )
    west = FederatedMesh(
        Chart(app, "west"),
        "Mesh",
        mesh_name="west",
        trust_domain="west.example",
        trust_bundle=TrustBundle.from_pem_file(str(TRUST / "west.pem")),
    )
    east.add_peer(west)
    west.add_peer(east)

    # ---- one service, for one peer, for one caller ----
    reviews = east.expose(
        "Reviews",
        service=LocalService.from_construct(reviews_application.service),
        export_name="reviews",
        ports=[ServicePort.http(9080)],
        owner="reviews team",
    )
    reviews.allow_from(
        west,
        http=[HttpRule.allow(methods=["GET"], paths=["/reviews/*"])],
        purpose="show reviews on the product page",
    )

    binding = RemoteServiceBinding(
        west_bookinfo,
        "Reviews",
        mesh=west,
        source=reviews,
        local_name=LocalName.new_service("reviews", "default"),
    )
    binding.allow_from(Caller.from_construct(productpage.deployments[0]))

    return app


if __name__ == "__main__":
    bookinfo().synth()
