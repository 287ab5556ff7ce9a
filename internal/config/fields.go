package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// field is one key of the configuration, bound to its place in a Config.
type field struct {
	key   string        // "http.listen", "node.1.url"
	table string        // "http", "node.1", "" for the top level
	name  string        // "listen"
	value reflect.Value // addressable
	live  bool          // a running pool can adopt another value
}

// fields lists every key of c in the order of the struct. Nodes are numbered
// from 1, as people count.
func (c *Config) fields() []field {
	return structFields("", reflect.ValueOf(c).Elem())
}

// structFields walks a struct whose fields have toml tags: values, tables
// (structs) and arrays of tables (slices of structs).
func structFields(table string, v reflect.Value) []field {
	var all []field
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("toml")
		if name == "" {
			continue // our own bookkeeping
		}
		fv, key := v.Field(i), joinKey(table, name)

		switch {
		case isTable(fv.Type()):
			all = append(all, structFields(key, fv)...)
		case isTables(fv.Type()):
			for n := range fv.Len() {
				all = append(all, structFields(joinKey(key, strconv.Itoa(n+1)), fv.Index(n))...)
			}
		default:
			live := v.Type().Field(i).Tag.Get("reload") == "live"
			all = append(all, field{key: key, table: table, name: name, value: fv, live: live})
		}
	}
	return all
}

// isTable reports whether t is a table, such as [http].
func isTable(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != secretType
}

// isTables reports whether t is an array of tables, such as [[node]].
func isTables(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && isTable(t.Elem())
}

func joinKey(table, name string) string {
	if table == "" {
		return name
	}
	return table + "." + name
}

// lookup finds a key, making room for one more node when the key names it:
// "node.2.url" is valid while there is one node.
func (c *Config) lookup(key string) (field, error) {
	nodes := len(c.Nodes)
	if n, ok := nodeNumber(key); ok && n == nodes+1 {
		c.Nodes = append(c.Nodes, Node{})
	}
	for _, f := range c.fields() {
		if f.key == key {
			return f, nil
		}
	}
	c.Nodes = c.Nodes[:nodes]
	return field{}, fmt.Errorf("%w %q", ErrUnknownKey, key)
}

// nodeNumber takes the 2 out of "node.2.url".
func nodeNumber(key string) (int, bool) {
	rest, ok := strings.CutPrefix(key, "node.")
	if !ok {
		return 0, false
	}
	number, _, ok := strings.Cut(rest, ".")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(number)
	return n, err == nil
}

// complete fills in what follows from other values, after every source has
// been read.
func (c *Config) complete() {
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if u, err := url.Parse(n.URL); n.Name == "" && err == nil {
			n.Name = u.Host
		}
	}
}

// DatabasePath is where the SQLite file is: store.path, or poolscope.db in the
// data folder.
func (c *Config) DatabasePath() string {
	if c.Store.Path != "" {
		return c.Store.Path
	}
	return filepath.Join(c.DataDir, "poolscope.db")
}
