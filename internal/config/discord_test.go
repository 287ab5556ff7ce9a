package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDiscord(t *testing.T) {
	const all = "discord_server_id = \"197038439483310086\"\ndiscord_notify_channel_id = \"41771983423143937\"\ndiscord_token = \"tell-nobody\"\n"
	tests := []struct {
		name, toml string
		on         bool
		wrong      []string // keys
	}{
		{"off", "", false, nil},
		{"invitation only", `discord_url = "https://discord.gg/x"`, false, nil},
		{"all", all, true, nil},
		{"no channel", strings.Replace(all, "discord_notify", "#", 1), false, []string{"discord.discord_notify_channel_id"}},
		{"only a token", `discord_token = "tell-nobody"`, false, []string{"discord.discord_server_id", "discord.discord_notify_channel_id"}},
		{"names in place of numbers", "discord_server_id = \"my server\"\ndiscord_notify_channel_id = \"0\"\ndiscord_token = \"tell-nobody\"", false, []string{"discord.discord_server_id", "discord.discord_notify_channel_id"}},
		{"invitation to anything", all + `discord_url = "javascript:alert(1)"`, false, []string{"discord.discord_url"}},
		{"double on this machine", all + `api_url = "http://127.0.0.1:8080/"`, true, nil},
		{"proxy", all + `api_url = "https://proxy.example/discord/"`, true, nil},
		{"token in the clear", all + `api_url = "http://proxy.example/"`, false, []string{"discord.api_url"}},
		{"no address", all + `api_url = "discord"`, false, []string{"discord.api_url"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Parse("p.toml", []byte("[discord]\n"+tt.toml), nil)
			if len(tt.wrong) == 0 {
				if err != nil || c.Discord.On() != tt.on {
					t.Fatalf("on %t, %v", err == nil && c.Discord.On(), err)
				}
				return
			}
			for _, key := range tt.wrong {
				if err == nil || !strings.Contains(err.Error(), key) {
					t.Errorf("%v, want a complaint about %s", err, key)
				}
			}
			if err != nil && strings.Contains(err.Error(), "tell-nobody") {
				t.Errorf("the token is told: %v", err)
			}
		})
	}
}

func TestDiscordTokenFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("tell-nobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Parse("p.toml", []byte("[discord]\ndiscord_server_id = \"1\"\ndiscord_notify_channel_id = \"2\"\n"), []string{"POOLSCOPE_DISCORD_DISCORD_TOKEN_FILE=" + file})
	if err != nil || !c.Discord.On() || c.Discord.Token.Reveal() != "tell-nobody" {
		t.Errorf("%v", err)
	}
}
