package folds

import (
	"slices"
	"testing"
)

func backend(t *testing.T, name string) Backend {
	i := slices.IndexFunc(Backends, func(b Backend) bool { return b.Name == name })
	if i < 0 {
		t.Fatalf("no backend %s", name)
	}
	return Backends[i]
}

func TestEachBackendReadsAsItIsDocumented(t *testing.T) {
	for _, test := range []struct{ backend, path, want string }{
		{"nginx", "/a//b/%64/../c", "/a/b/c"},
		{"nginx", "/a/index.html", "/a"},
		{"nginx", "/a;x/b", "/a;x/b"},
		{"nginx", "/A", "/A"},
		{"nginx-caseless", "/A//b", "/a/b"},
		{"nginx-php", "/a.php/x/y", "/a.php"},
		{"nginx-decodes-for-next", "/a%3Fx=1", "/a"},
		{"nginx-decodes-for-next", "/%2561", "/a"},
		{"apache", "/a//secret.html", "/a/secret"},
		{"apache", "/a/secret", "/a/secret"},
		{"apache-windows", `/a. /SECRET%20.`, "/a/secret"},
		{"apache-windows", "/a::$INDEX_ALLOCATION/secret::$DATA", "/a/secret"},
		{"tomcat", "/a;x=1/;/b;y", "/a/b"},
		{"tomcat", "/a/..;/b", "/b"},
		{"tomcat", "/a%3Bx/b", "/a;x/b"},
		{"jetty", "/%u0061/;x/b", "/a/b"},
		{"undertow", "/a;x/b/", "/a/b"},
		{"spring-ant", "/a/%20b%20/.json", "/a/b/.json"},
		{"spring-ant", "/a/b.json", "/a/b"},
		{"spring-caseless", "/A/%C5%BFecret/", "/a/secret"},
		{"spring-caseless", "/k/%E2%84%AA/%C4%B1%C4%B0", "/k/k/ii"},
		{"express", "/A/B/", "/a/b"},
		{"express", "/a/%62", "/a/%62"},
		{"express-static", "/a//%62/index.html", "/a/b"},
		{"fastify", "/A;x/b", "/a"},
		{"rails", "//a//b.json/", "/a/b"},
		{"sinatra", "/a/b+", "/a/b"},
		{"aspnet-core", "/A/%62/", "/a/b"},
		{"aspnet-core", "/a%2fb", "/a%2fb"},
		{"iis", `/A\%u0062./`, "/a/b"},
		{"iis-double-escaping", "/%252561", "/a"},
		{"aspnet-cookieless", "/(S(x))/A/%28F%28y%29%29/b", "/a/b"},
		{"php", "/a/b.php/c", "/a/b.php"},
		{"gin", "//a/%62/", "/a/b"},
		{"vertx", "/a//%62", "/a/b"},
		{"overlong-utf8", "/a/%c0%ae%c0%ae/b%c0%afc", "/b/c"},
	} {
		if got, _ := backend(t, test.backend).Read(test.path); got != test.want {
			t.Errorf("%s reads %s as %q, and not %q", test.backend, test.path, got, test.want)
		}
	}
}

func TestWhatABackendRefusesItDoesNotRead(t *testing.T) {
	for name, path := range map[string]string{"nginx": "/%zz", "apache": "/../a", "express-static": "/a%00"} {
		if got, ok := backend(t, name).Read(path); ok {
			t.Errorf("%s reads %s as %q", name, path, got)
		}
	}
}

func TestEveryBackendHasASource(t *testing.T) {
	for _, b := range Backends {
		if len(b.Sources) == 0 {
			t.Errorf("%s has none", b.Name)
		}
	}
}

func TestPlainPathsAreReadByNone(t *testing.T) {
	for _, path := range []string{"/orders/1", "/orders/a%20b", "/orders/caf%C3%A9", "/orders/a+b", "/orders/drafts2/1", "/orders/secrets", "/orders/", "/orders/100%25"} {
		if names := ReadBy(path+"?x=//drafts", "/orders/drafts/*", "/orders/secret"); len(names) > 0 {
			t.Errorf("%s is read by %v", path, names)
		}
	}
}

func TestThePathItselfIsReadByAll(t *testing.T) {
	for _, path := range []string{"/orders/drafts/1", "/orders/secret"} {
		if names := ReadBy(path, "/orders/drafts/*", "/orders/secret"); len(names) != len(Backends) {
			t.Errorf("%s is read by %v only", path, names)
		}
	}
}

func TestTheCorpusIsLargeAndEveryBackendHasSpellingsOfItsOwn(t *testing.T) {
	all := Spellings([]string{"/orders/secret", "/orders/drafts/1", "/orders/report.html"}, "/orders/drafts/*", "/orders/secret", "/orders/report.html")
	if len(all) < 1000 {
		t.Errorf("%d spellings", len(all))
	}
	read := map[string]int{}
	for _, spelling := range all {
		for _, name := range spelling.ReadBy {
			read[name]++
		}
	}
	for _, b := range Backends {
		if read[b.Name] < 10 {
			t.Errorf("%s reads %d of %d", b.Name, read[b.Name], len(all))
		}
	}
	t.Logf("%d spellings: %v", len(all), read)
}
