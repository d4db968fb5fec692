package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
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

func TestAnIssuerPublishesNothingThatSignsAndIsTheSameWhenItIsRead(t *testing.T) {
	for _, algorithm := range Algorithms {
		made, err := NewIssuer("one", algorithm)
		if err != nil {
			t.Fatal(err)
		}
		key, err := made.Key()
		if err != nil {
			t.Fatal(err)
		}
		read, err := LoadIssuer("one", []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		if made.JWKS() != read.JWKS() || !strings.Contains(made.JWKS(), `"alg":"`+algorithm+`"`) || strings.Contains(made.JWKS(), `"d":`) {
			t.Errorf("%s: %s, and then %s", algorithm, made.JWKS(), read.JWKS())
		}
		token, err := read.Token(Claims{"iss": "https://login.example"})
		if err != nil || strings.Count(token, ".") != 2 {
			t.Errorf("%s: %s %v", algorithm, token, err)
		}
	}
}
