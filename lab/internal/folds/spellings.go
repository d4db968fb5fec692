package folds

import (
	"fmt"
	"slices"
	"strings"
)

// Spelling is a path that some backend reads as an excepted one.
type Spelling struct {
	Path   string
	ReadBy []string
}

// change returns other spellings of a path.
type change func(path string) []string

// Spellings returns spellings of the paths, each of which matches an excepted pattern: every change of every path, and
// pairs of changes of the first one. Spellings that no backend serves as an excepted path are omitted.
func Spellings(paths []string, excepted ...string) []Spelling {
	seen := map[string]bool{}
	var all []Spelling
	add := func(path string) {
		if seen[path] || strings.ContainsAny(path, " \t") {
			return
		}
		seen[path] = true
		if names := ReadBy(path, excepted...); len(names) > 0 {
			all = append(all, Spelling{path, names})
		}
	}
	for i, path := range paths {
		add(path)
		for _, one := range changes {
			for _, changed := range one(path) {
				add(changed)
			}
		}
		if i > 0 {
			continue
		}
		for _, pair := range pairs {
			for _, first := range sample(pair[0](path)) {
				for _, both := range sample(pair[1](first)) {
					add(both)
				}
			}
		}
	}
	return all
}

// sample limits the number of pairs: the first, the last and some in between.
func sample(all []string) []string {
	if len(all) <= 6 {
		return all
	}
	return []string{all[0], all[len(all)/5], all[2*len(all)/5], all[3*len(all)/5], all[4*len(all)/5], all[len(all)-1]}
}

var (
	changes = []change{
		slashes, dots, parameters, escapedLetters, escapedTwice, escapedThrice, utf16Letters, upper, otherLetters, escapedSlashes, endings, edges, sessions,
		extensions, subdelimiters,
	}
	pairs = [][2]change{
		{slashes, upper}, {slashes, endings}, {parameters, endings}, {parameters, slashes}, {escapedLetters, endings}, {escapedLetters, slashes},
		{escapedTwice, endings}, {upper, endings}, {upper, parameters}, {upper, escapedLetters}, {edges, endings}, {edges, upper}, {dots, endings},
		{dots, escapedLetters}, {dots, upper}, {sessions, upper}, {otherLetters, endings}, {escapedSlashes, upper}, {extensions, upper}, {dots, dots},
		{endings, endings}, {escapedLetters, upper}, {utf16Letters, endings}, {subdelimiters, endings},
	}
)

// at puts each of the texts before each slash but the first one, after it when behind is set.
func at(path string, behind bool, texts ...string) []string {
	var out []string
	for i := range len(path) {
		if path[i] != '/' || !behind && i == 0 {
			continue
		}
		place := i
		if behind {
			place++
		}
		for _, text := range texts {
			out = append(out, path[:place]+text+path[place:])
		}
	}
	return out
}

func slashes(path string) []string { return at(path, true, "/", "//", "./", ".//") }

func dots(path string) []string {
	return at(path, true, "x/../", "%2e/", "x/%2e%2e/", "x/.%2E/", "x/..;/", ".;/", "x/%252e%252e/", "x/%c0%ae%c0%ae/", "x//../", "x/y/../../")
}

func parameters(path string) []string {
	texts := []string{";", ";a=b", ";jsessionid=0", "%3B", "%3ba=b", ";a/..", ";%2f"}
	out := at(path, false, texts...)
	for _, text := range texts {
		out = append(out, path+text)
	}
	return append(out, at(path, true, ";/", ";x/")...)
}

// each writes each character of a path, but for slashes, in another way.
func each(path string, other func(byte) string) []string {
	var out []string
	for i := range len(path) {
		if path[i] != '/' {
			out = append(out, path[:i]+other(path[i])+path[i+1:])
		}
	}
	return out
}

func escaped(char byte) string { return fmt.Sprintf("%%%02x", char) }

func escapedLetters(path string) []string {
	return append(each(path, escaped), each(path, func(char byte) string { return strings.ToUpper(escaped(char)) })...)
}

func escapedTwice(path string) []string {
	return append(each(path, func(char byte) string { return fmt.Sprintf("%%25%02x", char) }),
		each(path, func(char byte) string { text := escaped(char); return "%" + escaped(text[1]) + escaped(text[2]) })...)
}

func escapedThrice(path string) []string {
	return each(path, func(char byte) string { return fmt.Sprintf("%%2525%02x", char) })
}

func utf16Letters(path string) []string {
	return append(each(path, func(char byte) string { return fmt.Sprintf("%%u%04x", char) }), each(path, func(char byte) string { return fmt.Sprintf("%%U%04X", char) })...)
}

func upper(path string) []string {
	out := []string{strings.ToUpper(path)}
	for i := range len(path) {
		if char := path[i]; char >= 'a' && char <= 'z' && (i < 2 || path[i-1] != '%' && path[i-2] != '%') {
			out = append(out, path[:i]+strings.ToUpper(string(char))+path[i+1:])
		}
	}
	return out
}

// otherLetters are letters of ASCII to Java's equalsIgnoreCase.
func otherLetters(path string) []string {
	var out []string
	for letter, others := range map[string][]string{"s": {"%C5%BF", "%c5%bf"}, "k": {"%E2%84%AA"}, "i": {"%C4%B1", "%C4%B0", "%c4%b1"}} {
		for i := range len(path) {
			if path[i:i+1] == letter {
				for _, other := range others {
					out = append(out, path[:i]+other+path[i+1:])
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

func escapedSlashes(path string) []string {
	var out []string
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			for _, other := range []string{"%2f", "%2F", `\`, "%5c", "%5C", "%252f", "%252F", "%255c", "%c0%af", "%c1%9c", "%e0%80%af", "%u002f", "%u005c", "/%2f", `/\`, `\/`} {
				out = append(out, path[:i]+other+path[i+1:])
			}
		}
	}
	return out
}

func endings(path string) []string {
	var out []string
	for _, end := range []string{
		"/", "//", "/.", "/./", "%20", "%20%20", "+", ".", "..", "...", "%20.", ".%20", "/%20", `\`, "%5c", "%2f", "%2F", "%252f", "%2520", "%00", "%09", "%0a", "%0d%0a", ";", ";x", "/;", ".json", ".xml",
		".html", ".anything", ".html.en", "%2ejson", ".json/", "::$DATA", "::$data", ":x", "%3a%3a$DATA", "%3A", "%3f", "%3Fx=1", "%3fx/y", "%253f", "%23", "%23x", "/index.html", "/index.php",
		"/default.aspx", "/Default.aspx", "/INDEX.HTML", "/index.html/", "/x/..", "/x/../", "/x/%2e%2e", "%u002f",
	} {
		out = append(out, path+end)
	}
	return out
}

// edges of each segment: what Windows and trimming frameworks drop.
func edges(path string) []string {
	return append(append(at(path, false, "%20", ".", "..", "%20%20", ".%20", "::$INDEX_ALLOCATION", ":$I30:$INDEX_ALLOCATION", "%3a%3a$INDEX_ALLOCATION", "+"),
		at(path, true, "%20", "%20%20")...), path+".%20.")
}

func sessions(path string) []string {
	return at(path, true, "(S(x))/", "(A(x)F(y))/", "(s(0))/", "%28S%28x%29%29/", "(S(x))/(S(y))/", "%28S(x%29)/")
}

// extensions removes or adds an extension of the last segment, or adds a segment below it.
func extensions(path string) []string {
	place := strings.LastIndexAny(path, "./")
	if place < 0 || path[place] == '/' {
		return nil
	}
	base := path[:place]
	return []string{base, base + "/", base + ".xml", base + ".", base + ".html.gz", base + "%20", path + "/x", path + "/x/y.css", path + "/", path + "//", path + "/;", path + "%2fx"}
}

// subdelimiters are allowed in a pattern without escapes.
func subdelimiters(path string) []string {
	var out []string
	for i := range len(path) {
		if strings.ContainsRune("!$&'()+,=:@~_-", rune(path[i])) {
			out = append(out, path[:i]+escaped(path[i])+path[i+1:], path[:i]+strings.ToUpper(escaped(path[i]))+path[i+1:])
		}
	}
	return out
}
