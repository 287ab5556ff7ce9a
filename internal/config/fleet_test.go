package config

import (
	"errors"
	"strings"
	"testing"
)

const npub = "npub10xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqpkge6d" // of the secret 1

// TestFleetNeedsToKnowItsAgents lets nobody be an agent by mistake.
func TestFleetNeedsToKnowItsAgents(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("0", 63) + "1"
	for fleet, wrong := range map[string]string{
		``:                                      "",
		`relays = ["ws://127.0.0.1:7777"]`:      "",
		`relays = ["ws://localhost:7777"]`:      "",
		`relays = ["ws://[::1]:7777"]`:          "",
		`relays = ["wss://relay.example"]`:      "fleet.authors",
		`relays = ["ws://127.0.0.1.example:1"]`: "fleet.authors",
		`relays = ["ws://127.0.0.1:1", "wss://relay.example"]`:                 "fleet.authors",
		`relays = ["wss://relay.example"]` + "\nauthors = [\"" + npub + `"]`:   "",
		`relays = ["wss://relay.example"]` + "\nauthors = [\"any\"]":           "",
		`relays = ["wss://relay.example"]` + "\ngroup_key = \"" + secret + `"`: "",
		`relays = ["https://relay.example"]` + "\nauthors = [\"any\"]":         "fleet.relays",
		`authors = ["me"]`:                 "fleet.authors",
		`group_key = "` + secret[1:] + `"`: "fleet.group_key",
		"share_kind = 3079":                "fleet.telemetry_kind",
		"order_kind = 70000":               "fleet.order_kind",
		`expire_after = "1s"`:              "fleet.expire_after",
		`keep_for = "1s"`:                  "fleet.keep_for",
		`max_megabytes = 0`:                "fleet.max_megabytes",
	} {
		_, err := Parse("file", []byte("[fleet]\n"+fleet+"\n"), nil)
		var invalid *InvalidError
		switch {
		case wrong == "" && err != nil:
			t.Errorf("%s: %v", fleet, err)
		case wrong != "" && (!errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Key != wrong):
			t.Errorf("%s: %v", fleet, err)
		}
		if err != nil && strings.Contains(err.Error(), secret[1:]) {
			t.Errorf("the complaint shows the secret: %v", err)
		}
	}
}

func TestPublicKeys(t *testing.T) {
	t.Parallel()
	if keys, err := PublicKeys([]string{npub}); err != nil || len(keys) != 1 || keys[0] != "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" {
		t.Error(keys, err)
	}
	if keys, err := PublicKeys([]string{npub, AnyAuthor}); err != nil || keys != nil {
		t.Error(keys, err)
	}
	// What is no key never leads to everybody.
	for _, authors := range [][]string{{"nsec1secret"}, {npub, "nsec1secret"}, {AnyAuthor, "nsec1secret"}, {""}, {npub[:62]}} {
		if keys, err := PublicKeys(authors); !errors.Is(err, ErrAuthor) || keys != nil || strings.Contains(err.Error(), "nsec1secret") {
			t.Errorf("%q: %v, %v", authors, keys, err)
		}
	}
}
