package nostr

import "strconv"

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string as NIP-01 asks for: quotation mark,
// backslash, and control characters are escaped (those without a short form as
// \u00xx, as every implementation does, since JSON allows nothing else), all
// else is verbatim.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		default:
			if c < 0x20 {
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			} else {
				b = append(b, c)
			}
		}
	}
	return append(b, '"')
}

func appendNumber(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

func appendTags(b []byte, tags []Tag) []byte {
	b = append(b, '[')
	for i, tag := range tags {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendStrings(b, tag)
	}
	return append(b, ']')
}

// AppendJSON writes the event as the JSON object that goes over the wire.
func (e *Event) AppendJSON(b []byte) []byte {
	b = appendString(append(b, `{"id":`...), e.ID)
	b = appendString(append(b, `,"pubkey":`...), e.PubKey)
	b = appendNumber(append(b, `,"created_at":`...), e.CreatedAt)
	b = appendNumber(append(b, `,"kind":`...), int64(e.Kind))
	b = appendTags(append(b, `,"tags":`...), e.Tags)
	b = appendString(append(b, `,"content":`...), e.Content)
	b = appendString(append(b, `,"sig":`...), e.Sig)
	return append(b, '}')
}
