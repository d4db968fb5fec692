package traffic

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

const (
	bodyShown = 64 << 10 // as much of a body is passed on
	bodyRead  = 1 << 20  // as much of it is looked at, so that what a server has seen may be long
)

// takeBody reads a body to its end.
func (a *Answer) takeBody(body io.Reader) error {
	head, err := io.ReadAll(io.LimitReader(body, bodyRead))
	length := int64(len(head))
	if err == nil {
		var rest int64
		rest, err = io.Copy(io.Discard, body)
		length += rest
	}
	a.setBody(head, length)
	return err
}

func (a *Answer) setBody(head []byte, length int64) {
	var seen Seen
	if json.Unmarshal(head, &seen) == nil && seen.Pod != "" && seen.Method != "" {
		a.Seen = &seen
	}
	a.Body = string(head[:min(len(head), bodyShown)])
	a.Bytes = length
}

// listHeader is the header with lower-case names, sorted.
func listHeader(header http.Header) [][2]string {
	var list [][2]string
	for name, values := range header {
		for _, value := range values {
			list = append(list, [2]string{strings.ToLower(name), value})
		}
	}
	sortHeader(list)
	return list
}

func sortHeader(list [][2]string) {
	slices.SortStableFunc(list, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
}
