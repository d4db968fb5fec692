package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cdk8smeshfederation.ExposedServiceOptions;
import dev.cdk8smeshfederation.FederatedMesh;
import dev.cdk8smeshfederation.LocalService;
import dev.cdk8smeshfederation.ServicePort;
import dev.cdk8smeshfederation.TrustBundle;
import java.util.List;
import org.cdk8s.App;
import org.cdk8s.Chart;
import org.junit.jupiter.api.Test;

/** What a mistake says, and how it is caught. */
class BookinfoTest {
    private static String refusal(Runnable program) {
        try {
            program.run();
        } catch (RuntimeException error) {
            return error.getMessage();
        }
        return "nothing was refused";
    }

    private static FederatedMesh mesh(App app, String name) {
        return FederatedMesh.Builder.create(new Chart(app, name), "Mesh")
                .meshName(name)
                .trustDomain("mesh.example")
                .trustBundle(TrustBundle.fromPemFile(Bookinfo.TRUST.resolve("east.pem").toString()))
                .build();
    }

    @Test
    void aValueThatCannotBeUsedIsRefusedAtOnce() {
        String said = refusal(() -> mesh(new App(), "East_1"));
        assertEquals(
                "FED101 East_1/Mesh: \"East_1\" is not a valid mesh name"
                        + " → use one DNS label: at most 63 lower-case letters, digits and dashes",
                said.lines().findFirst().orElseThrow());
    }

    @Test
    void whatIsMissingAtTheEndIsRefusedBySynth() {
        App app = new App();
        mesh(app, "east").expose("Reviews", ExposedServiceOptions.builder()
                .service(LocalService.fromName("reviews", "default"))
                .exportName("reviews")
                .ports(List.of(ServicePort.http(9080)))
                .build());
        assertTrue(refusal(app::synth).contains("[east/Mesh] FED107 east/Mesh: "));
    }

    @Test
    void aFieldThatIsLeftOutIsRefusedByTheBindings() {
        FederatedMesh.Builder builder = FederatedMesh.Builder.create(new Chart(new App(), "east"), "Mesh")
                .meshName("east")
                .trustBundle(TrustBundle.fromPemFile(Bookinfo.TRUST.resolve("east.pem").toString()));
        assertEquals(
                "trustDomain is required",
                assertThrows(NullPointerException.class, builder::build).getMessage());
    }

    @Test
    void theProgramHasNoMistake() {
        assertEquals(4, Bookinfo.bookinfo().getCharts().size());
    }
}
