package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// relayFlags reads flags as the program does.
func relayFlags(t *testing.T, flags ...string) *relayCommand {
	t.Helper()
	var c relayCommand
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(flags); err != nil {
		t.Fatal(err)
	}
	return &c
}

func TestRelayFlags(t *testing.T) {
	const npub = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg"
	const hex = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e"
	got, err := relayFlags(t, "--author", npub, "--author", hex, "--origin", "https://a.example", "--events-per-second", "2").config()
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Authors) != 2 || got.Authors[0] != hex || got.Authors[1] != hex || got.EventBurst != 11 || got.MaxEvents != 10_000 || got.Origins[0] != "https://a.example" {
		t.Errorf("%+v", got)
	}
	for want, flags := range map[string][]string{
		"--listen":          {"--listen", "7777"},
		"above zero":        {"--max-events", "0"},
		"--max-event-bytes": {"--max-event-bytes", "300000"},
		"--url":             {"--url", "https://relay.example"},
		"--author":          {"--author", "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"},
	} {
		_, err := relayFlags(t, flags...).config()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "nsec1") {
			t.Errorf("%s: %v", flags, err)
		}
	}
}
