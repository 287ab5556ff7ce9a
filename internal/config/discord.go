package config

import (
	"net/netip"
	"net/url"
	"strconv"
)

// Discord is section [discord]. Its keys have the names that goPool gave them.
type Discord struct {
	// The Discord server (guild) that the bot is in, as a number: Developer Mode of
	// Discord's settings, then "Copy Server ID".
	ServerID string `toml:"discord_server_id" reload:"restart"`

	// The channel that notifications go to, as a number. The bot must be allowed
	// to see it and to send messages in it.
	NotifyChannelID string `toml:"discord_notify_channel_id" reload:"restart"`

	// The bot's token, from Discord's developer portal.
	Token Secret `toml:"discord_token" reload:"restart"`

	// File with the token, instead of writing it here.
	TokenFile string `toml:"discord_token_file" reload:"restart"`

	// Invitation to the server, for the page. Empty: none is shown.
	URL string `toml:"discord_url" reload:"restart"`

	// Tell everybody in the channel (@everyone) when the pool found a block. The
	// bot needs the permission for that.
	MentionEveryone bool `toml:"mention_everyone" reload:"restart"`

	// Where Discord's API is, for tests and proxies. Empty: https://discord.com/.
	APIURL string `toml:"api_url" reload:"restart"`
}

// On reports whether there is all that a bot needs.
func (d *Discord) On() bool {
	return d.ServerID != "" && d.NotifyChannelID != "" && d.Token.IsSet()
}

// discord checks section [discord].
func (v *validator) discord() {
	d := &v.config.Discord
	needed := []struct {
		key   string
		given bool
	}{
		{"discord.discord_server_id", d.ServerID != ""},
		{"discord.discord_notify_channel_id", d.NotifyChannelID != ""},
		{"discord.discord_token", d.Token.IsSet()},
	}
	for _, missing := range needed {
		for _, given := range needed {
			if given.given && !missing.given {
				v.complainSince(missing.key, given.key, "must be given when %s is: the bot needs the server, the channel and its token", given.key)
				break
			}
		}
	}
	id := func(key, value string) {
		if n, err := strconv.ParseUint(value, 10, 64); value != "" && (err != nil || n == 0) {
			v.complain(key, `must be the number that Discord shows by "Copy ID", such as "1097228843256172604"`)
		}
	}
	id("discord.discord_server_id", d.ServerID)
	id("discord.discord_notify_channel_id", d.NotifyChannelID)
	if u, err := url.Parse(d.URL); d.URL != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil) {
		v.complain("discord.discord_url", `must be an invitation such as "https://discord.gg/abcdef"`)
	}
	if d.APIURL == "" {
		return
	}
	u, err := url.Parse(d.APIURL)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http":
		v.complain("discord.api_url", `must be like "https://discord.com/"`)
	case u.Scheme == "http" && !isLoopbackHost(u.Hostname()):
		v.complain("discord.api_url", "must be https, or on this machine: the token is sent there")
	}
}

func isLoopbackHost(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
