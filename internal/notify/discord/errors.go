package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/poolscope/poolscope/internal/notify"
)

// Errors of a Channel, for the person whose channel it is.
var (
	errNotLinked    = errors.New("no Discord account is linked")
	errSwitchedOff  = errors.New("notifications at Discord are switched off")
	errNotConnected = errors.New("the bot is not connected to Discord")
	errToken        = errors.New("the bot's token is refused by Discord")
	errQuiet        = errors.New("the bot has just connected; it tells what waits in a few minutes")
	errBusy         = errors.New("many messages are waiting for Discord")
	errTurn         = errors.New("the message waited too long for its turn")
	errRateLimit    = errors.New("a pause is asked for by Discord")
	errUnreachable  = errors.New("no way to reach Discord")
	errOutgoing     = errors.New("the message may have arrived; it is sent again in a way that Discord recognizes")
)

// Pauses that errors ask for.
const (
	pauseOffline = 30 * time.Second
	pauseToken   = 10 * time.Minute
	pauseLimit   = time.Minute // when Discord does not say how long
)

// failure is what a REST call came to.
type failure struct {
	reason    string // one of the reasons of Status
	err       error  // for people: no token, no address
	permanent bool   // trying again cannot mend it
	unsure    bool   // the request may have had its effect
	after     time.Duration
}

// judge says what the error of a REST call means; nil for none.
func judge(err error) *failure {
	var limit *discordgo.RateLimitError
	var rest *discordgo.RESTError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &limit):
		after := pauseLimit
		if limit.RateLimit != nil && limit.TooManyRequests != nil {
			after = max(limit.RetryAfter, time.Second)
		}
		return &failure{reason: reasonRateLimit, err: errRateLimit, after: after}
	case errors.As(err, &rest) && rest.Response != nil:
		f := &failure{err: answered(rest)}
		switch code := rest.Response.StatusCode; {
		case code == http.StatusUnauthorized:
			f.reason, f.err, f.after = reasonToken, errToken, pauseToken
		case code == http.StatusForbidden:
			f.reason, f.permanent = reasonForbidden, true
		case code == http.StatusNotFound:
			f.reason, f.permanent = reasonNotFound, true
		case code == http.StatusRequestTimeout:
			f.reason, f.unsure = reasonServer, true
		case code >= 400 && code < 500:
			f.reason, f.permanent = reasonRefused, true
		default:
			f.reason, f.unsure = reasonServer, true
		}
		return f
	default:
		return &failure{reason: reasonUnreachable, err: errUnreachable, unsure: true}
	}
}

// answered is what Discord says of an error, for people.
func answered(e *discordgo.RESTError) error {
	if e.Message != nil && e.Message.Message != "" {
		return fmt.Errorf("answer %d of Discord: %s", e.Response.StatusCode, notify.Plain(e.Message.Message, 200))
	}
	return fmt.Errorf("answer %d of Discord", e.Response.StatusCode)
}

// asNotify is a failure in the outbox's words.
func (f *failure) asNotify() error {
	switch {
	case f.permanent:
		return notify.Permanent(f.err)
	case f.unsure:
		return notify.Unsure(fmt.Errorf("%w; %w", f.err, errOutgoing))
	case f.after > 0:
		return notify.Later(f.err, f.after)
	}
	return f.err
}

// brief is an error for the log: addresses are left out, since those of
// interactions hold a token.
func brief(err error) string {
	if err == nil {
		return ""
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	if errors.Is(err, context.Canceled) {
		return "canceled"
	}
	if f := judge(err); f != nil && f.reason != reasonUnreachable {
		return f.err.Error()
	}
	return err.Error()
}
