// Package pki creates CAs and certificates for the lab, in memory: those of the stand-in kubelets, and those that
// external attackers and compromised peers present.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"
)

// Authority is a CA.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	// PEM of the authority's own certificate: public.
	PEM string
}

// Leaf is a certificate and its key, as PEM.
type Leaf struct{ Cert, Key string }

// Request describes a certificate. Zero values mean: no identity, both usages, valid for an hour from now.
type Request struct {
	SpiffeID            string
	DNSNames            []string
	IPs                 []net.IP
	NotBefore, NotAfter time.Time
	Usages              []x509.ExtKeyUsage

	// What is weak or odd.
	Also []string // further URIs, after the SPIFFE ID
	CA   bool     // the certificate may issue certificates
	RSA  int      // a key of RSA with so many bits
	SHA1 bool     // the signature of an authority with an RSA key uses SHA-1
}

// New creates a self-signed CA.
func New(organisation string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{Organization: []string{organisation}, CommonName: organisation + " root"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &Authority{cert, key, encode("CERTIFICATE", der)}, err
}

// SelfSigned creates a self-signed certificate.
func SelfSigned(request Request) (Leaf, error) {
	authority, err := New("nobody")
	if err != nil {
		return Leaf{}, err
	}
	key, ok := authority.key.(*ecdsa.PrivateKey)
	if !ok {
		return Leaf{}, fmt.Errorf("a new authority has a key of type %T", authority.key)
	}
	template, err := request.template()
	if err != nil {
		return Leaf{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return Leaf{}, err
	}
	keyPEM, err := KeyPEM(key)
	return Leaf{Cert: encode("CERTIFICATE", der), Key: keyPEM}, err
}

// Load reads a CA from PEM: a mesh's own, for what a compromised owner of that mesh could do.
func Load(cert, key []byte) (*Authority, error) {
	block, _ := pem.Decode(cert)
	if block == nil {
		return nil, fmt.Errorf("no certificate in PEM")
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, err := parseKey(key)
	return &Authority{parsed, signer, string(cert)}, err
}

// Revoke creates a revocation list with these certificates, which expires at a time.
func (a *Authority) Revoke(until time.Time, leaves ...Leaf) (string, error) {
	template := &x509.RevocationList{Number: serial(), ThisUpdate: until.Add(-48 * time.Hour), NextUpdate: until}
	for _, leaf := range leaves {
		block, _ := pem.Decode([]byte(leaf.Cert))
		if block == nil {
			return "", fmt.Errorf("no certificate in PEM")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return "", err
		}
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: cert.SerialNumber, RevocationTime: template.ThisUpdate})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)
	return encode("X509 CRL", der), err
}

// Intermediate creates a CA below this one.
func (a *Authority) Intermediate(organisation string) (*Authority, error) {
	return a.intermediate(organisation, x509.UnknownSignatureAlgorithm)
}

// WeakIntermediate is one whose certificate is signed with SHA-1: this authority's key must be RSA.
func (a *Authority) WeakIntermediate(organisation string) (*Authority, error) {
	return a.intermediate(organisation, x509.SHA1WithRSA)
}

func (a *Authority) intermediate(organisation string, signature x509.SignatureAlgorithm) (*Authority, error) {
	below, err := New(organisation)
	if err != nil {
		return nil, err
	}
	template := below.cert
	template.SerialNumber = serial()
	template.AuthorityKeyId = nil
	template.SignatureAlgorithm = signature
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, below.key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &Authority{cert, below.key, encode("CERTIFICATE", der)}, err
}

// Key of the authority, as PEM.
func (a *Authority) Key() (string, error) {
	key, ok := a.key.(*ecdsa.PrivateKey)
	if !ok {
		return "", fmt.Errorf("a key of type %T", a.key)
	}
	return KeyPEM(key)
}

// Issue creates a certificate.
func (a *Authority) Issue(request Request) (Leaf, error) {
	key, keyPEM, err := request.key()
	if err != nil {
		return Leaf{}, err
	}
	template, err := request.template()
	if err != nil {
		return Leaf{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	return Leaf{Cert: encode("CERTIFICATE", der) + a.PEM, Key: keyPEM}, err
}

// key creates the key of a certificate, and its PEM.
func (request Request) key() (crypto.Signer, string, error) {
	if request.RSA > 0 {
		key, err := rsa.GenerateKey(rand.Reader, request.RSA)
		if err != nil {
			return nil, "", err
		}
		return key, encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", err
	}
	text, err := KeyPEM(key)
	return key, text, err
}

func (request Request) template() (*x509.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: serial(), DNSNames: request.DNSNames, IPAddresses: request.IPs,
		NotBefore: request.NotBefore, NotAfter: request.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: request.Usages,
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Minute)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	if template.ExtKeyUsage == nil {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	}
	for _, text := range append([]string{request.SpiffeID}, request.Also...) {
		if text == "" {
			continue
		}
		id, err := url.Parse(text)
		if err != nil {
			return nil, err
		}
		template.URIs = append(template.URIs, id)
	}
	if request.CA {
		template.IsCA, template.BasicConstraintsValid = true, true
		template.KeyUsage |= x509.KeyUsageCertSign
	}
	if request.SHA1 {
		template.SignatureAlgorithm = x509.SHA1WithRSA
	}
	return template, nil
}

// NewKey creates a private key as PEM.
func NewKey() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	return KeyPEM(key)
}

// KeyPEM writes a key as PEM.
func KeyPEM(key *ecdsa.PrivateKey) (string, error) {
	der, err := x509.MarshalECPrivateKey(key)
	return encode("EC PRIVATE KEY", der), err
}

func parseKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("no key in PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return key.(crypto.Signer), nil
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		panic(err) // the kernel has no randomness: nothing works then
	}
	return n
}

func encode(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}
