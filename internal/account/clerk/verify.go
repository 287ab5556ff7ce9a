package clerk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ClockSkew is how far this machine's clock and the provider's may differ.
const ClockSkew = time.Minute

// maxToken is more than a cookie can hold.
const maxToken = 8 << 10

// ErrInvalid says that a token is not one of the provider's for us, or no
// longer. What it wraps is for the log, and never repeats the token.
var ErrInvalid = errors.New("invalid token")

// Token is what a verified session token says.
type Token struct {
	Subject   string // of the person: claim sub
	SessionID string // claim sid, "" in tokens made from a template without it
	Issued    time.Time
	Expires   time.Time
	// Proven is when the person last gave the first factor: claim fva, whose
	// first number is its age in minutes. Zero when not told.
	Proven time.Time

	Name, Email   string // of claims that the operator added; often ""
	EmailVerified bool

	digest string // of what is signed
}

// claims are those of Clerk's session tokens, version 1 and 2.
type claims struct {
	jwt.RegisteredClaims
	AuthorizedParty string    `json:"azp"`
	SessionID       string    `json:"sid"`
	SessionStatus   string    `json:"sts"`
	FactorAge       []float64 `json:"fva"`
	Name            string    `json:"name"`
	Email           string    `json:"email"`
	EmailVerified   any       `json:"email_verified"` // templates write it as a text, too
}

// Verify checks a session token: signature, issuer, audience, authorized party,
// times. It waits some seconds for the provider when the token's key is not
// known and may be new. Errors are ErrInvalid or ErrUnavailable.
func (c *Clerk) Verify(ctx context.Context, token string) (Token, error) {
	before, unanswered := c.keys.known.Load(), false
	t, err := c.verify(token)
	if errors.Is(err, errUnknownKey) || errors.Is(err, ErrUnavailable) {
		unanswered = c.keys.wait(ctx)
		if c.keys.known.Load() != before {
			unanswered = false
			t, err = c.verify(token)
		}
	}
	switch {
	case err == nil:
		return t, nil
	case errors.Is(err, ErrUnavailable), unanswered: // the key may be one that the provider made meanwhile
		return Token{}, ErrUnavailable
	default:
		return Token{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
}

// verify checks a token with the keys at hand.
func (c *Clerk) verify(token string) (Token, error) {
	if len(token) > maxToken {
		return Token{}, errors.New("the token is too long")
	}
	if strings.ContainsFunc(token, isForeign) {
		return Token{}, errors.New("not a token") // Go's base64 skips line ends: one token would have many spellings
	}
	var said claims
	parsed, err := c.parser.ParseWithClaims(token, &said, c.keyFor)
	switch {
	case errors.Is(err, ErrUnavailable), errors.Is(err, errUnknownKey):
		return Token{}, err
	case err != nil:
		return Token{}, reason(err)
	case !parsed.Valid:
		return Token{}, errors.New("the signature is not valid")
	}
	if err := c.check(&said); err != nil {
		return Token{}, err
	}
	t := Token{
		Subject: said.Subject, SessionID: said.SessionID, Expires: said.ExpiresAt.Time,
		Name: said.Name, Email: said.Email, EmailVerified: said.EmailVerified == true || said.EmailVerified == "true",
	}
	// Without the signature, of which there can be several good ones.
	digest := sha256.Sum256([]byte(token[:strings.LastIndexByte(token, '.')]))
	t.digest = hex.EncodeToString(digest[:])
	if said.IssuedAt != nil {
		t.Issued = said.IssuedAt.Time
	}
	if len(said.FactorAge) > 0 && said.FactorAge[0] >= 0 && said.FactorAge[0] < 1e6 && !t.Issued.IsZero() {
		// Minutes are rounded down: of an age of 0 to 59 s, the whole is taken.
		t.Proven = t.Issued.Add(-time.Duration((said.FactorAge[0] + 1) * float64(time.Minute)))
	}
	if c.revoked.has(revocationKey(t), c.now()) {
		return Token{}, errors.New("the session was revoked")
	}
	return t, nil
}

// check looks at the claims that the library leaves to us.
func (c *Clerk) check(said *claims) error {
	switch {
	case said.Subject == "" || len(said.Subject) > 255 || strings.ContainsFunc(said.Subject, isControl):
		return errors.New("the token names nobody (sub)")
	case len(said.SessionID) > 255:
		return errors.New("the session's name (sid) is too long")
	case said.SessionStatus == "pending":
		return errors.New("the session is pending (sts)")
	case len(c.config.AuthorizedParties) > 0 && !slices.Contains(c.config.AuthorizedParties, said.AuthorizedParty):
		return errors.New("the token was made for another site (azp)")
	case said.ExpiresAt.After(c.now().Add(maxTokenLife)):
		return errors.New("the token is good for too long (exp)")
	}
	return nil
}

// maxTokenLife bounds what can be made of one stolen token. Clerk's own live
// for a minute, and those of templates for up to ten years.
const maxTokenLife = 30 * 24 * time.Hour

// isForeign reports whether r cannot be in a token (RFC 7515 section 2, 7.1).
func isForeign(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_' && r != '.'
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// keyFor finds the key that a token must be signed with. Nothing but the
// key's name is taken from the header: keys and addresses of keys in it (jwk,
// jku, x5c, x5u) are not looked at.
func (c *Clerk) keyFor(t *jwt.Token) (any, error) {
	if _, critical := t.Header["crit"]; critical {
		return nil, errors.New("the header has critical extensions, none of which is known") // RFC 7515 section 4.1.11
	}
	if kind, ok := t.Header["typ"].(string); ok && !strings.EqualFold(kind, "JWT") {
		return nil, errors.New("the token is of another kind (typ)")
	}
	id, ok := t.Header["kid"].(string)
	if !ok || id == "" {
		return nil, errors.New("the header names no key (kid)")
	}
	k, err := c.keys.find(id)
	if err != nil {
		return nil, err
	}
	if t.Method != k.method {
		return nil, errors.New("the key is for another algorithm")
	}
	return k.public, nil
}

// reasons are the library's errors in words that hold nothing of the token.
var reasons = []struct {
	err  error
	text string
}{
	{jwt.ErrTokenExpired, "the token has expired (exp)"},
	{jwt.ErrTokenNotValidYet, "the token is not valid yet (nbf)"},
	{jwt.ErrTokenUsedBeforeIssued, "the token is from the future (iat)"},
	{jwt.ErrTokenRequiredClaimMissing, "a claim is missing"},
	{jwt.ErrTokenInvalidIssuer, "the token is another issuer's (iss)"},
	{jwt.ErrTokenInvalidAudience, "the token is for another audience (aud)"},
	{jwt.ErrTokenSignatureInvalid, "the signature is not valid"},
	{jwt.ErrTokenUnverifiable, "the header names no key or algorithm of ours"},
	{jwt.ErrTokenMalformed, "not a token"},
}

func reason(err error) error {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return errors.New(r.text)
		}
	}
	return errors.New("not a token")
}
