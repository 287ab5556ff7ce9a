package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Kinds of keys in a Form.
const (
	KindText     = "string"
	KindNumber   = "number"
	KindInteger  = "integer"
	KindBool     = "bool"
	KindDuration = "duration" // a text such as "15m"
	KindList     = "list"     // of texts
	KindChoice   = "choice"   // one of Choices
	KindSecret   = "secret"   // a text that is written, never shown
)

// FormSection is a section of the configuration as a form has it.
type FormSection struct {
	Name     string // "http"; "" for the keys before all sections
	Doc      string
	Repeated bool

	Keys    []FormKey   // of a section; of a repeated one those that another entry would have
	Entries [][]FormKey // of a repeated section
}

// FormKey is one key. Its values are texts, numbers, booleans or lists of texts as
// encoding/json has them; durations are texts. Those of secrets are always nil.
type FormKey struct {
	Key  string // "node.2.url"; with * in the place of a number that is not known yet
	Name string
	Doc  string
	Kind string
	Unit string // "" for none

	Choices  []any    // of KindChoice, of numbers and texts
	Min, Max *float64 // limits that are known; the check knows more

	Default any
	Value   any  // in force; nil when the section is not
	File    any  // in the file; nil when the file does not have it
	InFile  bool // the file has it
	Set     bool // of a secret: there is one in force

	Origin    Origin // of the value in force
	Live      bool   // a change is put in force at once
	Dangerous bool   // a mistake keeps miners, operators or money away
}

// Form describes every key: what is in force, and what the file says, see
// ReadValues.
func Form(inForce, file *Config) []FormSection {
	f := former{inForce: inForce, file: file}
	return f.table("", reflect.TypeFor[Config](), reflect.ValueOf(Default()).Elem(), reflect.ValueOf(inForce).Elem(), reflect.ValueOf(file).Elem())
}

type former struct{ inForce, file *Config }

// table lists the section of a struct and those within.
func (f *former) table(path string, t reflect.Type, standard, now, file reflect.Value) []FormSection {
	own := FormSection{Name: path, Doc: oneLine(Doc(path))}
	var within []FormSection
	for i := range t.NumField() {
		field := t.Field(i)
		name := field.Tag.Get("toml")
		if name == "" {
			continue
		}
		key := joinKey(path, name)
		switch {
		case isTable(field.Type):
			within = append(within, f.table(key, field.Type, standard.Field(i), now.Field(i), file.Field(i))...)
		case isTables(field.Type):
			within = append(within, f.tables(key, field.Type.Elem(), now.Field(i), file.Field(i)))
		default:
			own.Keys = append(own.Keys, f.key(key, field, standard.Field(i), now.Field(i), file.Field(i)))
		}
	}
	return append([]FormSection{own}, within...)
}

// tables lists a repeated section. Its keys have no defaults but zero. Tables
// within repeated ones are none of the configuration's.
func (f *former) tables(path string, t reflect.Type, now, file reflect.Value) FormSection {
	section := FormSection{Name: path, Doc: oneLine(Doc(path)), Repeated: true, Entries: [][]FormKey{}}
	inFile := 0
	for n := range file.Len() {
		if f.file.hasSection(joinKey(path, strconv.Itoa(n+1))) {
			inFile = n + 1
		}
	}
	keys := func(number string, now, file reflect.Value) (list []FormKey) {
		zero := reflect.Zero(t)
		for i := range t.NumField() {
			if field := t.Field(i); field.Tag.Get("toml") != "" {
				list = append(list, f.key(path+"."+number+"."+field.Tag.Get("toml"), field, zero.Field(i), now.Field(i), file.Field(i)))
			}
		}
		return list
	}
	zero := reflect.New(t).Elem()
	section.Keys = keys("*", zero, zero)
	for n := range max(inFile, now.Len()) {
		here, there := zero, zero
		if n < now.Len() {
			here = now.Index(n)
		}
		if n < inFile {
			there = file.Index(n)
		}
		entry := keys(strconv.Itoa(n+1), here, there)
		if n >= now.Len() {
			for i := range entry {
				entry[i].Value, entry[i].Set = nil, false
			}
		}
		section.Entries = append(section.Entries, entry)
	}
	return section
}

// hasSection says whether a file that was read has an entry of a repeated section.
func (c *Config) hasSection(path string) bool {
	if _, ok := c.sections[path]; ok {
		return true
	}
	for key := range c.origins {
		if strings.HasPrefix(key, path+".") {
			return true
		}
	}
	return false
}

func (f *former) key(key string, field reflect.StructField, standard, now, file reflect.Value) FormKey {
	plain := withoutNumbers(strings.ReplaceAll(key, ".*.", "."))
	k := FormKey{
		Key: key, Name: field.Tag.Get("toml"), Doc: oneLine(Doc(plain)), Kind: kindOf(field.Type), Unit: unitOf(plain, field.Type),
		InFile: f.file.OriginOf(key).Kind == "file", Origin: f.inForce.OriginOf(key), Live: field.Tag.Get("reload") == "live", Dangerous: isDangerous(plain),
	}
	if list, ok := choices[plain]; ok {
		k.Kind, k.Choices = KindChoice, list
	}
	if l, ok := limits[plain]; ok {
		k.Min, k.Max = l.least(), l.most()
	}
	if secret, ok := now.Interface().(Secret); ok {
		k.Set = secret.IsSet()
		return k
	}
	if plain == feedKey && (mayHoldKey(now.String()) || mayHoldKey(file.String())) {
		k.Kind, k.Set = KindSecret, true
		return k
	}
	k.Default, k.Value = formValue(standard), formValue(now)
	if k.InFile {
		k.File = formValue(file)
	}
	return k
}

// feedKey is the price feed's URL. Many feeds want an access key in its query.
const feedKey = "price.feed"

func mayHoldKey(feed string) bool { return strings.Contains(feed, "?") }

func kindOf(t reflect.Type) string {
	switch {
	case t == secretType:
		return KindSecret
	case t == reflect.TypeFor[time.Duration]():
		return KindDuration
	case t == reflect.TypeFor[[]string]():
		return KindList
	}
	switch t.Kind() {
	case reflect.Bool:
		return KindBool
	case reflect.Int:
		return KindInteger
	case reflect.Float64:
		return KindNumber
	default:
		return KindText
	}
}

// formValue is a value as JSON has it.
func formValue(v reflect.Value) any {
	switch value := v.Interface().(type) {
	case time.Duration:
		return shortDuration(value)
	case []string:
		return append([]string{}, value...)
	default:
		return value
	}
}

// unitOf is the unit that the name of a key tells.
func unitOf(key string, t reflect.Type) string {
	if t.Kind() != reflect.Int && t.Kind() != reflect.Float64 {
		return ""
	}
	name := key[strings.LastIndexByte(key, '.')+1:]
	switch {
	case strings.HasSuffix(name, "megabytes"):
		return "MB"
	case strings.HasSuffix(name, "percent"):
		return "%"
	case name == "shares_per_minute":
		return "/min"
	case name == "connects_per_second":
		return "/s"
	case name == "failover_after":
		return "s"
	case name == "max_size", name == "capture_max_line":
		return "bytes"
	}
	return ""
}

// dangerous are the keys, or the beginnings of keys, whose values can keep miners,
// operators or money away.
var dangerous = []string{
	"data_dir", "http.listen", "http.tls_listen", "http.token", "http.trusted_proxies", "auth.registration", "auth.operators", "auth.clerk_issuer_url",
	"auth.clerk_jwks_url", "auth.clerk_authorized_parties", "oidc.issuer", "oidc.client", "oidc.allowed_domains", "stratum.listen", "stratum.tls_listen",
	"listener.listen", "node.", "network.", "payout.", "store.path", "backup.key", "scope.keep_passwords",
}

func isDangerous(key string) bool {
	return slices.ContainsFunc(dangerous, func(begin string) bool { return strings.HasPrefix(key, begin) })
}

// choices are the keys that have one of a few values.
var choices = map[string][]any{
	"auth.registration": {RegistrationClosed, RegistrationOpen},
	"alerts.smtp_tls":   {"starttls", "tls", "none"},
	"oidc.logout":       {"", LogoutLocal, LogoutProvider},
	"network.chain":     {"", "main", "test", "testnet4", "signet", "regtest"},
	"scope.send_proxy":  {0, 1, 2},
	"scope.reconnect":   {"hold", "pass"},
	"log.level":         {"debug", "info", "warn", "error"},
	"log.format":        {"text", "json"},
}

// limit is a least and a most value; infinities where there is none.
type limit struct{ min, max float64 }

func (l limit) least() *float64 { return known(l.min) }
func (l limit) most() *float64  { return known(l.max) }

func known(f float64) *float64 {
	if math.IsInf(f, 0) {
		return nil
	}
	return &f
}

// limits are those that hold for a key whatever the others say.
var limits = map[string]limit{
	"stratum.failover_after":              {0, math.Inf(1)},
	"stratum.max_connections":             {1, math.Inf(1)},
	"stratum.max_connections_per_address": {0, math.Inf(1)},
	"listener.difficulty_start":           {0, math.Inf(1)},
	"listener.difficulty_min":             {0, math.Inf(1)},
	"listener.difficulty_max":             {0, math.Inf(1)},
	"listener.max_connections":            {0, math.Inf(1)},
	"difficulty.max":                      {0, math.Inf(1)},
	"difficulty.shares_per_minute":        {math.Inf(-1), maxSharesPerMinute},
	"abuse.strike_limit":                  {0, math.Inf(1)},
	"abuse.ban_after":                     {0, math.Inf(1)},
	"abuse.connect_burst":                 {0, math.Inf(1)},
	"abuse.connects_per_second":           {0, math.Inf(1)},
	"abuse.max_unauthorized_per_address":  {0, math.Inf(1)},
	"payout.fee_percent":                  {0, math.Inf(1)},
	"payout.donation_percent":             {0, math.Inf(1)},
	"coinbase.max_size":                   {minCoinbaseSize, maxCoinbaseSize},
	"scope.max_connections":               {1, math.Inf(1)},
	"scope.capture_max_messages":          {1, math.Inf(1)},
	"scope.capture_max_per_session":       {1, math.Inf(1)},
	"scope.capture_max_megabytes":         {1, math.Inf(1)},
	"scope.capture_max_line":              {1024, math.Inf(1)},
	"scope.journal_max_megabytes":         {1, math.Inf(1)},
	"scope.journal_min_free_megabytes":    {0, math.Inf(1)},
	"fleet.share_kind":                    {0, 65535},
	"fleet.telemetry_kind":                {0, 65535},
	"fleet.order_kind":                    {0, 65535},
	"fleet.max_megabytes":                 {1, math.Inf(1)},
	"alerts.user_messages_per_hour":       {0, math.Inf(1)},
	"alerts.messages_per_hour":            {0, math.Inf(1)},
	"alerts.smtp_port":                    {1, 65535},
	"backup.keep_last":                    {0, 1000},
	"backup.keep_daily":                   {0, 1000},
	"backup.keep_weekly":                  {0, 1000},
	"backup.keep_monthly":                 {0, 1000},
	"log.rotate_megabytes":                {0, math.Inf(1)},
	"log.keep_files":                      {0, math.Inf(1)},
}

// oneLine joins the lines of a comment.
func oneLine(doc string) string { return strings.Join(strings.Fields(doc), " ") }

// ParseSet reads a change as JSON has it: a value of the key's kind, or null, which
// removes the key. Errors never repeat a value, it might be a secret.
func ParseSet(key string, value json.RawMessage) (Set, error) {
	none := strings.TrimSpace(string(value)) == "null"
	section, _, rest, numbered := cutNumber(key)
	plain := key
	if numbered {
		plain = joinKey(section, rest)
	}
	t, known := keyTypes()[plain]
	if numbered && rest == "" {
		_, known = repeatedSections()[section]
	} else if known {
		_, repeated := repeatedSections()[parentOf(plain)]
		known = repeated == numbered && (!numbered || section == parentOf(plain))
	}
	switch {
	case !known:
		return Set{}, fmt.Errorf("%w %q", ErrUnknownKey, key)
	case none:
		return Set{Key: key}, nil
	case numbered && rest == "":
		return Set{}, errors.New("a whole section can only be removed")
	}
	parsed, err := parseValue(t, value)
	if err != nil {
		return Set{}, err
	}
	return Set{Key: key, Value: parsed}, nil
}

func parseValue(t reflect.Type, value json.RawMessage) (any, error) {
	wrong := fmt.Errorf("must be %s", strings.TrimSuffix(kindName(t), " in quotes"))
	target := reflect.New(t)
	switch kindOf(t) {
	case KindDuration, KindSecret, KindText:
		var text string
		if json.Unmarshal(value, &text) != nil || !utf8.ValidString(text) {
			return nil, wrong
		}
		if err := setString(target.Elem(), text); err != nil {
			return nil, wrong
		}
	case KindList:
		list := []string{}
		if json.Unmarshal(value, &list) != nil || list == nil {
			return nil, wrong
		}
		target.Elem().Set(reflect.ValueOf(list))
	default: // numbers and booleans
		if json.Unmarshal(value, target.Interface()) != nil {
			return nil, wrong
		}
	}
	return target.Elem().Interface(), nil
}

// keyTypes are the types of all keys without numbers.
func keyTypes() map[string]reflect.Type {
	types := make(map[string]reflect.Type)
	walkTypes("", reflect.TypeFor[Config](), types, make(map[string]reflect.Type))
	return types
}

// repeatedSections are the types of the repeated sections.
func repeatedSections() map[string]reflect.Type {
	sections := make(map[string]reflect.Type)
	walkTypes("", reflect.TypeFor[Config](), make(map[string]reflect.Type), sections)
	return sections
}

func walkTypes(path string, t reflect.Type, keys, repeated map[string]reflect.Type) {
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("toml")
		if name == "" {
			continue
		}
		key, kind := joinKey(path, name), t.Field(i).Type
		switch {
		case isTable(kind):
			walkTypes(key, kind, keys, repeated)
		case isTables(kind):
			repeated[key] = kind.Elem()
			walkTypes(key, kind.Elem(), keys, repeated)
		default:
			keys[key] = kind
		}
	}
}

// Locked says why the file cannot change a value that is in force: what the
// environment and flags set wins over it. It is "" for others.
func Locked(o Origin) string {
	switch o.Kind {
	case "env":
		return "set by the environment variable " + o.Source + "; change it there"
	case "flag":
		return "set by " + o.Source + " on the command line; change it there"
	}
	return ""
}
