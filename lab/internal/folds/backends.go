package folds

import "strings"

// Backend is one kind of server or framework.
type Backend struct {
	Name string
	// Sources are the documentation or code for what it folds.
	Sources []string
	steps   []fold
}

// Backends are those that the gateways' routes are tried against. Where a version or a setting decides, it is the one
// that folds more.
var Backends = []Backend{
	{"nginx", []string{
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#location (decodes, resolves dot segments, compresses slashes)",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#merge_slashes", "https://nginx.org/en/docs/http/ngx_http_index_module.html",
	}, []fold{noFragment, decoded, segments, mergeSlashes, noDirectory}},
	{"nginx-caseless", []string{
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#location (prefix strings ignore case on macOS and Cygwin)",
	}, []fold{noFragment, decoded, segments, mergeSlashes, lower, noDirectory}},
	{"nginx-php", []string{
		"https://nginx.org/en/docs/http/ngx_http_fastcgi_module.html#fastcgi_split_path_info", "https://www.nginx.com/resources/wiki/start/topics/examples/phpfcgi/",
	}, []fold{noFragment, decoded, segments, mergeSlashes, noPathInfo, noDirectory}},
	{"nginx-decodes-for-next", []string{
		"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass (with a URI or a variable the normalized path is passed on)",
		"https://httpd.apache.org/security/vulnerabilities_24.html (CVE-2024-38474: an encoded question mark becomes the end of the path)",
	}, []fold{decoded, segments, mergeSlashes, cutAtQuestion, decoded, segments, mergeSlashes, noEndSlash}},
	{"apache", []string{
		"https://httpd.apache.org/docs/2.4/mod/core.html#mergeslashes", "https://httpd.apache.org/docs/2.4/mod/core.html#acceptpathinfo",
		"https://httpd.apache.org/docs/2.4/mod/mod_dir.html#directoryindex", "https://httpd.apache.org/docs/2.4/content-negotiation.html (MultiViews)",
	}, []fold{decoded, segments, mergeSlashes, noPathInfo, noDirectory, noFormat}},
	{"apache-windows", []string{
		"https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file (no trailing blank or dot, either slash, case)",
		"https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-fscc/ (streams: $DATA, $INDEX_ALLOCATION)",
	}, []fold{decoded, backslashes, segments, mergeSlashes, noStreams, trimEnds, noPathInfo, lower, noDirectory}},
	{"tomcat", []string{
		"https://tomcat.apache.org/tomcat-9.0-doc/config/http.html (encodedSolidusHandling, allowBackslash)",
		"https://tomcat.apache.org/tomcat-9.0-doc/servletapi/ (Servlet 4.0, 3.5: path parameters are no part of the path)",
		"org.apache.catalina.connector.CoyoteAdapter: parsePathParameters, then decode, then normalize",
	}, []fold{noParameters, lenient, backslashes, mergeSlashes, segments, noDirectory}},
	{"jetty", []string{
		"https://eclipse.dev/jetty/javadoc/jetty-10/org/eclipse/jetty/http/UriCompliance.html (LEGACY: empty segments, separators, UTF-16 escapes)",
		"https://eclipse.dev/jetty/javadoc/jetty-12/org/eclipse/jetty/http/HttpURI.html (parameters are removed, then escapes decoded)",
		"https://www.eclipse.org/jetty/documentation/jetty-9/ (ContextHandler.setCompactPath)",
	}, []fold{noParameters, utf16, lenient, overlong, mergeSlashes, segments, noDirectory}},
	{"undertow", []string{
		"https://undertow.io/undertow-docs/ (ALLOW_ENCODED_SLASH, path parameters)", "io.undertow.util.CanonicalPathUtils",
	}, []fold{noParameters, lenient, backslashes, segments, mergeSlashes, noEndSlash}},
	{"spring-ant", []string{
		"https://docs.spring.io/spring-framework/docs/5.2.x/javadoc-api/org/springframework/util/AntPathMatcher.html (empty tokens, setTrimTokens)",
		"https://docs.spring.io/spring-framework/docs/5.2.x/javadoc-api/org/springframework/web/servlet/config/annotation/PathMatchConfigurer.html (suffix pattern, trailing slash)",
		"https://docs.spring.io/spring-framework/docs/5.2.x/javadoc-api/org/springframework/web/util/UrlPathHelper.html (removeSemicolonContent, urlDecode)",
	}, []fold{noParameters, lenient, mergeSlashes, segments, trimBlanks, noEndBlanks, noEndSlash, noFormat}},
	{"spring-caseless", []string{
		"https://docs.spring.io/spring-framework/docs/current/javadoc-api/org/springframework/util/AntPathMatcher.html#setCaseSensitive(boolean)",
		"https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/String.html#equalsIgnoreCase(java.lang.String)",
	}, []fold{noParameters, lenient, mergeSlashes, segments, javaLower, noEndSlash, noFormat}},
	{"express", []string{
		"https://expressjs.com/en/api.html#express.router (caseSensitive and strict are off: /Foo, /foo and /foo/ are one)",
		"https://github.com/pillarjs/path-to-regexp (the path is matched as it is written, without the query)",
	}, []fold{noFragment, lower, noEndSlash}},
	{"express-static", []string{
		"https://expressjs.com/en/resources/middleware/serve-static.html (index)", "https://github.com/pillarjs/send (decodes, normalizes)",
	}, []fold{noFragment, decoded, mergeSlashes, segments, noDirectory}},
	{"fastify", []string{
		"https://github.com/delvedor/find-my-way (ignoreTrailingSlash, ignoreDuplicateSlashes, caseSensitive, useSemicolonDelimiter)",
	}, []fold{cutAtColon, noFragment, mergeSlashes, notSlash, lower, noEndSlash}},
	{"rails", []string{
		"https://guides.rubyonrails.org/routing.html (every resource route ends in (.:format))",
		"https://api.rubyonrails.org/ ActionDispatch::Journey::Router::Utils.normalize_path (squeezes slashes, strips the last)",
		"https://rubydoc.info/gems/rack/Rack/Utils (unescape_path, clean_path_info)",
	}, []fold{mergeSlashes, noEndSlash, lenient, segments, noFormat}},
	{"sinatra", []string{
		"https://github.com/sinatra/sinatra (strict_paths off: trailing slash)", "https://github.com/sinatra/mustermann (space_matches_plus, uri_decode)",
	}, []fold{lenient, plusIsBlank, noEndBlanks, noEndSlash}},
	{"aspnet-core", []string{
		"https://learn.microsoft.com/en-us/aspnet/core/fundamentals/routing (case, trailing slash, %2F stays)",
		"https://learn.microsoft.com/en-us/dotnet/api/microsoft.aspnetcore.http.httprequest.path (decoded but for %2F)",
	}, []fold{notSlash, segments, lower, noEndSlash}},
	{"iis", []string{
		"https://learn.microsoft.com/en-us/troubleshoot/developer/webapps/iis/iisadmin-service-inetinfo/httpsys-registry-windows (PercentUAllowed)",
		"https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file", "https://learn.microsoft.com/en-us/iis/configuration/system.webserver/defaultdocument/",
		"https://learn.microsoft.com/en-us/iis/configuration/system.webserver/security/requestfiltering/ (allowDoubleEscaping)",
	}, []fold{utf16, lenient, backslashes, segments, mergeSlashes, noStreams, trimEnds, noPathInfo, lower, noDirectory, noEndSlash}},
	{"iis-double-escaping", []string{
		"https://learn.microsoft.com/en-us/iis/configuration/system.webserver/security/requestfiltering/ (allowDoubleEscaping)",
	}, []fold{lenient, lenient, lenient, backslashes, segments, mergeSlashes, trimEnds, lower, noDirectory, noEndSlash}},
	{"aspnet-cookieless", []string{
		"https://msrc.microsoft.com/update-guide/vulnerability/CVE-2023-36899 (session segments are taken out)",
		"https://learn.microsoft.com/en-us/dotnet/api/system.web.sessionstate.sessionstatesection.cookieless",
	}, []fold{lenient, noSession, noSession, backslashes, mergeSlashes, segments, lower, noPathInfo, noDirectory, noEndSlash}},
	{"php", []string{
		"https://www.php.net/manual/en/reserved.variables.server.php (PATH_INFO)", "https://symfony.com/doc/current/routing.html (rawurldecode)",
	}, []fold{noFragment, lenient, mergeSlashes, segments, noPathInfo, noEndSlash, noDirectory}},
	{"gin", []string{
		"https://pkg.go.dev/github.com/gin-gonic/gin#Engine (RemoveExtraSlash, UnescapePathValues, RedirectFixedPath)",
	}, []fold{lenient, mergeSlashes, segments, noEndSlash}},
	{"vertx", []string{
		"https://vertx.io/docs/vertx-web/java/ (normalizedPath: decodes unreserved characters, slashes are collapsed)",
	}, []fold{decode("/", false), mergeSlashes, segments, noEndSlash}},
	{"overlong-utf8", []string{
		"https://www.rfc-editor.org/rfc/rfc3629#section-10 (decoders that take overlong sequences)", "https://cve.org/CVERecord?id=CVE-2008-2938 (Tomcat)",
	}, []fold{noParameters, lenient, overlong, mergeSlashes, segments}},
}

// Read returns the canonical spelling of a path for the backend; false when the backend rejects the path.
func (b Backend) Read(path string) (string, bool) {
	for _, step := range b.steps {
		var ok bool
		if path, ok = step(path); !ok {
			return "", false
		}
	}
	return path, true
}

// reads reports whether the backend would serve an excepted pattern for a path: `/a/b` is that path, `/a/*` any path
// below `/a/`.
func (b Backend) reads(path, excepted string) bool {
	got, ok := b.Read(path)
	if !ok {
		return false
	}
	fixed, below := strings.CutSuffix(excepted, "*")
	want, ok := b.Read(fixed)
	if !ok {
		return false
	}
	return got == want || below && strings.HasPrefix(got, strings.TrimSuffix(want, "/")+"/")
}

// ReadBy names the backends that would read a path as one of the excepted patterns.
func ReadBy(path string, excepted ...string) []string {
	path, _, _ = strings.Cut(path, "?")
	var names []string
	for _, backend := range Backends {
		for _, pattern := range excepted {
			if backend.reads(path, pattern) {
				names = append(names, backend.Name)
				break
			}
		}
	}
	return names
}
