package traffic

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
)

var tlsKinds = []string{"http", "h2", "grpc", "tcp", "raw", "handshake", "websocket"}

func demanding(t *testing.T, version uint16, trusted ...tls.Certificate) *tls.Config {
	t.Helper()
	config := serverConfig(t)
	config.MinVersion, config.MaxVersion = version, version
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.ClientCAs = x509.NewCertPool()
	for _, certificate := range trusted {
		config.ClientCAs.AddCert(certificate.Leaf)
	}
	return config
}

func TestAMissingClientCertificateIsAnAlert(t *testing.T) {
	for version, want := range map[uint16]string{tls.VersionTLS12: "alert: handshake failure", tls.VersionTLS13: "alert: certificate required"} {
		address, _ := captured(t, demanding(t, version))
		for _, kind := range tlsKinds {
			answer := ask(t, Probe{Kind: kind, URL: "https://" + address, Body: "x", TLS: &TLS{}})
			expectOutcome(t, answer, want)
			if answer.Certificates == "" {
				t.Errorf("%s, TLS %s: no server certificate", kind, tlsVersionName(version))
			}
		}
	}
}

func TestAClientCertificateOfAnUnknownAuthorityIsSentAndIsAnAlert(t *testing.T) {
	cert, key := asPEM(t, certificate(t, "stranger.test"))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		address, _ := captured(t, demanding(t, version, certificate(t, "friend.test")))
		for _, kind := range tlsKinds {
			answer := ask(t, Probe{Kind: kind, URL: "https://" + address, Body: "x", TLS: &TLS{Cert: cert, Key: key}})
			expectOutcome(t, answer, "alert: unknown certificate authority")
		}
	}
}

func TestAnAcceptedClientCertificateIsSeenByTheServer(t *testing.T) {
	friend := certificate(t, "friend.test")
	cert, key := asPEM(t, friend)
	address, seen := captured(t, demanding(t, tls.VersionTLS13, friend))
	expectOutcome(t, ask(t, Probe{Kind: "handshake", URL: address, TLS: &TLS{Cert: cert, Key: key}}), "open")
	answer := ask(t, Probe{URL: "https://" + address, TLS: &TLS{Cert: cert, Key: key}})
	expectOutcome(t, answer, "200")
	expect(t, "version", answer.TLSVersion, "1.3")
	expect(t, "client certificate", (<-seen).Certificates, cert)
}

func TestWrongVersionsAreAnAlert(t *testing.T) {
	config := serverConfig(t)
	config.MinVersion = tls.VersionTLS13
	address, _ := captured(t, config)
	for _, newest := range []string{"1.1", "1.2"} {
		expectOutcome(t, ask(t, Probe{URL: "https://" + address, TLS: &TLS{MaxVersion: newest}}), "alert: protocol version")
	}
	config = serverConfig(t)
	config.MaxVersion = tls.VersionTLS12
	address, _ = captured(t, config)
	expectOutcome(t, ask(t, Probe{Kind: "handshake", URL: address, TLS: &TLS{MinVersion: "1.3"}}), "alert: protocol version")
	expectOutcome(t, ask(t, Probe{URL: "https://" + address, TLS: &TLS{MinVersion: "1.9"}}), "other")
}

func TestAlertsHaveTheirStandardNames(t *testing.T) {
	for text, want := range map[string]string{
		"remote error: tls: unknown certificate":            "certificate unknown",
		"remote error: tls: protocol version not supported": "protocol version",
		"remote error: tls: bad certificate":                "bad certificate",
	} {
		name, found := alertName(errorText(text))
		expect(t, text, name, want)
		expect(t, text, found, true)
	}
}

type errorText string

func (e errorText) Error() string { return string(e) }

func TestTheProtocolIsTheOneThatTheProbeNames(t *testing.T) {
	config := serverConfig(t)
	config.NextProtos = []string{"istio", "h2"}
	address, seen := captured(t, config)
	answer := ask(t, Probe{Kind: "h2", URL: "https://" + address, TLS: &TLS{ALPN: []string{"istio"}}})
	expectOutcome(t, answer, "200")
	expect(t, "chosen protocol", answer.ALPN, "istio")
	expect(t, "protocol", (<-seen).Proto, "HTTP/2.0")
}

func TestASessionIsOfferedUnderAnotherName(t *testing.T) {
	friend := certificate(t, "friend.test")
	cert, key := asPEM(t, friend)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		address, seen := captured(t, demanding(t, version, friend))
		for _, kind := range []string{"http", "h2"} {
			answer := ask(t, Probe{Kind: kind, URL: "https://" + address, TLS: &TLS{
				ServerName: "b.test", ResumeFrom: &TLS{ServerName: "a.test", Cert: cert, Key: key},
			}})
			expectOutcome(t, answer, "200")
			expect(t, "resumed", answer.Resumed, true)
			expect(t, "first name", (<-seen).ServerName, "a.test")
			expect(t, "second name", (<-seen).ServerName, "b.test")
		}
	}
	address, _ := captured(t, serverConfig(t))
	expect(t, "resumed without being asked to", ask(t, Probe{URL: "https://" + address}).Resumed, false)
	address, _ = captured(t, demanding(t, tls.VersionTLS13))
	expectOutcome(t, ask(t, Probe{URL: "https://" + address, TLS: &TLS{ResumeFrom: &TLS{}}}), "other")
}
