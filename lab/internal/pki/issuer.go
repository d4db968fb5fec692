package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
)

// Issuer signs tokens of end users. Its key is made when it is made.
type Issuer struct {
	key crypto.Signer
	kid string
}

// Claims are what a token says.
type Claims map[string]any

// NewIssuer has a key of its own: RSA, or ECDSA on P-256.
func NewIssuer(kid string, elliptical bool) (issuer *Issuer, err error) {
	var key crypto.Signer
	if elliptical {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	return &Issuer{key, kid}, err
}

// LoadIssuer reads what Key wrote.
func LoadIssuer(kid string, text []byte) (*Issuer, error) {
	key, err := parseKey(text)
	return &Issuer{key, kid}, err
}

// Key is the private key as PEM.
func (i *Issuer) Key() (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	return encode("PRIVATE KEY", der), err
}

// JWKS is the public key as the issuer publishes it.
func (i *Issuer) JWKS() string {
	key := map[string]string{"kid": i.kid, "use": "sig"}
	switch public := i.key.Public().(type) {
	case *rsa.PublicKey:
		key["kty"], key["alg"] = "RSA", "RS256"
		key["n"], key["e"] = encoded(public.N.Bytes()), encoded(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		key["kty"], key["crv"], key["alg"] = "EC", "P-256", "ES256"
		key["x"], key["y"] = encoded(public.X.FillBytes(make([]byte, 32))), encoded(public.Y.FillBytes(make([]byte, 32)))
	}
	text, _ := json.Marshal(map[string]any{"keys": []any{key}}) // of texts
	return string(text)
}

// Token says something and is signed.
func (i *Issuer) Token(claims Claims) (string, error) {
	algorithm := "ES256"
	if _, ok := i.key.(*rsa.PrivateKey); ok {
		algorithm = "RS256"
	}
	content := unsigned(map[string]string{"alg": algorithm, "typ": "JWT", "kid": i.kid}, claims)
	digest := sha256.Sum256([]byte(content))
	if key, ok := i.key.(*ecdsa.PrivateKey); ok {
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			return "", err
		}
		return content + "." + encoded(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)), nil
	}
	signature, err := i.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	return content + "." + encoded(signature), err
}

// Unsigned is a token that says it needs no signature. Some libraries have believed that.
func (i *Issuer) Unsigned(claims Claims) string {
	return unsigned(map[string]string{"alg": "none", "kid": i.kid}, claims) + "."
}

// WithPublicKey is a token that takes the issuer's public key for a secret that both sides share. Some libraries have believed that.
func (i *Issuer) WithPublicKey(claims Claims) (string, error) {
	content := unsigned(map[string]string{"alg": "HS256", "kid": i.kid}, claims)
	der, err := x509.MarshalPKIXPublicKey(i.key.Public())
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(content))
	return content + "." + encoded(mac.Sum(nil)), nil
}

func unsigned(header map[string]string, claims Claims) string {
	first, _ := json.Marshal(header) // of texts
	second, err := json.Marshal(claims)
	if err != nil {
		panic(err) // written in this repository
	}
	return encoded(first) + "." + encoded(second)
}

func encoded(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
