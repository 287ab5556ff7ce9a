package notify

import (
	"crypto/tls"
	"net/http"
	"regexp"
)

// CatalogConfig says what the channels of this pool may do.
type CatalogConfig struct {
	// AllowPrivate lets channels of operators reach private networks.
	AllowPrivate bool
	// Mail is the server that mail goes through; without Host there is no mail.
	Mail MailServer
	// TLS are the certificates to trust; nil for those of the system.
	TLS *tls.Config
}

// catalog makes channels.
type catalog struct {
	cfg     CatalogConfig
	guarded *http.Client // public internet only
	free    *http.Client
}

// client is the one for a channel.
func (c *catalog) client(o Opening) *http.Client {
	if o.Operator && c.cfg.AllowPrivate {
		return c.free
	}
	return c.guarded
}

// addresses are those in texts, with what may follow.
var addresses = regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^\s"']+`)

// secretKeys are the settings that hold secrets, of all services.
var secretKeys = map[string]bool{"token": true, "password": true, "secret": true, "webhook": true, "user": true, "url": true}

// Catalog are the kinds of channels that this package makes. Those to the same
// kinds of places as shoutrrr's, where shoutrrr can be given a connection of ours,
// go through it; the others are made here, since who may have channels here is not
// always the operator: connections must stay out of the pool's network, take no
// longer than they may, and show a message once.
func Catalog(cfg CatalogConfig) []Service {
	if cfg.TLS == nil {
		cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c := &catalog{cfg: cfg, guarded: newClient(true, cfg.TLS), free: newClient(false, cfg.TLS)}
	list := []Service{
		{
			ID: "ntfy", Name: "ntfy", Open: c.ntfy,
			Fields: []Field{
				{Key: "server", Label: "Server", Type: "url", Place: true, Help: "Empty: https://ntfy.sh"},
				{Key: "topic", Label: "Topic", Type: "password", Required: true, Secret: true, Help: "Who knows the topic can read it"},
				{Key: "token", Label: "Access token", Type: "password", Secret: true},
			},
		},
		{
			ID: "telegram", Name: "Telegram", Open: c.telegram,
			Fields: []Field{
				{Key: "token", Label: "Bot token", Type: "password", Required: true, Secret: true, Help: "As @BotFather gave it"},
				{Key: "chat", Label: "Chat ID", Type: "text", Required: true, Help: "A number, or @channel"},
				{Key: "server", Label: "Bot API server", Type: "url", Place: true, Help: "Empty: https://api.telegram.org"},
			},
		},
		{
			ID: "discord_webhook", Name: "Discord webhook", Open: c.discordWebhook,
			Fields: []Field{{Key: "webhook", Label: "Webhook URL", Type: "password", Required: true, Secret: true, Place: true}},
		},
		{
			ID: "slack", Name: "Slack webhook", Open: c.slack,
			Fields: []Field{{Key: "webhook", Label: "Webhook URL", Type: "password", Required: true, Secret: true, Place: true}},
		},
		{
			ID: "matrix", Name: "Matrix", Idempotent: true, Open: c.matrix,
			Fields: []Field{
				{Key: "server", Label: "Homeserver", Type: "url", Required: true, Place: true, Help: "Such as https://matrix.org"},
				{Key: "room", Label: "Room ID", Type: "text", Required: true, Help: "Begins with !"},
				{Key: "token", Label: "Access token", Type: "password", Required: true, Secret: true},
			},
		},
		{
			ID: "gotify", Name: "Gotify", Open: c.gotify,
			Fields: []Field{
				{Key: "server", Label: "Server", Type: "url", Required: true, Place: true},
				{Key: "token", Label: "Application token", Type: "password", Required: true, Secret: true},
			},
		},
		{
			ID: "pushover", Name: "Pushover", Open: c.pushover,
			Fields: []Field{
				{Key: "token", Label: "API token", Type: "password", Required: true, Secret: true},
				{Key: "user", Label: "User key", Type: "password", Required: true, Secret: true},
			},
		},
		{
			ID: "mattermost", Name: "Mattermost", Open: c.mattermost,
			Fields: []Field{
				{Key: "server", Label: "Server", Type: "url", Required: true, Place: true},
				{Key: "token", Label: "Webhook key", Type: "password", Required: true, Secret: true, Help: "What follows /hooks/ in its address"},
			},
		},
		{
			ID: "webhook", Name: "Webhook", Idempotent: true, Open: c.webhook,
			Fields: []Field{
				{Key: "webhook", Label: "URL", Type: "password", Required: true, Secret: true, Place: true},
				{Key: "secret", Label: "Secret", Type: "password", Secret: true, Help: "Signs every message (X-Poolscope-Signature)"},
			},
		},
		{
			ID: "shoutrrr", Name: "Any other (shoutrrr)", Operator: true, Open: c.raw,
			Fields: []Field{{Key: "url", Label: "Service URL", Type: "password", Required: true, Secret: true, Place: true, Help: "Such as zulip://…, as shoutrrr's manual says"}},
		},
	}
	if cfg.Mail.Host != "" {
		list = append(list, Service{
			ID: "email", Name: "E-mail", Idempotent: true, Mailbox: true, Open: c.mail,
			Fields: []Field{{Key: "address", Label: "Address", Type: "email", Required: true}},
		})
	}
	return list
}
