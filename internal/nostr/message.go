package nostr

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Labels of messages (NIP-01, NIP-42).
const (
	LabelEvent  = "EVENT"
	LabelReq    = "REQ"
	LabelClose  = "CLOSE"
	LabelOK     = "OK"
	LabelEOSE   = "EOSE"
	LabelClosed = "CLOSED"
	LabelNotice = "NOTICE"
	LabelAuth   = "AUTH"
)

// ErrMessage is the reason for refusing a message that is valid JSON.
var ErrMessage = errors.New("nostr: not a message that is known here")

// Message is what clients and relays say to each other. Which members count
// depends on the label, and for EVENT and AUTH on who speaks:
//
//	client  EVENT Event · REQ Subscription Filters · CLOSE Subscription · AUTH Event
//	relay   EVENT Subscription Event · OK ID Accepted Text · EOSE Subscription ·
//	        CLOSED Subscription Text · NOTICE Text · AUTH Text (the challenge)
type Message struct {
	Label        string
	Subscription string
	Event        *Event
	Filters      []Filter
	ID           string // of the event that an OK is about
	Accepted     bool
	Text         string
}

// ParseClientMessage reads what a client said to a relay. Events in it are not
// verified. When a text is refused the message has whatever of Label, ID and
// Subscription was understood, for the answer.
func ParseClientMessage(data []byte) (Message, error) {
	m, list, err := parseLabel(data)
	if err != nil {
		return m, err
	}
	switch {
	case (m.Label == LabelEvent || m.Label == LabelAuth) && len(list) == 2:
		m.Event, err = parseEvent(list[1])
		if err != nil {
			m.ID = claimedID(list[1])
		}
	case m.Label == LabelReq && len(list) >= 3:
		if m.Subscription, err = subscription(list[1]); err != nil {
			return m, err
		}
		if len(list)-2 > MaxFilters {
			return m, fmt.Errorf("nostr: more than %d filters", MaxFilters)
		}
		for _, raw := range list[2:] {
			f, err := parseFilter(raw)
			if err != nil {
				return m, err
			}
			m.Filters = append(m.Filters, f)
		}
	case m.Label == LabelClose && len(list) == 2:
		m.Subscription, err = subscription(list[1])
	default:
		err = ErrMessage
	}
	return m, err
}

// ParseRelayMessage reads what a relay said to a client. Events in it are not
// verified.
func ParseRelayMessage(data []byte) (Message, error) {
	m, list, err := parseLabel(data)
	if err != nil {
		return m, err
	}
	switch {
	case m.Label == LabelEvent && len(list) == 3:
		if m.Subscription, err = subscription(list[1]); err == nil {
			m.Event, err = parseEvent(list[2])
		}
	case m.Label == LabelOK && len(list) >= 3 && len(list) <= 4:
		if m.ID, err = text(list[1]); err != nil || !isHex(m.ID, 64) {
			return m, ErrMessage
		}
		if err := json.Unmarshal(list[2], &m.Accepted); err != nil || first(list[2]) == 'n' {
			return m, ErrMessage
		}
		if len(list) == 4 {
			m.Text, err = text(list[3])
		}
	case m.Label == LabelEOSE && len(list) == 2:
		m.Subscription, err = subscription(list[1])
	case m.Label == LabelClosed && len(list) == 3:
		if m.Subscription, err = subscription(list[1]); err == nil {
			m.Text, err = text(list[2])
		}
	case (m.Label == LabelNotice || m.Label == LabelAuth) && len(list) == 2:
		m.Text, err = text(list[1])
	default:
		err = ErrMessage
	}
	return m, err
}

func parseLabel(data []byte) (m Message, list []json.RawMessage, err error) {
	if err := bounded(data); err != nil {
		return m, nil, err
	}
	list, err = elements(data, MaxMessageBytes) // a REQ of too many filters is answered by its name
	if err != nil || len(list) == 0 {
		return m, nil, ErrMessage
	}
	if m.Label, err = text(list[0]); err != nil {
		return m, nil, ErrMessage
	}
	return m, list, nil
}

func subscription(raw []byte) (string, error) {
	s, err := text(raw)
	if n := utf8.RuneCountInString(s); err != nil || n == 0 || n > MaxSubscriptionID {
		return "", fmt.Errorf("nostr: a subscription id has 1 to %d characters", MaxSubscriptionID)
	}
	return s, nil
}

// claimedID is the id inside of an event that could not be read, "" without.
func claimedID(raw []byte) string {
	all, err := members(raw)
	if err != nil {
		return ""
	}
	id, err := hexMember(all, "id", 64)
	if err != nil {
		return ""
	}
	return id
}

// Encode writes the message as JSON. An EVENT with a subscription and an AUTH
// without an event are a relay's.
func (m *Message) Encode() []byte {
	b := appendString(append(make([]byte, 0, 512), '['), m.Label)
	value := func(s string) { b = appendString(append(b, ','), s) }
	switch m.Label {
	case LabelEvent, LabelAuth:
		if m.Subscription != "" {
			value(m.Subscription)
		}
		if m.Event != nil {
			b = m.Event.AppendJSON(append(b, ','))
		} else {
			value(m.Text)
		}
	case LabelReq:
		value(m.Subscription)
		for i := range m.Filters {
			b = m.Filters[i].AppendJSON(append(b, ','))
		}
	case LabelOK:
		value(m.ID)
		if m.Accepted {
			b = append(b, ",true"...)
		} else {
			b = append(b, ",false"...)
		}
		value(m.Text)
	case LabelClosed:
		value(m.Subscription)
		value(m.Text)
	case LabelNotice:
		value(m.Text)
	default: // CLOSE, EOSE
		value(m.Subscription)
	}
	return append(b, ']')
}
