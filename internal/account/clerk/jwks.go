package clerk

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"fmt"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// Limits of a key set. Providers have two or three keys.
const (
	maxKeys    = 32
	minRSABits = 2048
	maxRSABits = 8192 // what a signature costs to check grows with the square
)

// key is one of the provider's public keys and the only algorithm that it is
// good for: the token's header has no say in that.
type key struct {
	public crypto.PublicKey
	method jwt.SigningMethod
}

// parseKeys reads a key set. Keys that are not for RS256 or ES256 signatures,
// such as symmetric ones, and those without a name are left out; a set without
// any that is left is an error.
func parseKeys(document []byte) (map[string]key, error) {
	var set struct {
		Keys []jwkset.JWKMarshal `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, fmt.Errorf("not a key set: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("%d keys are more than %d", len(set.Keys), maxKeys)
	}
	keys := make(map[string]key)
	for i := range set.Keys {
		k, ok := usable(&set.Keys[i])
		if !ok {
			continue
		}
		id := set.Keys[i].KID
		if _, twice := keys[id]; twice {
			return nil, fmt.Errorf("two keys are named %q", id)
		}
		keys[id] = k
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("none of %d keys is for RS256 or ES256", len(set.Keys))
	}
	return keys, nil
}

// usable makes a key of its JSON form. Only the numbers are taken: certificates
// and addresses of certificates in the set are not looked at.
func usable(m *jwkset.JWKMarshal) (key, bool) {
	if m.KID == "" || m.USE != "" && m.USE != jwkset.UseSig {
		return key{}, false
	}
	bare := jwkset.JWKMarshal{KTY: m.KTY, CRV: m.CRV, X: m.X, Y: m.Y, N: m.N, E: m.E}
	var method jwt.SigningMethod
	switch m.KTY {
	case jwkset.KtyRSA:
		method = jwt.SigningMethodRS256
	case jwkset.KtyEC:
		method = jwt.SigningMethodES256
	default:
		return key{}, false
	}
	if m.ALG != "" && m.ALG.String() != method.Alg() {
		return key{}, false
	}
	parsed, err := jwkset.NewJWKFromMarshal(bare, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return key{}, false
	}
	switch public := parsed.Key().(type) {
	case *rsa.PublicKey:
		bits := public.N.BitLen()
		return key{public, method}, bits >= minRSABits && bits <= maxRSABits && public.E >= 3 && public.E%2 == 1
	case *ecdsa.PublicKey:
		return key{public, method}, public.Curve == elliptic.P256()
	default:
		return key{}, false
	}
}
