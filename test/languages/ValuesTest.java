package example;

import dev.cdk8smeshfederation.AddPeerOptions;
import dev.cdk8smeshfederation.AllowFromOptions;
import dev.cdk8smeshfederation.BoundaryGateway;
import dev.cdk8smeshfederation.Caller;
import dev.cdk8smeshfederation.CertManagerOptions;
import dev.cdk8smeshfederation.DedicatedGatewayOptions;
import dev.cdk8smeshfederation.Delivery;
import dev.cdk8smeshfederation.ExposedService;
import dev.cdk8smeshfederation.ExposedServiceOptions;
import dev.cdk8smeshfederation.FederatedMesh;
import dev.cdk8smeshfederation.GatewayCredential;
import dev.cdk8smeshfederation.GatewayEndpoint;
import dev.cdk8smeshfederation.GatewayServiceType;
import dev.cdk8smeshfederation.HttpRule;
import dev.cdk8smeshfederation.HttpRuleOptions;
import dev.cdk8smeshfederation.IExposedService;
import dev.cdk8smeshfederation.IstioVersion;
import dev.cdk8smeshfederation.Justification;
import dev.cdk8smeshfederation.JwtRule;
import dev.cdk8smeshfederation.KeyAlgorithm;
import dev.cdk8smeshfederation.LocalName;
import dev.cdk8smeshfederation.LocalService;
import dev.cdk8smeshfederation.NodeToleration;
import dev.cdk8smeshfederation.PeerLimits;
import dev.cdk8smeshfederation.PortMapping;
import dev.cdk8smeshfederation.RemoteMesh;
import dev.cdk8smeshfederation.RemoteServiceBinding;
import dev.cdk8smeshfederation.RemoteServiceBindingOptions;
import dev.cdk8smeshfederation.RemoteServiceProps;
import dev.cdk8smeshfederation.ServiceAccountIdentity;
import dev.cdk8smeshfederation.ServicePort;
import dev.cdk8smeshfederation.ServicePortOptions;
import dev.cdk8smeshfederation.SpiffeId;
import dev.cdk8smeshfederation.TrustBundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.cdk8s.ApiObject;
import org.cdk8s.ApiObjectMetadata;
import org.cdk8s.App;
import org.cdk8s.Chart;
import org.cdk8s.Duration;
import org.cdk8s.JsonPatch;
import org.junit.jupiter.api.Test;

/** test/languages/values.ts in Java. */
class ValuesTest {
    private static TrustBundle trust(String mesh) {
        return TrustBundle.fromPemFile(Bookinfo.TRUST.resolve(mesh + ".pem").toString());
    }

    private static App values() {
        App app = new App();
        FederatedMesh bank = FederatedMesh.Builder.create(new Chart(app, "bank"), "Mesh")
                .meshName("bank")
                .trustDomain("bank.example")
                .trustBundle(trust("east"))
                .endpoints(List.of(GatewayEndpoint.builder()
                        .address("10.0.0.1")
                        .port(443)
                        .privateAddress(Justification.builder().reason("a leased line to the shop").build())
                        .build()))
                .istioVersion(IstioVersion.V1_31)
                .delivery(Delivery.argoCd())
                .createNamespace(false)
                .credential(GatewayCredential.fromCertManager(CertManagerOptions.builder()
                        .issuerName("boundary")
                        .keyAlgorithm(KeyAlgorithm.ECDSA_P384)
                        .duration(Duration.days(2))
                        .build()))
                .ingressGateway(BoundaryGateway.dedicated(DedicatedGatewayOptions.builder()
                        .minReplicas(3)
                        .labels(Map.of("tier", "edge", "team", "platform"))
                        .tolerations(List.of(NodeToleration.exists("dmz")))
                        .serviceType(GatewayServiceType.NODE_PORT)
                        .build()))
                .build();
        RemoteMesh shop = RemoteMesh.Builder.create(app, "Shop")
                .meshName("shop")
                .trustDomain("shop.example")
                .trustBundle(trust("west"))
                .ingressIdentity(SpiffeId.parse("spiffe://shop.example/ns/istio-federation/sa/federation-ingress"))
                .egressIdentity(SpiffeId.forServiceAccount(ServiceAccountIdentity.builder()
                        .trustDomain("shop.example")
                        .namespaceName("istio-federation")
                        .serviceAccountName("federation-egress")
                        .build()))
                .endpoints(List.of(GatewayEndpoint.builder().address("federation.shop.example").build()))
                .exposedServices(List.of(RemoteServiceProps.builder()
                        .exportName("orders")
                        .ports(List.of(
                                ServicePort.http(8080),
                                ServicePort.tcp(9000, ServicePortOptions.builder().exportPort(19000).build())))
                        .build()))
                .knownAs("bank")
                .build();
        bank.addPeer(shop, AddPeerOptions.builder()
                .stripTracing(true)
                .limits(PeerLimits.builder().maxConnections(100).maxConnectionDuration(Duration.hours(1)).build())
                .build());

        ExposedService accounts = bank.expose("Accounts", ExposedServiceOptions.builder()
                .service(LocalService.fromName("accounts", "ledger"))
                .exportName("accounts.v1")
                .ports(List.of(ServicePort.http(8080), ServicePort.grpc(9090)))
                .requestTimeout(Duration.seconds(5))
                .build());
        accounts.allowFrom(shop, AllowFromOptions.builder()
                .ports(List.of(8080))
                .http(List.of(HttpRule.allow(HttpRuleOptions.builder()
                        .paths(List.of("/accounts/*"))
                        .exceptPaths(List.of("/accounts/drafts"))
                        .requiredHeaders(Map.of("x-region", "eu", "x-channel", "shop"))
                        .build())))
                .jwt(JwtRule.builder()
                        .issuer("https://login.example")
                        .audiences(List.of("accounts"))
                        .jwksUri("https://login.example/keys")
                        .claims(Map.of("scope", List.of("read"), "groups", List.of("a", "b")))
                        .build())
                .build());
        RemoteServiceBinding orders = bank.bind("Orders", RemoteServiceBindingOptions.builder()
                .source(shop.exposedService("orders"))
                .localName(LocalName.newService("orders", "ledger"))
                .portMappings(List.of(PortMapping.builder().exportPort(8080).localPort(80).build()))
                .build());
        orders.allowFrom(Caller.anyInNamespace("ledger"));

        ApiObject read = ApiObject.Builder.create(new Chart(app, "read"), "Read")
                .apiVersion("v1")
                .kind("ConfigMap")
                .metadata(ApiObjectMetadata.builder().name("read").build())
                .build();
        GatewayEndpoint endpoint = bank.getEndpoints().get(0);
        IExposedService exposed = shop.exposedService("orders");
        read.addJsonPatch(JsonPatch.add("/read", List.of(
                orders.getHost(),
                accounts.sniFor(shop, 8080),
                endpoint.getPort().toString(),
                endpoint.getPrivateAddress().getReason(),
                bank.getIngressGateway().getPodLabels().get("istio"),
                exposed.getMesh().getEgressIdentity().getUri(),
                exposed.getPorts().get(1).getExportPort().toString(),
                bank.getTrustBundle().getFingerprints().get(0))));
        return app;
    }

    @Test
    void theProgramPassesEveryKindOfValue() throws IOException {
        Files.writeString(Path.of("values.yaml"), values().synthYaml());
    }
}
