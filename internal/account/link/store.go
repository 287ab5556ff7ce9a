package link

import (
	"context"
	"time"
)

// Link ties an account to one at Discord.
type Link struct {
	UserID      string // ours
	DiscordID   string // a decimal number of up to 20 digits ("snowflake")
	DiscordName string // user name at Discord when it was linked; for people only
	Enabled     bool   // the person wants notifications there
	Linked      time.Time
	Updated     time.Time
}

// Redeemed is what became of a code that was right.
type Redeemed struct {
	UserID string // whose code it was
	// MovedFrom is another account that the Discord account was linked to until
	// then, "" when there was none.
	MovedFrom string
	// Replaced is another Discord account that the person was linked to until
	// then, "" when there was none.
	Replaced string
}

// Store keeps codes and links. *store.SQLite is one. Each method is one
// transaction. Links and codes of an account that is removed go with it.
type Store interface {
	// LinkTag returns the tag of this installation. The first call keeps the one
	// that is proposed.
	LinkTag(ctx context.Context, proposed string) (tag string, err error)
	// SaveLinkCode replaces the code of an account, and forgets all that expired
	// by now. ErrNoAccount when there is no such account.
	SaveLinkCode(ctx context.Context, userID string, hash []byte, now, expires time.Time) error
	// ClearLinkCode removes the code of an account if it is this one and has not
	// expired.
	ClearLinkCode(ctx context.Context, userID string, hash []byte, now time.Time) (cleared bool, err error)
	// RedeemLinkCode removes a code and makes or moves the link. ok is false, and
	// nothing is changed, when there is no such code, it has expired, or its
	// account may not sign in.
	RedeemLinkCode(ctx context.Context, hash []byte, discordID, discordName string, now time.Time) (r Redeemed, ok bool, err error)
	// DiscordLink returns the link of an account.
	DiscordLink(ctx context.Context, userID string) (l Link, ok bool, err error)
	// DiscordLinkOf returns the link of a Discord account.
	DiscordLinkOf(ctx context.Context, discordID string) (l Link, ok bool, err error)
	// EnableDiscord switches a link's notifications; ok is false without a link.
	EnableDiscord(ctx context.Context, userID string, enabled bool, now time.Time) (ok bool, err error)
	// Unlink removes the link of an account; ok is false without one.
	Unlink(ctx context.Context, userID string) (ok bool, err error)
}
