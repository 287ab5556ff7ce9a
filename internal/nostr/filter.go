package nostr

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ErrUnsupported is the reason for refusing a filter with a member that is not
// known here: to leave it out would answer with events that were not asked for.
var ErrUnsupported = errors.New("is not known here")

// Filter says which events a subscription is about (NIP-01): those that fit
// every member that is given. A list that is nil is not given; one that is
// empty fits nothing.
type Filter struct {
	IDs     []string
	Authors []string // public keys, 64 hexadecimal digits
	Kinds   []int
	Tags    map[string][]string // one-letter name of a tag, without "#", to values
	Since   *int64              // seconds since 1970, included
	Until   *int64              // seconds since 1970, included
	Limit   *int                // of what is stored, the newest so many; says nothing about live events
}

// Matches says whether an event fits. Limit is not looked at.
func (f *Filter) Matches(e *Event) bool {
	if f.IDs != nil && !slices.Contains(f.IDs, e.ID) ||
		f.Authors != nil && !slices.Contains(f.Authors, e.PubKey) ||
		f.Kinds != nil && !slices.Contains(f.Kinds, e.Kind) ||
		f.Since != nil && e.CreatedAt < *f.Since ||
		f.Until != nil && e.CreatedAt > *f.Until {
		return false
	}
	for name, values := range f.Tags {
		if !slices.ContainsFunc(e.Tags, func(t Tag) bool {
			return len(t) >= 2 && t[0] == name && slices.Contains(values, t[1])
		}) {
			return false
		}
	}
	return true
}

// Values is how many values the filter's lists hold together.
func (f *Filter) Values() int {
	n := len(f.IDs) + len(f.Authors) + len(f.Kinds)
	for _, values := range f.Tags {
		n += len(values)
	}
	return n
}

// AppendJSON writes the filter as it stands in a REQ.
func (f *Filter) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	member := func(name string) {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(appendString(b, name), ':')
	}
	if f.IDs != nil {
		member("ids")
		b = appendStrings(b, f.IDs)
	}
	if f.Authors != nil {
		member("authors")
		b = appendStrings(b, f.Authors)
	}
	if f.Kinds != nil {
		member("kinds")
		b = append(b, '[')
		for i, k := range f.Kinds {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendNumber(b, int64(k))
		}
		b = append(b, ']')
	}
	for _, name := range slices.Sorted(maps.Keys(f.Tags)) {
		member("#" + name)
		b = appendStrings(b, f.Tags[name])
	}
	if f.Since != nil {
		member("since")
		b = appendNumber(b, *f.Since)
	}
	if f.Until != nil {
		member("until")
		b = appendNumber(b, *f.Until)
	}
	if f.Limit != nil {
		member("limit")
		b = appendNumber(b, int64(*f.Limit))
	}
	return append(b, '}')
}

// parseFilter reads a filter. A member that is not known is an error that wraps
// ErrUnsupported.
func parseFilter(data []byte) (Filter, error) {
	var f Filter
	all, err := members(data)
	if err != nil {
		return f, err
	}
	for name, raw := range all {
		switch {
		case name == "ids":
			f.IDs, err = hexTexts(raw)
		case name == "authors":
			f.Authors, err = hexTexts(raw)
		case name == "kinds":
			f.Kinds, err = parseKinds(raw)
		case name == "since":
			f.Since, err = parseNumber(raw)
		case name == "until":
			f.Until, err = parseNumber(raw)
		case name == "limit":
			var n *int64
			if n, err = parseNumber(raw); err == nil {
				limit := int(min(*n, 1<<30))
				f.Limit = &limit
			}
		case len(name) == 2 && name[0] == '#' && isLetter(name[1]):
			if f.Tags == nil {
				f.Tags = map[string][]string{}
			}
			f.Tags[name[1:]], err = texts(raw, MaxFilterValues)
		default:
			err = ErrUnsupported
		}
		if err != nil {
			return Filter{}, fmt.Errorf("nostr: filter member %.16q: %w", name, err)
		}
	}
	return f, nil
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func parseNumber(raw []byte) (*int64, error) {
	n, err := number(raw)
	if err != nil {
		return nil, err
	}
	return &n, nil
}

func parseKinds(raw []byte) ([]int, error) {
	list, err := elements(raw, MaxFilterValues)
	if err != nil {
		return nil, err
	}
	kinds := make([]int, len(list))
	for i, one := range list {
		n, err := number(one)
		if err != nil || n > 65535 {
			return nil, ErrKind
		}
		kinds[i] = int(n)
	}
	return kinds, nil
}

func hexTexts(raw []byte) ([]string, error) {
	list, err := texts(raw, MaxFilterValues)
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		if !isHex(s, 64) {
			return nil, fmt.Errorf("not 64 lower-case hexadecimal digits")
		}
	}
	return list, nil
}
