package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512" // of the longer curves
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
)

// Issuer signs end-user JWTs.
type Issuer struct {
	key crypto.Signer
	kid string
}

// Claims are the claims of a JWT.
type Claims map[string]any

// Algorithms are those with which an issuer can sign.
var Algorithms = []string{"RS256", "ES256", "ES384", "ES512", "EdDSA"}

var curves = map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}

// NewIssuer creates an issuer with a key for one of the algorithms.
func NewIssuer(kid, algorithm string) (issuer *Issuer, err error) {
	var key crypto.Signer
	switch {
	case curves[algorithm] != nil:
		key, err = ecdsa.GenerateKey(curves[algorithm], rand.Reader)
	case algorithm == "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
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

// JWKS is the key set that the issuer publishes: its public key, and other keys.
func (i *Issuer) JWKS(others ...*Issuer) string {
	var keys []map[string]string
	for _, one := range append([]*Issuer{i}, others...) {
		key := map[string]string{"kid": one.kid, "use": "sig", "alg": one.algorithm()}
		switch public := one.key.Public().(type) {
		case *rsa.PublicKey:
			key["kty"], key["n"], key["e"] = "RSA", encoded(public.N.Bytes()), encoded(big.NewInt(int64(public.E)).Bytes())
		case *ecdsa.PublicKey:
			key["kty"], key["crv"] = "EC", public.Params().Name
			key["x"], key["y"] = encoded(padded(public, public.X)), encoded(padded(public, public.Y))
		case ed25519.PublicKey:
			key["kty"], key["crv"], key["x"] = "OKP", "Ed25519", encoded(public)
		}
		keys = append(keys, key)
	}
	text, _ := json.Marshal(map[string]any{"keys": keys}) // of texts
	return string(text)
}

func (i *Issuer) algorithm() string {
	switch public := i.key.Public().(type) {
	case ed25519.PublicKey:
		return "EdDSA"
	case *ecdsa.PublicKey:
		for name, curve := range curves {
			if curve == public.Curve {
				return name
			}
		}
	}
	return "RS256"
}

// padded is a number in as many bytes as the curve has.
func padded(key *ecdsa.PublicKey, number *big.Int) []byte {
	return number.FillBytes(make([]byte, (key.Params().BitSize+7)/8))
}

// Token is a signed JWT with these claims.
func (i *Issuer) Token(claims Claims) (string, error) {
	content := unsigned(map[string]string{"alg": i.algorithm(), "typ": "JWT", "kid": i.kid}, claims)
	hash := map[string]crypto.Hash{"ES384": crypto.SHA384, "ES512": crypto.SHA512}[i.algorithm()]
	if hash == 0 {
		hash = crypto.SHA256
	}
	digest := hash.New()
	digest.Write([]byte(content))
	switch key := i.key.(type) {
	case ed25519.PrivateKey:
		return content + "." + encoded(ed25519.Sign(key, []byte(content))), nil
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest.Sum(nil))
		if err != nil {
			return "", err
		}
		return content + "." + encoded(append(padded(&key.PublicKey, r), padded(&key.PublicKey, s)...)), nil
	}
	signature, err := i.key.Sign(rand.Reader, digest.Sum(nil), hash)
	return content + "." + encoded(signature), err
}

// Unsigned is a JWT with the algorithm none, which some libraries have accepted.
func (i *Issuer) Unsigned(claims Claims) string {
	return unsigned(map[string]string{"alg": "none", "kid": i.kid}, claims) + "."
}

// WithPublicKey is a JWT that is signed with the issuer's public key as an HMAC secret, which some libraries have
// accepted.
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
