package discord

import (
	"context"
	"slices"
	"time"

	"github.com/bwmarrin/discordgo"
)

// Names of the slash commands.
const (
	commandNotify = "notify"
	commandStop   = "notify-stop"
	optionCode    = "code"
)

// Pauses between attempts to register the commands.
const (
	firstCommandPause = time.Minute
	maxCommandPause   = time.Hour
)

// commands are the slash commands.
func commands() []*discordgo.ApplicationCommand {
	return []*discordgo.ApplicationCommand{
		{
			Name: commandNotify, Type: discordgo.ChatApplicationCommand,
			Description: "Be notified here about the workers that you saved at the pool",
			Options: []*discordgo.ApplicationCommandOption{{
				Name: optionCode, Type: discordgo.ApplicationCommandOptionString, Required: true,
				Description: "The one-time code that the pool's page shows you",
			}},
		},
		{
			Name: commandStop, Type: discordgo.ChatApplicationCommand,
			Description: "Be notified here no more",
		},
	}
}

// keepCommands registers the commands with the server, trying again until that
// has succeeded or ctx, the connection, ends.
func (b *Bot) keepCommands(ctx context.Context, application string) {
	defer func() {
		if v := recover(); v != nil {
			b.panicked("commands", v)
		}
	}()
	for pause := firstCommandPause; ; pause = min(2*pause, maxCommandPause) {
		err := b.register(ctx, application)
		if err == nil {
			b.registered.Store(true)
			return
		}
		if ctx.Err() != nil {
			return
		}
		b.log.Warn("slash commands not registered; is the bot in the server, and invited with the scope applications.commands?", "err", brief(err), "again_in", pause)
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

// register makes the commands that are missing or different. Others that the
// application has in the server are left alone.
func (b *Bot) register(ctx context.Context, application string) error {
	var there []*discordgo.ApplicationCommand
	err := call(ctx, func(o discordgo.RequestOption) (err error) {
		there, err = b.session.ApplicationCommands(application, b.config.ServerID, o)
		return err
	})
	if err != nil {
		return err
	}
	for _, command := range commands() {
		if slices.ContainsFunc(there, func(c *discordgo.ApplicationCommand) bool { return isSameCommand(c, command) }) {
			continue
		}
		// Discord replaces a command of the same name.
		err := call(ctx, func(o discordgo.RequestOption) error {
			_, err := b.session.ApplicationCommandCreate(application, b.config.ServerID, command, o)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func isSameCommand(a, b *discordgo.ApplicationCommand) bool {
	if a == nil || a.Name != b.Name || a.Type != b.Type || a.Description != b.Description || len(a.Options) != len(b.Options) {
		return false
	}
	for i, o := range a.Options {
		want := b.Options[i]
		if o == nil || o.Name != want.Name || o.Type != want.Type || o.Description != want.Description || o.Required != want.Required {
			return false
		}
	}
	return true
}
