"""Errors, and how a program catches them: python -m unittest"""

import unittest
from typing import Any, Callable

from cdk8s import App, Chart
from cdk8s_mesh_federation import (
    ExposedService,
    FederatedMesh,
    GatewayEndpoint,
    HttpRule,
    LocalName,
    LocalService,
    ServicePort,
    TrustBundle,
)

from main import TRUST, bookinfo


def error_of(program: Callable[[], Any]) -> str:
    try:
        program()
    except RuntimeError as error:
        return str(error)
    return "nothing was rejected"


def mesh(app: App, name: str) -> FederatedMesh:
    return FederatedMesh(
        Chart(app, name),
        "Mesh",
        mesh_name=name,
        trust_domain=f"{name}.example",
        trust_bundle=TrustBundle.from_pem_file(str(TRUST / f"{name}.pem")),
        endpoints=[GatewayEndpoint(address=f"federation.{name}.example")],
    )


def expose(east: FederatedMesh) -> ExposedService:
    return east.expose(
        "Reviews",
        service=LocalService.from_name("reviews", "default"),
        export_name="reviews",
        ports=[ServicePort.http(9080)],
    )


class Errors(unittest.TestCase):
    def test_allow_from_rejects_a_port_that_is_not_exported(self) -> None:
        reviews = expose(mesh(App(), "east"))
        self.assertEqual(
            error_of(lambda: reviews.allow_from(mesh(App(), "west"), ports=[9081])),
            "FederationError: FED306 east/Mesh/Reviews: port 9081 is not exported"
            " → use one of the exported ports 9080, or add it to ports of the export",
        )

    def test_synth_rejects_a_missing_peer(self) -> None:
        app = App()
        expose(mesh(app, "east")).allow_from(mesh(App(), "west"))
        self.assertIn('[east/Mesh] FED108 east/Mesh: east/Mesh/Reviews refers to mesh "west"', error_of(app.synth))

    def test_the_bindings_reject_a_value_of_another_type(self) -> None:
        with self.assertRaisesRegex(TypeError, "argument port must be one of"):
            ServicePort.http("9080")
        with self.assertRaisesRegex(TypeError, "unexpected keyword argument 'namespace'"):
            LocalName.new_service("reviews", namespace="default")

    def test_the_bindings_reject_an_unknown_field_of_a_rule(self) -> None:
        with self.assertRaisesRegex(TypeError, "unexpected keyword argument 'except_path'"):
            HttpRule.allow(paths=["/reviews/*"], except_path=["/reviews/drafts"])

    def test_the_bindings_reject_a_dict_instead_of_a_rule(self) -> None:
        rule: Any = {"paths": ["/reviews/*"], "except_paths": ["/reviews/drafts"]}
        with self.assertRaisesRegex(TypeError, "must be one of|type of argument http"):
            expose(mesh(App(), "east")).allow_from(mesh(App(), "west"), http=[rule])

    def test_the_program_has_four_charts(self) -> None:
        self.assertEqual(len(bookinfo().charts), 4)


if __name__ == "__main__":
    unittest.main()
