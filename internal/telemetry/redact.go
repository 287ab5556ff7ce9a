package telemetry

import (
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"strings"
)

// redacted stands in a line for what must not be there.
const redacted = "[redacted]"

// shortestSecret is the length from which on a secret is looked for everywhere:
// a shorter one would be found inside of ordinary words.
const shortestSecret = 6

// Secrets that are known by their shape: user and password in front of a URL's
// host, and Bitcoin Core's cookie.
var (
	userInURL  = regexp.MustCompile(`(://)[^\s/?#]+@`)
	nodeCookie = regexp.MustCompile(`(__cookie__:)\w+`)
)

// redactor takes secrets out of values. Errors of other programs and libraries
// may repeat what they were given.
type redactor struct{ known *strings.Replacer }

// newRedactor makes a redactor for the shapes above and some known secrets.
func newRedactor(secrets []string) *redactor {
	var pairs []string
	for _, s := range secrets {
		if len(s) >= shortestSecret {
			pairs = append(pairs, s, redacted)
		}
	}
	return &redactor{strings.NewReplacer(pairs...)}
}

// attr redacts the value of an attribute.
func (r *redactor) attr(a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(r.text(a.Value.String()))
	case slog.KindAny:
		before, named := anyText(a.Value.Any())
		if after := r.text(before); named || after != before {
			a.Value = slog.StringValue(after)
		}
	default: // numbers, times and groups, whose members come one by one
	}
	return a
}

// anyText is a value as text; named says that it is a constant with a name,
// which JSON would show as a number.
func anyText(value any) (text string, named bool) {
	if _, ok := value.(fmt.Stringer); ok {
		kind := reflect.TypeOf(value).Kind()
		named = kind >= reflect.Int && kind <= reflect.Uint64
	}
	return fmt.Sprintf("%+v", value), named // a nil pointer's method that fails is caught
}

func (r *redactor) text(s string) string {
	s = r.known.Replace(s)
	if strings.Contains(s, "://") {
		s = userInURL.ReplaceAllString(s, "${1}"+redacted+"@")
	}
	if strings.Contains(s, "__cookie__") {
		s = nodeCookie.ReplaceAllString(s, "${1}"+redacted)
	}
	return s
}
