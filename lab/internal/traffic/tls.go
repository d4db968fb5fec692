package traffic

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"sync"
)

// config is the TLS configuration of a client that presents its certificate to every server and accepts every server
// certificate. shown receives the certificates of the server, also when the handshake fails afterwards.
func (t TLS) config(alpn []string, sessions *lastSession, shown *string) (*tls.Config, error) {
	config := &tls.Config{
		InsecureSkipVerify: true,
		ServerName:         t.ServerName,
		NextProtos:         t.ALPN,
		VerifyPeerCertificate: func(certificates [][]byte, _ [][]*x509.Certificate) error {
			*shown = encodeCertificates(certificates)
			return nil
		},
	}
	if len(t.ALPN) == 0 {
		config.NextProtos = alpn
	}
	if t.Classical {
		config.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256}
	}
	if sessions != nil {
		config.ClientSessionCache = sessions
	}
	var err error
	if config.MinVersion, err = tlsVersion(t.MinVersion); err != nil {
		return nil, err
	}
	if config.MaxVersion, err = tlsVersion(t.MaxVersion); err != nil {
		return nil, err
	}
	if config.MinVersion == 0 && config.MaxVersion != 0 && config.MaxVersion < tls.VersionTLS12 {
		config.MinVersion = config.MaxVersion
	}
	if t.Cert != "" {
		pair, err := tls.X509KeyPair([]byte(t.Cert), []byte(t.Key))
		if err != nil {
			return nil, err
		}
		// Certificates would be filtered by the CAs that the server lists.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return config, nil
}

var tlsVersions = map[string]uint16{
	"": 0, "1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13,
}

func tlsVersion(name string) (uint16, error) {
	version, ok := tlsVersions[name]
	if !ok {
		return 0, fmt.Errorf("no TLS version %q", name)
	}
	return version, nil
}

func tlsVersionName(version uint16) string {
	for name, number := range tlsVersions {
		if number == version {
			return name
		}
	}
	return fmt.Sprintf("%#x", version)
}

// lastSession offers the session that came last to whatever is connected to next, under whatever name.
type lastSession struct {
	lock    sync.Mutex
	session *tls.ClientSessionState
}

func (l *lastSession) Get(string) (*tls.ClientSessionState, bool) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.session, l.session != nil
}

func (l *lastSession) Put(_ string, session *tls.ClientSessionState) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.session = session
}

func encodeCertificates(certificates [][]byte) string {
	var out bytes.Buffer
	for _, der := range certificates {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return out.String()
}

// peerCertificates are the certificates of the other side of a connection.
func peerCertificates(state *tls.ConnectionState) string {
	var certificates [][]byte
	for _, certificate := range state.PeerCertificates {
		certificates = append(certificates, certificate.Raw)
	}
	return encodeCertificates(certificates)
}
