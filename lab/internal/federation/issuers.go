package federation

import (
	"os"
	"path/filepath"

	"github.com/cdk8s-mesh-federation/cdk8s-mesh-federation/lab/internal/pki"
)

// issuers sign end-user JWTs: the algorithm by the name of the file with their public keys.
var issuers = map[string]string{"login": "RS256", "staff": "ES256"}

// KeyServers is the CA of the servers from which istiod fetches issuers' keys.
const KeyServers = "key-servers"

// foundIssuers creates the issuers' keys, of which the programs read the public ones, and returns the root certificate
// of the key servers.
func (f *Federation) foundIssuers() (string, error) {
	for name, algorithm := range issuers {
		issuer, err := pki.NewIssuer(name+"-1", algorithm)
		if err != nil {
			return "", err
		}
		key, err := issuer.Key()
		if err != nil {
			return "", err
		}
		if err := f.keep(map[string]string{name + ".jwks": issuer.JWKS(), name + ".signing-key": key}); err != nil {
			return "", err
		}
	}
	authority, err := pki.New(KeyServers)
	if err != nil {
		return "", err
	}
	key, err := authority.Key()
	if err != nil {
		return "", err
	}
	return authority.PEM, f.keep(map[string]string{KeyServers + ".pem": authority.PEM, KeyServers + ".key": key})
}

// keep writes files beside the roots of the meshes.
func (f *Federation) keep(files map[string]string) error {
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(f.Trust(), name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Issuer by name.
func (f *Federation) Issuer(name string) (*pki.Issuer, error) {
	key, err := os.ReadFile(filepath.Join(f.Trust(), name+".signing-key"))
	if err != nil {
		return nil, err
	}
	return pki.LoadIssuer(name+"-1", key)
}
