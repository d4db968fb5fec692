"""Istio's Bookinfo across two meshes: the program of examples/bookinfo in Python.

    cdk8s synth
"""

import os
from pathlib import Path

from cdk8s import ApiObject, App, Chart, Include
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

BOOKINFO = Path(__file__).resolve().parents[2] / "bookinfo"
TRUST = Path(os.environ.get("TRUST_DIRECTORY", BOOKINFO / "trust"))


def bookinfo() -> App:
    app = App()

    # ---- Bookinfo itself: what each mesh runs ----
    east_bookinfo = Chart(app, "east-bookinfo", namespace="default")
    reviews_manifests = include(east_bookinfo, "reviews")
    include(east_bookinfo, "ratings")
    west_bookinfo = Chart(app, "west-bookinfo", namespace="default")
    productpage_manifests = include(west_bookinfo, "productpage")
    include(west_bookinfo, "details")

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
        service=LocalService.from_construct(find(reviews_manifests, "Service", "reviews")),
        export_name="reviews",
        ports=[ServicePort.http(9080)],
        owner="reviews team",
    )
    reviews.allow_from(
        west,
        http=[HttpRule(methods=["GET"], paths=["/reviews/*"])],
        purpose="show reviews on the product page",
    )

    binding = RemoteServiceBinding(
        west_bookinfo,
        "Reviews",
        mesh=west,
        source=reviews,
        local_name=LocalName.new_service("reviews", "default"),
    )
    binding.allow_from(Caller.from_construct(find(productpage_manifests, "Deployment", "productpage-v1")))

    return app


def include(chart: Chart, application: str) -> Include:
    return Include(chart, application, url=str(BOOKINFO / "manifests" / f"{application}.yaml"))


def find(manifests: Include, kind: str, name: str) -> ApiObject:
    for found in manifests.api_objects:
        if found.kind == kind and found.name == name:
            return found
    raise LookupError(f"the manifests hold no {kind} {name}")


if __name__ == "__main__":
    bookinfo().synth()
