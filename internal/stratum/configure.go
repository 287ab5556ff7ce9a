package stratum

import (
	"encoding/json"
	"strings"
)

// ExtensionKind is an extension that miners ask for with mining.configure.
type ExtensionKind uint8

// The extensions of BIP310, and one that firmware asks for besides.
const (
	UnknownExtension ExtensionKind = iota
	VersionRolling
	MinimumDifficulty
	SubscribeExtranonce
	SuggestDifficulty
	Info
)

// extensionKinds is keyed by plainName.
var extensionKinds = map[string]ExtensionKind{
	"versionrolling":      VersionRolling,
	"minimumdifficulty":   MinimumDifficulty,
	"subscribeextranonce": SubscribeExtranonce,
	"suggestdifficulty":   SuggestDifficulty,
	"info":                Info,
}

// Extension is one that a miner asks for. The answer repeats its name.
type Extension struct {
	Name string // as the miner spelled it
	Kind ExtensionKind
}

// Configure holds the parameters of mining.configure (BIP310).
type Configure struct {
	Extensions        []Extension
	VersionMask       uint32  // requested; all ones when none was given
	MinimumDifficulty float64 // 0 when none was given
}

// ParseConfigure reads [[extensions…],{options}]. A single string or a comma
// separated one stands for the list. Names of extensions and options are known
// in any case, with or without their dashes.
func ParseConfigure(params []byte) (Configure, bool) {
	list := rawList(params)
	c := Configure{VersionMask: 0xffffffff}
	if len(list) == 0 {
		return c, false
	}
	var names []string
	if json.Unmarshal(list[0], &names) != nil {
		var one string
		if json.Unmarshal(list[0], &one) != nil {
			return c, false
		}
		names = strings.Split(one, ",")
	}
	for _, name := range names {
		if name = strings.TrimSpace(name); name != "" {
			c.Extensions = append(c.Extensions, Extension{name, extensionKinds[plainName(name)]})
		}
	}
	var options map[string]json.RawMessage
	if len(list) > 1 && json.Unmarshal(list[1], &options) == nil {
		for name, raw := range options {
			c.option(plainName(name), raw)
		}
	}
	return c, true
}

// option takes one option in; what cannot be read counts as not given.
func (c *Configure) option(name string, raw json.RawMessage) {
	switch name {
	case "versionrollingmask":
		if mask, ok := maskOf(raw); ok {
			c.VersionMask = mask
		}
	case "minimumdifficultyvalue":
		if d, ok := number(raw); ok {
			c.MinimumDifficulty = d
		}
	}
}

// maskOf reads a version mask: hex text with or without 0x, or a number.
func maskOf(raw json.RawMessage) (mask uint32, ok bool) {
	if text, isText := stringElement(raw); isText {
		return ParseHex32(text)
	}
	ok = json.Unmarshal(raw, &mask) == nil
	return mask, ok
}

// spelling is what firmware puts into names, or leaves out.
var spelling = strings.NewReplacer("-", "", "_", "", ".", "")

// plainName is a name as extensionKinds has it.
func plainName(name string) string { return spelling.Replace(strings.ToLower(name)) }
