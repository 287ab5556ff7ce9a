package top

// style is the beginning of a stretch of text's looks, as an SGR sequence
// (ECMA-48 section 8.3.117); "" is plain. Only the sixteen colours of the
// terminal's own theme are used, which are made to be read on its background.
type style string

const (
	plain    style = ""
	bold     style = "\x1b[1m"
	faint    style = "\x1b[2m"
	reverse  style = "\x1b[7m"
	good     style = "\x1b[32m"
	warn     style = "\x1b[33m"
	bad      style = "\x1b[31m"
	gold     style = "\x1b[1;33m"
	accent   style = "\x1b[36m"
	heading  style = "\x1b[1;36m"
	endStyle       = "\x1b[m"
)

// ink puts styles on text, or leaves them out.
type ink struct {
	plain bool // no styles at all: nothing but text comes out
}

func (k ink) paint(s style, t string) string {
	if k.plain || s == plain || t == "" {
		return t
	}
	return string(s) + t + endStyle
}

// toneOf is how a state of any kind looks.
func toneOf(word string) style {
	switch word {
	case "mining", "ready", "live", "winning", "online":
		return good
	case "waiting_for_node", "paused", "turning_away", "connecting", "warming_up", "syncing", "no_peers", "warning":
		return warn
	case "unreachable", "unauthorized", "wrong_network", "refused", "critical", "stale":
		return bad
	case "block_found":
		return gold
	}
	return plain
}
