package federation

// ofEveryScenario are the applications of every scenario: a backend, an allowed caller, unlisted ones, and one without
// a sidecar.
var ofEveryScenario = map[string][]app{
	"east": {
		{name: "default/reviews", account: "bookinfo-reviews", ports: []port{{"http", 9080}}},
		{name: "default/ratings", account: "bookinfo-ratings", ports: []port{{"http", 9080}}},
	},
	"west": {
		{name: "default/productpage", account: "bookinfo-productpage"},
		{name: "default/other", account: "other"},
		{name: "elsewhere/visitor", account: "visitor"},
		{name: "plain/plain", account: "plain", noSidecar: true},
	},
}

// benchPorts are the ports of a backend that is measured.
var benchPorts = []port{{"http", 8080}, {"grpc", 9090}, {"tcp", 7001}}

// ofScenario are the additional applications of each scenario. Their namespaces exist in every mesh and in every
// scenario.
var ofScenario = map[string]map[string][]app{
	"renamed-everything": {
		"east": {{name: "accounts/withdraw", account: "withdraw", ports: []port{{"http", 8080}}}},
		"west": {{name: "finance/checkout", account: "checkout"}},
	},
	"three-meshes": {
		"east":  {{name: "books/ledger", account: "ledger", ports: []port{{"http", 8080}, {"http", 9090}}}},
		"west":  {{name: "west/client", account: "client"}, {name: "partners/batch", account: "batch"}},
		"north": {{name: "north/client", account: "client"}},
	},
	"both-directions": {
		"west": {{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}}},
	},
	"balancer-name": {
		"west": {{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}}},
	},
	"peer-options": {
		"east":  {{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}}},
		"west":  {{name: "shop/api", account: "api"}, {name: "shop/other", account: "other"}},
		"north": {{name: "shop/api", account: "api"}},
	},
	"protocols": {
		"east": {
			{name: "chat/chat", account: "chat", ports: []port{{"http", 8080}}},
			{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}},
			{name: "events/echo", account: "echo", ports: []port{{"tcp", 7000}}},
			{name: "multi/multi", account: "multi", ports: []port{{"http", 8080}, {"grpc", 9090}, {"tcp", 7001}}},
			{name: "search/search", account: "search", ports: []port{{"grpc", 9000}}},
			{name: "vault/vault", account: "vault", ports: []port{{"tls", 8200}}},
		},
		"west": {
			{name: "shop/api", account: "api"},
			{name: "shop/other", account: "other"},
			{name: "shop/resolver", account: "api", dnsProxy: true},
			{name: "shop/nosy", account: "other", dnsProxy: true},
			{name: "elsewhere/resolver", account: "resolver", dnsProxy: true},
		},
	},
	"service-kinds": {
		"east": {
			{name: "kinds/misnamed", account: "misnamed", ports: []port{{"grpc-as-http", 9001}}},
			{name: "kinds/unnamed", account: "unnamed", ports: []port{{"grpc-as-any", 9002}}},
			{name: "kinds/headless", account: "headless", ports: []port{{"http", 8081}, {"tcp", 7002}}, headless: true},
		},
		"west": {{name: "shop/api", account: "api"}},
	},
	"held": {
		"east": {
			{name: "chat/chat", account: "chat", ports: []port{{"http", 8080}}},
			{name: "chat/sink", account: "sink", ports: []port{{"deaf", 8070}}},
			{name: "search/search", account: "search", ports: []port{{"grpc", 9000}}},
			{name: "events/echo", account: "echo", ports: []port{{"tcp", 7000}}},
		},
		"west":  {{name: "shop/api", account: "api"}, {name: "shop/batch", account: "batch"}},
		"north": {{name: "shop/api", account: "api"}},
	},
	"several-clusters": {
		"west": {
			{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}},
			{name: "default/prices", account: "prices", ports: []port{{"http", 9080}}},
		},
		"west2": {
			{name: "default/productpage", account: "bookinfo-productpage"},
			{name: "default/other", account: "other"},
			{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}},
			{name: "default/prices", account: "prices", ports: []port{{"http", 9080}}, noPods: true},
		},
	},
	"second-boundary": {
		"east": {{name: "partners/client", account: "client"}},
		"west": {
			{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}},
			{name: "partners/client", account: "client"},
		},
		"north": {
			{name: "default/ratings", account: "bookinfo-ratings", ports: []port{{"http", 9080}}},
			{name: "partners/client", account: "client"},
		},
	},
	"several-sources": {
		"east": {
			{name: "default/reviews-v2", account: "bookinfo-reviews", ports: []port{{"http", 9080}}},
			{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}},
			{name: "search/search", account: "search", ports: []port{{"grpc", 9000}}},
		},
		"west": {
			{name: "default/reviews", account: "bookinfo-reviews", ports: []port{{"http", 9080}, {"http", 9081}}},
			{name: "shop/api", account: "api"},
			{name: "shop/other", account: "other"},
		},
		"north": {
			{name: "default/reviews", account: "bookinfo-reviews", ports: []port{{"http", 9080}}},
			{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}},
			{name: "search/search", account: "search", ports: []port{{"grpc", 9000}}},
		},
	},
	"locked": {
		"east": {
			{name: "accounts/withdraw", account: "withdraw", ports: []port{{"http", 8080}}},
			{name: "accounts/teller", account: "teller"},
			{name: "accounts/other", account: "other"},
			{name: "accounts/plain", account: "teller", noSidecar: true},
			{name: "books/ledger", account: "ledger"},
			{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}},
		},
		"west": {
			{name: "finance/checkout", account: "checkout"},
			{name: "finance/resolver", account: "checkout", dnsProxy: true},
			{name: "finance/prices", account: "prices", ports: []port{{"http", 8080}}},
			{name: "shop/other", account: "other"},
		},
	},
	"existing-gateways": {
		"east": {{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}}},
		"west": {{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}}},
	},
	"gateway-namespaces": {
		"east": {{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}}},
		"west": {{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}}},
	},
	"separate-authorities": {
		"west": {{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}}},
	},
	"external-roots": {
		"west": {{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}}},
	},
	"tokens": {
		"east": {
			{name: "shop/orders", account: "orders", ports: []port{{"http", 8080}}},
			{name: "search/search", account: "search", ports: []port{{"grpc", 9000}}},
		},
		"west":  {{name: "shop/api", account: "api"}},
		"north": {{name: "shop/api", account: "api"}},
	},
	"hostile-mesh-config": {
		"east": {
			{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}},
			{name: "search/search", account: "search", ports: []port{{"grpc", 9000}}},
			{name: "decisions/decisions", account: "decisions", ports: []port{{"http", 8000}}, noSidecar: true},
		},
		"west": {
			{name: "shop/api", account: "api"},
			{name: "shop/other", account: "other"},
			{name: "decisions/decisions", account: "decisions", ports: []port{{"http", 8000}}, noSidecar: true},
		},
	},
	"compliance": {
		"west":  {{name: "shop/api", account: "api"}},
		"north": {{name: "shop/api", account: "api"}},
	},
	"traced": {
		"east":  {{name: "spans/collector", account: "collector", ports: []port{{"http", 4318}}, noSidecar: true}},
		"west":  {{name: "spans/collector", account: "collector", ports: []port{{"http", 4318}}, noSidecar: true}, {name: "shop/api", account: "api"}},
		"north": {{name: "spans/collector", account: "collector", ports: []port{{"http", 4318}}, noSidecar: true}, {name: "shop/api", account: "api"}},
	},
	"monitored": {
		"east":  {{name: "db/mysql", account: "mysql", ports: []port{{"greeting", 3306}}}, {name: "monitoring/prometheus", account: "prometheus", noSidecar: true}},
		"west":  {{name: "shop/api", account: "api"}, {name: "shop/batch", account: "batch"}, {name: "shop/other", account: "other"}, {name: "monitoring/prometheus", account: "prometheus", noSidecar: true}},
		"north": {{name: "shop/api", account: "api"}},
	},
	"bench": { // west's caller is in internal/bench, with what it needs there
		"east": {
			{name: "bench/backend", account: "backend", ports: benchPorts, silent: true},
			{name: "bench/plain-backend", account: "backend", ports: benchPorts, silent: true, noSidecar: true},
			{name: "bench/plain-client", account: "client", noSidecar: true},
		},
	},
	"spellings": {
		"west":  {{name: "shop/api", account: "api"}, {name: "shop/other", account: "other"}},
		"north": {{name: "default/ratings", account: "bookinfo-ratings", ports: []port{{"http", 9080}}}},
	},
	"two-peers": {
		"west":  {{name: "default/details", account: "bookinfo-details", ports: []port{{"http", 9080}}}},
		"north": {{name: "default/ratings", account: "bookinfo-ratings", ports: []port{{"http", 9080}}}, {name: "north/client", account: "client"}},
	},
}
