package scopeapi

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/poolscope/poolscope/internal/files"
)

// TokenFile is where the token is kept, in the data folder.
const TokenFile = "scope-token"

// minToken is the fewest characters that a kept token may have: what is shorter
// was cut off, or can be guessed.
const minToken = 16

// LoadOrMakeToken returns the token that the data folder keeps, and makes one
// of 256 random bits, readable by the owner alone, when there is none. made
// tells that it is new, so that it can be shown. The folder belongs to one
// process.
func LoadOrMakeToken(dir string) (token string, made bool, err error) {
	name := filepath.Join(dir, TokenFile)
	text, err := os.ReadFile(name)
	switch {
	case err == nil:
		token = strings.TrimSpace(string(text))
		if len(token) < minToken {
			return "", false, fmt.Errorf("token in %s: fewer than %d characters; remove the file to have a new one made", name, minToken)
		}
		return token, false, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", false, fmt.Errorf("read token: %w", err)
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	token = base64.RawURLEncoding.EncodeToString(secret)
	if err := files.WriteDurably(name, []byte(token+"\n"), 0o600); err != nil {
		return "", false, fmt.Errorf("write token: %w", err)
	}
	return token, true, nil
}
