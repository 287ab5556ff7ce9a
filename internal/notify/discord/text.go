package discord

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/notify"
)

// Bounds of a message.
const (
	maxContent = 2000 // UTF-16 code units; Discord's limit for the content
	maxLine    = 300  // bytes of a line before escaping
	// oldAfter is the age from which on a message says when it happened.
	oldAfter = 5 * time.Minute
)

// markdown are the characters that Discord gives a meaning in the middle of a
// line: emphasis, code, spoilers, links, mentions and times.
const markdown = "\\*_~`|<>[]()"

// zeroWidth is a space that is not seen.
const zeroWidth = "\u200b"

// escape makes a text that others chose show as it is: no formatting, no
// mentions, no links.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(markdown, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	// http://… is a link, and @everyone a mention, whatever is escaped.
	return strings.NewReplacer("://", "\\:\\/\\/", "@", "@"+zeroWidth).Replace(b.String())
}

// address is what a payout address looks like: Bech32 (BIP 173, of any case) or
// Base58Check, of every network.
var address = regexp.MustCompile(`(?i:\b(?:bc1|tb1|bcrt1)[02-9ac-hj-np-z]{11,87}\b)|\b[123mn][1-9A-HJ-NP-Za-km-z]{25,34}\b`)

// censor shortens payout addresses: everybody in the server reads the channel.
func censor(s string) string {
	return address.ReplaceAllStringFunc(s, func(a string) string { return a[:8] + "..." + a[len(a)-8:] })
}

// length is the length of a text as Discord counts it, or more.
func length(s string) int { return len(utf16.Encode([]rune(s))) }

// compose writes what a message says, after who is meant by it: "" for nobody,
// or a mention. Lines that do not fit are counted in a last one.
func compose(mention string, m notify.Message, now time.Time) string {
	when := ""
	if age := now.Sub(m.At); !m.At.IsZero() && age > oldAfter {
		when = fmt.Sprintf(" · <t:%d:R>", m.At.Unix())
	}
	if len(m.Lines) == 1 {
		return strings.TrimSpace(mention + " " + escape(notify.Plain(censor(m.Lines[0]), maxLine)) + when)
	}

	var b strings.Builder
	b.WriteString(strings.TrimSpace(mention + " **" + escape(notify.Plain(m.Title, maxLine)) + "**"))
	b.WriteString(when)
	const room = len("\n… and 999999 more")
	left := maxContent - length(b.String())
	for i, line := range m.Lines {
		line = "\n• " + escape(notify.Plain(censor(line), maxLine))
		need := length(line)
		if need > left || need+room > left && i+1 < len(m.Lines) {
			fmt.Fprintf(&b, "\n… and %d more", len(m.Lines)-i)
			break
		}
		left -= need
		b.WriteString(line)
	}
	return b.String()
}

// isUrgent reports whether a message is told at once: of blocks, and tests.
func isUrgent(m *notify.Message) bool {
	for _, e := range m.Events {
		switch e.Kind {
		case alert.Test, alert.BlockFound, alert.BlockConfirmed, alert.BlockStale:
			return true
		}
	}
	return false
}

// hasFoundBlock reports whether a message tells of a found block.
func hasFoundBlock(m *notify.Message) bool {
	for _, e := range m.Events {
		if e.Kind == alert.BlockFound {
			return true
		}
	}
	return false
}
