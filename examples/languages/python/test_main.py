"""What a mistake says, and how it is caught: python -m unittest"""

import unittest
from typing import Any, Callable

from cdk8s import App, Chart
from cdk8s_mesh_federation import FederatedMesh, HttpRule, LocalName, LocalService, ServicePort, TrustBundle

from main import TRUST, bookinfo


def refusal(program: Callable[[], Any]) -> str:
    try:
        program()
    except RuntimeError as error:
        return str(error)
    return "nothing was refused"


def mesh(app: App, name: str, trust_domain: str = "east.example") -> FederatedMesh:
    return FederatedMesh(
        Chart(app, name),
        "Mesh",
        mesh_name=name,
        trust_domain=trust_domain,
        trust_bundle=TrustBundle.from_pem_file(str(TRUST / "east.pem")),
    )


class Mistakes(unittest.TestCase):
    def test_a_value_that_cannot_be_used_is_refused_at_once(self) -> None:
        self.assertEqual(
            refusal(lambda: mesh(App(), "East_1")),
            'FED101 East_1/Mesh: "East_1" is no mesh name'
            " → use one DNS label: at most 63 lower-case letters, digits and dashes",
        )

    def test_what_is_missing_at_the_end_is_refused_by_synth(self) -> None:
        app = App()
        mesh(app, "east").expose(
            "Reviews",
            service=LocalService.from_name("reviews", "default"),
            export_name="reviews",
            ports=[ServicePort.http(9080)],
        )
        self.assertIn("[east/Mesh] FED107 east/Mesh: ", refusal(app.synth))

    def test_a_value_of_another_kind_is_refused_by_the_bindings(self) -> None:
        with self.assertRaisesRegex(TypeError, "argument port must be one of"):
            ServicePort.http("9080")
        with self.assertRaisesRegex(TypeError, "unexpected keyword argument 'namespace'"):
            LocalName.new_service("reviews", namespace="default")

    def test_a_dict_in_a_list_is_not_checked(self) -> None:
        west = mesh(App(), "west", "west.example")
        reviews = mesh(App(), "east").expose(
            "Reviews",
            service=LocalService.from_name("reviews", "default"),
            export_name="reviews",
            ports=[ServicePort.http(9080)],
        )
        with self.assertRaisesRegex(TypeError, "unexpected keyword argument 'except_path'"):
            HttpRule(paths=["/reviews/*"], except_path=["/reviews/drafts"])
        # The exception is lost without a word.
        rule = {"paths": ["/reviews/*"], "except_path": ["/reviews/drafts"]}
        self.assertEqual(refusal(lambda: reviews.allow_from(west, http=[rule])), "nothing was refused")

    def test_the_program_has_no_mistake(self) -> None:
        self.assertEqual(len(bookinfo().charts), 4)


if __name__ == "__main__":
    unittest.main()
