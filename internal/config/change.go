package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Change is a key whose value another configuration has different.
type Change struct {
	// Key is the key, or a whole repeated section, "node", when it has more or
	// fewer entries.
	Key string
	// Live says that a running pool can adopt the change.
	Live bool
}

// Adopt returns c with the live keys of next in force, and every change that
// next would bring, in the order of the keys. Keys that need a restart keep the
// value of c. The outcome is valid, or the error says why next cannot come into
// force without a restart.
func (c *Config) Adopt(next *Config) (adopted *Config, changes []Change, err error) {
	merged := *c
	merged.origins = maps.Clone(c.origins)
	if merged.origins == nil {
		merged.origins = make(map[string]Origin)
	}
	merged.warnings = slices.Clone(next.warnings)
	merged.ownSections()

	wanted := make(map[string]field)
	for _, f := range next.fields() {
		wanted[f.key] = f
	}
	for _, section := range c.resized(next) {
		changes = append(changes, Change{Key: section})
	}
	for _, f := range merged.fields() {
		want, ok := wanted[f.key]
		if !ok || changed(changes, section(f.key)) || reflect.DeepEqual(f.value.Interface(), want.value.Interface()) {
			continue
		}
		changes = append(changes, Change{Key: f.key, Live: f.live})
		if f.live {
			f.value.Set(want.value)
			merged.origins[f.key] = next.OriginOf(f.key)
		}
	}
	if err := merged.Validate(); err != nil {
		return nil, changes, fmt.Errorf("together with what needs a restart, the change is not valid: %w", err)
	}
	return &merged, changes, nil
}

// ownSections gives c repeated sections of its own after it was copied.
func (c *Config) ownSections() {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); v.Type().Field(i).IsExported() && isTables(f.Type()) {
			own := reflect.MakeSlice(f.Type(), f.Len(), f.Len())
			reflect.Copy(own, f)
			f.Set(own)
		}
	}
}

// resized lists the repeated sections that have another number of entries.
func (c *Config) resized(next *Config) []string {
	var names []string
	v, w := reflect.ValueOf(c).Elem(), reflect.ValueOf(next).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() && isTables(v.Field(i).Type()) && v.Field(i).Len() != w.Field(i).Len() {
			names = append(names, v.Type().Field(i).Tag.Get("toml"))
		}
	}
	return names
}

func changed(changes []Change, key string) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return c.Key == key })
}

// section is the first part of a key.
func section(key string) string {
	name, _, _ := strings.Cut(key, ".")
	return name
}

// Key describes one key of the configuration for documents and tests. Keys of
// repeated sections have no number: "node.url".
type Key struct {
	Name string
	Live bool // a running pool takes a changed value on reload
}

// Keys lists every key in the order of the file.
func Keys() []Key {
	c := Default()
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); v.Type().Field(i).IsExported() && isTables(f.Type()) && f.Len() == 0 {
			f.Set(reflect.MakeSlice(f.Type(), 1, 1)) // sections that nobody has by default
		}
	}
	var keys []Key
	for _, f := range c.fields() {
		name := strings.Replace(f.key, ".1.", ".", 1)
		keys = append(keys, Key{Name: name, Live: f.live})
	}
	return keys
}
