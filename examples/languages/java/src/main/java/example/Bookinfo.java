package example;

import dev.cdk8smeshfederation.AllowFromOptions;
import dev.cdk8smeshfederation.Caller;
import dev.cdk8smeshfederation.ExposedService;
import dev.cdk8smeshfederation.ExposedServiceOptions;
import dev.cdk8smeshfederation.FederatedMesh;
import dev.cdk8smeshfederation.GatewayEndpoint;
import dev.cdk8smeshfederation.HttpRule;
import dev.cdk8smeshfederation.HttpRuleOptions;
import dev.cdk8smeshfederation.LocalName;
import dev.cdk8smeshfederation.LocalService;
import dev.cdk8smeshfederation.RemoteServiceBinding;
import dev.cdk8smeshfederation.ServicePort;
import dev.cdk8smeshfederation.TrustBundle;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.cdk8s.App;
import org.cdk8s.Chart;
import org.cdk8s.ChartProps;

/**
 * Istio's Bookinfo across two meshes: the program of examples/bookinfo in Java.
 *
 * <pre>cdk8s synth</pre>
 */
public final class Bookinfo {
    private static final Path BOOKINFO = Path.of("../../bookinfo");
    static final Path TRUST =
            Optional.ofNullable(System.getenv("TRUST_DIRECTORY")).map(Path::of).orElse(BOOKINFO.resolve("trust"));

    private Bookinfo() {}

    public static void main(String[] args) {
        bookinfo().synth();
    }

    static App bookinfo() {
        App app = new App();

        // ---- Bookinfo: the workloads of each mesh ----
        ChartProps inDefault = ChartProps.builder().namespace("default").build();
        Chart eastBookinfo = new Chart(app, "east-bookinfo", inDefault);
        Microservice reviewsApplication = new Microservice(
                eastBookinfo,
                "reviews",
                List.of("v1", "v2", "v3"),
                List.of("/tmp", "/opt/ibm/wlp/output"),
                Map.of("LOG_DIR", "/tmp/logs"));
        new Microservice(eastBookinfo, "ratings", List.of("v1"), List.of(), Map.of());
        Chart westBookinfo = new Chart(app, "west-bookinfo", inDefault);
        Microservice productpage =
                new Microservice(westBookinfo, "productpage", List.of("v1"), List.of("/tmp"), Map.of());
        new Microservice(westBookinfo, "details", List.of("v1"), List.of(), Map.of());

        // ---- the boundaries ----
        FederatedMesh east = FederatedMesh.Builder.create(new Chart(app, "east"), "Mesh")
                .meshName("east")
                .trustDomain("east.example")
                .trustBundle(TrustBundle.fromPemFile(TRUST.resolve("east.pem").toString()))
                .endpoints(List.of(GatewayEndpoint.builder().address("federation.east.example").build()))
                .build();
        FederatedMesh west = FederatedMesh.Builder.create(new Chart(app, "west"), "Mesh")
                .meshName("west")
                .trustDomain("west.example")
                .trustBundle(TrustBundle.fromPemFile(TRUST.resolve("west.pem").toString()))
                .build();
        east.addPeer(west);
        west.addPeer(east);

        // ---- one service, for one peer, for one caller ----
        ExposedService reviews = east.expose("Reviews", ExposedServiceOptions.builder()
                .service(LocalService.fromConstruct(reviewsApplication.service))
                .exportName("reviews")
                .ports(List.of(ServicePort.http(9080)))
                .owner("reviews team")
                .build());
        reviews.allowFrom(west, AllowFromOptions.builder()
                .http(List.of(HttpRule.allow(
                        HttpRuleOptions.builder().methods(List.of("GET")).paths(List.of("/reviews/*")).build())))
                .purpose("show reviews on the product page")
                .build());

        RemoteServiceBinding binding = RemoteServiceBinding.Builder.create(westBookinfo, "Reviews")
                .mesh(west)
                .source(reviews)
                .localName(LocalName.newService("reviews", "default"))
                .build();
        binding.allowFrom(Caller.fromConstruct(productpage.deployments.get(0)));

        return app;
    }
}
