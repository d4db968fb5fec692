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

/** Errors, and how a program catches them. */
class BookinfoTest {
    private static String errorOf(Runnable program) {
        try {
            program.run();
        } catch (RuntimeException error) {
            return error.getMessage();
        }
        return "nothing was rejected";
    }

    private static FederatedMesh mesh(App app, String name) {
        return FederatedMesh.Builder.create(new Chart(app, name), "Mesh")
                .meshName(name)
                .trustDomain("mesh.example")
                .trustBundle(TrustBundle.fromPemFile(Bookinfo.TRUST.resolve("east.pem").toString()))
                .build();
    }

    @Test
    void theConstructorRejectsAMeshNameThatIsNotValid() {
        String message = errorOf(() -> mesh(new App(), "East_1"));
        assertEquals(
                "FED101 East_1/Mesh: \"East_1\" is not a valid mesh name"
                        + " → use one DNS label: at most 63 lower-case letters, digits and dashes",
                message.lines().findFirst().orElseThrow());
    }

    @Test
    void synthRejectsAMissingEndpoint() {
        App app = new App();
        mesh(app, "east").expose("Reviews", ExposedServiceOptions.builder()
                .service(LocalService.fromName("reviews", "default"))
                .exportName("reviews")
                .ports(List.of(ServicePort.http(9080)))
                .build());
        assertTrue(errorOf(app::synth).contains("[east/Mesh] FED107 east/Mesh: "));
    }

    @Test
    void theBindingsRejectAMissingField() {
        FederatedMesh.Builder builder = FederatedMesh.Builder.create(new Chart(new App(), "east"), "Mesh")
                .meshName("east")
                .trustBundle(TrustBundle.fromPemFile(Bookinfo.TRUST.resolve("east.pem").toString()));
        assertEquals(
                "trustDomain is required",
                assertThrows(NullPointerException.class, builder::build).getMessage());
    }

    @Test
    void theProgramHasFourCharts() {
        assertEquals(4, Bookinfo.bookinfo().getCharts().size());
    }
}
