package discord

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/bwmarrin/discordgo"

	"github.com/poolscope/poolscope/internal/account/link"
)

// FuzzInteraction shows the bot interactions: it answers those of its own server
// and commands only, in few words, and never says more than who asked may know.
func FuzzInteraction(f *testing.F) {
	f.Add(`{"type":2,"guild_id":"5","member":{"user":{"id":"111","username":"a"}},"data":{"name":"notify","type":1,"options":[{"name":"code","type":3,"value":"TAGS-a-b-c"}]}}`)
	f.Add(`{"type":2,"guild_id":"5","member":{"user":{"id":"111"}},"data":{"name":"notify-stop"}}`)
	f.Add(`{"type":2,"data":{"options":[null]}}`)
	f.Add(`null`)
	links, err := link.Open(f.Context(), newShelf(), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data string) {
		b, err := New(Config{Token: "t", ServerID: "5", ChannelID: "6", Links: links}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		var i discordgo.Interaction
		if json.Unmarshal([]byte(data), &i) != nil {
			return
		}
		reply, result := b.answer(t.Context(), &i)
		if (reply == "") != (result == resultForeign) {
			t.Errorf("%s with %q", result, reply)
		}
		if reply != "" && (i.GuildID != "5" || i.Member == nil || !isID(i.Member.User.ID)) {
			t.Errorf("answered %s", data)
		}
		if length(reply) > 600 || strings.Contains(reply, "@") {
			t.Errorf("says %q", reply)
		}
	})
}

// FuzzDispatch shows the bot messages of the gateway.
func FuzzDispatch(f *testing.F) {
	f.Add(`{"op":0,"t":"READY","s":1,"d":{"session_id":"a","resume_gateway_url":"ws://x","application":{"id":"1"}}}`)
	f.Add(`{"op":0,"t":"READY","s":null,"d":null}`)
	f.Add(`{"op":10,"d":{"heartbeat_interval":-1}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var fr frame
		if json.Unmarshal([]byte(text), &fr) != nil || fr.Type == "INTERACTION_CREATE" || fr.Type == "RESUMED" {
			return
		}
		b, err := New(Config{Token: "t", APIURL: "http://127.0.0.1:1/"}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if fr.Type == "READY" {
			// As dispatch does, without the calls that follow.
			var r ready
			_ = json.Unmarshal(fr.Data, &r)
			if address, err := b.gatewayAddress(r.ResumeURL); err == nil && !strings.HasPrefix(address, "ws") {
				t.Errorf("would connect to %q", address)
			}
			return
		}
		if err := b.dispatch(t.Context(), fr); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
