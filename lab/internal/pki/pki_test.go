package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, text string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatal("no PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func TestALeafCarriesWhatWasAskedForAndIsVerifiedByItsAuthority(t *testing.T) {
	authority, err := New("test")
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := authority.Issue(Request{SpiffeID: "spiffe://east.example/ns/a/sa/b"})
	if err != nil {
		t.Fatal(err)
	}
	certificate := parse(t, leaf.Cert)
	if len(certificate.URIs) != 1 || certificate.URIs[0].String() != "spiffe://east.example/ns/a/sa/b" || certificate.IsCA {
		t.Errorf("identity %v, CA %t", certificate.URIs, certificate.IsCA)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(authority.PEM))
	if _, err := certificate.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	if _, err := tls.X509KeyPair([]byte(leaf.Cert), []byte(leaf.Key)); err != nil {
		t.Error(err)
	}
}

func TestALeafMayBeExpiredOrNotYetValid(t *testing.T) {
	authority, err := New("test")
	if err != nil {
		t.Fatal(err)
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	leaf, err := authority.Issue(Request{NotBefore: yesterday.Add(-time.Hour), NotAfter: yesterday})
	if err != nil {
		t.Fatal(err)
	}
	if certificate := parse(t, leaf.Cert); time.Now().Before(certificate.NotAfter) {
		t.Errorf("good until %s", certificate.NotAfter)
	}
}

func TestASelfSignedLeafIsSignedByNobodyElse(t *testing.T) {
	leaf, err := SelfSigned(Request{SpiffeID: "spiffe://east.example/ns/a/sa/b"})
	if err != nil {
		t.Fatal(err)
	}
	certificate := parse(t, leaf.Cert)
	if certificate.IsCA || certificate.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature) != nil {
		t.Error("it is a CA, or not signed by itself")
	}
}

func TestATokenIsSignedWithTheKeyThatTheIssuerPublishes(t *testing.T) {
	for _, elliptical := range []bool{false, true} {
		made, err := NewIssuer("one", elliptical)
		if err != nil {
			t.Fatal(err)
		}
		text, err := made.Key()
		if err != nil {
			t.Fatal(err)
		}
		issuer, err := LoadIssuer("one", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		token, err := issuer.Token(Claims{"iss": "https://login.example"})
		if err != nil {
			t.Fatal(err)
		}
		dot := strings.LastIndex(token, ".")
		content, encodedSignature := token[:dot], token[dot+1:]
		signature, err := base64.RawURLEncoding.DecodeString(encodedSignature)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte(content))
		switch key := made.key.Public().(type) {
		case *rsa.PublicKey:
			err = rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature)
		case *ecdsa.PublicKey:
			if !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
				t.Error("the signature is another")
			}
		}
		if err != nil {
			t.Error(err)
		}
		if kind := map[bool]string{false: `"kty":"RSA"`, true: `"kty":"EC"`}[elliptical]; !strings.Contains(made.JWKS(), kind) || strings.Contains(made.JWKS(), `"d"`) {
			t.Errorf("published: %s", made.JWKS())
		}
	}
}
