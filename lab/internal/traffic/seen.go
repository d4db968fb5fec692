package traffic

import (
	"io"
	"net/http"
	"strings"
)

// see reads the whole request and describes it.
func see(r *http.Request) Seen {
	head, _ := io.ReadAll(io.LimitReader(r.Body, bodyShown))
	rest, _ := io.Copy(io.Discard, r.Body)
	seen := Seen{
		Proto: r.Proto, Method: r.Method, Path: r.RequestURI, Host: r.Host, Remote: r.RemoteAddr,
		Header: listHeader(r.Header), Body: string(head), Bytes: int64(len(head)) + rest,
	}
	// net/http takes it out of the header.
	if len(r.TransferEncoding) > 0 {
		seen.Header = append(seen.Header, [2]string{"transfer-encoding", strings.Join(r.TransferEncoding, ", ")})
		sortHeader(seen.Header)
	}
	if r.TLS != nil {
		seen.ServerName = r.TLS.ServerName
		seen.Certificates = peerCertificates(r.TLS)
	}
	return seen
}
