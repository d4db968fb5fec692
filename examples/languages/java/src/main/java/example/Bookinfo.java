package example;

import dev.cdk8smeshfederation.AllowFromOptions;
import dev.cdk8smeshfederation.Caller;
import dev.cdk8smeshfederation.ExposedService;
import dev.cdk8smeshfederation.ExposedServiceOptions;
import dev.cdk8smeshfederation.FederatedMesh;
import dev.cdk8smeshfederation.GatewayEndpoint;
import dev.cdk8smeshfederation.HttpRule;
import dev.cdk8smeshfederation.LocalName;
import dev.cdk8smeshfederation.LocalService;
import dev.cdk8smeshfederation.RemoteServiceBinding;
import dev.cdk8smeshfederation.ServicePort;
import dev.cdk8smeshfederation.TrustBundle;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.cdk8s.ApiObject;
import org.cdk8s.App;
import org.cdk8s.Chart;
import org.cdk8s.ChartProps;
import org.cdk8s.Include;

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

        // ---- Bookinfo itself: what each mesh runs ----
        ChartProps inDefault = ChartProps.builder().namespace("default").build();
        Chart eastBookinfo = new Chart(app, "east-bookinfo", inDefault);
        Include reviewsManifests = include(eastBookinfo, "reviews");
        include(eastBookinfo, "ratings");
        Chart westBookinfo = new Chart(app, "west-bookinfo", inDefault);
        Include productpageManifests = include(westBookinfo, "productpage");
        include(westBookinfo, "details");

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
                .service(LocalService.fromConstruct(find(reviewsManifests, "Service", "reviews")))
                .exportName("reviews")
                .ports(List.of(ServicePort.http(9080)))
                .owner("reviews team")
                .build());
        reviews.allowFrom(west, AllowFromOptions.builder()
                .http(List.of(HttpRule.builder().methods(List.of("GET")).paths(List.of("/reviews/*")).build()))
                .purpose("show reviews on the product page")
                .build());

        RemoteServiceBinding binding = RemoteServiceBinding.Builder.create(westBookinfo, "Reviews")
                .mesh(west)
                .source(reviews)
                .localName(LocalName.newService("reviews", "default"))
                .build();
        binding.allowFrom(Caller.fromConstruct(find(productpageManifests, "Deployment", "productpage-v1")));

        return app;
    }

    private static Include include(Chart chart, String application) {
        return Include.Builder.create(chart, application)
                .url(BOOKINFO.resolve("manifests").resolve(application + ".yaml").toString())
                .build();
    }

    private static ApiObject find(Include manifests, String kind, String name) {
        return manifests.getApiObjects().stream()
                .filter(object -> object.getKind().equals(kind) && object.getName().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the manifests hold no " + kind + " " + name));
    }
}
