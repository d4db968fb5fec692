// Package folds describes how common backends normalize the path of a request: repeated slashes, path parameters,
// escapes, upper case and the like. Two paths with the same normal form are the same resource for the backend, even if
// a gateway in front of it distinguishes them.
package folds

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// fold is one step of normalizing a path; false when the backend rejects the path at this step.
type fold func(string) (string, bool)

// always is a fold that rejects nothing.
func always(change func(string) string) fold {
	return func(path string) (string, bool) { return change(path), true }
}

// replacing is a fold that replaces what a pattern finds.
func replacing(pattern, by string) fold {
	expression := regexp.MustCompile(pattern)
	return always(func(path string) string { return expression.ReplaceAllString(path, by) })
}

var (
	mergeSlashes  = replacing(`/{2,}`, "/")
	backslashes   = replacing(`\\`, "/")
	noParameters  = replacing(`;[^/]*`, "")
	noFragment    = replacing(`#.*`, "")
	cutAtQuestion = replacing(`[?#].*`, "") // of a path that was decoded, and is then parsed once more
	cutAtColon    = replacing(`;.*`, "")    // a semicolon that begins the query
	noEndSlash    = replacing(`(.)/+$`, "$1")
	noFormat      = replacing(`([^/.][^/]*?)\.[^/]*(/?)$`, "$1$2")
	noSession     = replacing(`/(\([A-Za-z]\([^/]*\)\))+`, "")
	trimEnds      = replacing(`[. ]+(/|$)`, "$1") // of each segment
	trimBlanks    = replacing(`( *)/( *)`, "/")
	noEndBlanks   = replacing(` +$`, "")
	noStreams     = replacing(`:[^/]*`, "")
	noDirectory   = replacing(`(?i)/((index|default)\.[a-z0-9]+)?$`, "")
	noPathInfo    = replacing(`(?i)(\.(php|aspx|asp|cgi|jsp|pl|py))/.*$`, "$1")
	plusIsBlank   = replacing(`\+`, " ")
	lower         = always(strings.ToLower)
	javaLower     = always(func(path string) string {
		return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, strings.ReplaceAll(path, "İ", "i"))
	})
)

// segments resolves dot segments; a path that leaves the root is rejected.
func segments(path string) (string, bool) {
	parts := strings.Split(path, "/")
	var kept []string
	for i, part := range parts {
		last := i == len(parts)-1
		switch part {
		case ".":
			if last {
				kept = append(kept, "")
			}
		case "..":
			if len(kept) < 2 {
				return "", false
			}
			kept = kept[:len(kept)-1]
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "/"), true
}

// decode decodes escapes, except those in keep; an invalid escape is rejected (strict) or not changed.
func decode(keep string, strict bool) fold {
	return func(path string) (string, bool) {
		var out strings.Builder
		for i := 0; i < len(path); i++ {
			if path[i] == '%' {
				value, err := strconv.ParseUint(path[i+1:min(i+3, len(path))], 16, 8)
				switch {
				case err != nil || i+3 > len(path):
					if strict {
						return "", false
					}
				case value == 0 && strict:
					return "", false
				case !strings.ContainsRune(keep, rune(value)):
					out.WriteByte(byte(value))
					i += 2
					continue
				}
			}
			out.WriteByte(path[i])
		}
		return out.String(), true
	}
}

var (
	decoded  = decode("", true)
	lenient  = decode("", false)
	notSlash = decode("/", false) // %2F stays what it is
)

var utf16Escape = regexp.MustCompile(`%[uU][0-9a-fA-F]{4}`)

// utf16 decodes %uXXXX.
var utf16 = always(func(path string) string {
	return utf16Escape.ReplaceAllStringFunc(path, func(escape string) string {
		value, err := strconv.ParseUint(escape[2:], 16, 32)
		if err != nil {
			return escape
		}
		return string(rune(value))
	})
})

// overlong decodes overlong UTF-8.
var overlong = always(func(path string) string {
	return strings.NewReplacer("\xc0\xae", ".", "\xc0\xaf", "/", "\xc1\x9c", "/", "\xe0\x80\xaf", "/", "\xe0\x80\xae", ".").Replace(path)
})
