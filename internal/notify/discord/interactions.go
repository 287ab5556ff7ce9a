package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/poolscope/poolscope/internal/account/link"
	"github.com/poolscope/poolscope/internal/notify"
)

// Bounds of interactions.
const (
	maxInteractions = 16              // answered at the same time
	answerTime      = 5 * time.Second // Discord takes no answer after three
)

// Results of slash commands, in the metrics.
const (
	resultLinked   = "linked"
	resultWrong    = "wrong_code"
	resultLimited  = "too_many"
	resultStopped  = "stopped"
	resultNothing  = "nothing_to_stop"
	resultForeign  = "foreign" // not ours to answer
	resultFailed   = "failed"
	resultBusy     = "busy"
	resultUnheard  = "answer_lost"
	whereCodesLive = "on the pool's page, under Account"
)

var commandResults = []string{resultLinked, resultWrong, resultLimited, resultStopped, resultNothing, resultForeign, resultFailed, resultBusy, resultUnheard}

// interaction answers a slash command, in a goroutine of its own.
func (b *Bot) interaction(ctx context.Context, data json.RawMessage) {
	select {
	case b.busy <- struct{}{}:
	default:
		b.count.add(b.count.commands, resultBusy, 1)
		return
	}
	go func() {
		defer func() { <-b.busy }()
		defer func() {
			if v := recover(); v != nil {
				b.panicked("interaction", v)
			}
		}()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
		defer cancel()
		var i discordgo.Interaction
		if json.Unmarshal(data, &i) != nil {
			b.count.add(b.count.commands, resultForeign, 1)
			return
		}
		reply, result := b.answer(ctx, &i)
		b.count.add(b.count.commands, result, 1)
		if reply == "" {
			return
		}
		if err := b.respond(ctx, &i, reply); err != nil {
			b.count.add(b.count.commands, resultUnheard, 1)
			b.log.Warn("slash command not answered", "err", brief(err))
		}
	}()
}

// answer does what a slash command says and returns what to reply, "" for
// nothing.
func (b *Bot) answer(ctx context.Context, i *discordgo.Interaction) (reply, result string) {
	command, isCommand := i.Data.(discordgo.ApplicationCommandInteractionData)
	if i.Type != discordgo.InteractionApplicationCommand || !isCommand || i.GuildID != b.config.ServerID {
		return "", resultForeign
	}
	if i.Member == nil || i.Member.User == nil || !isID(i.Member.User.ID) {
		return "", resultForeign
	}
	user := i.Member.User
	switch command.Name {
	case commandNotify:
		return b.notify(ctx, user, codeOf(command))
	case commandStop:
		return b.stop(ctx, user)
	}
	return "", resultForeign
}

// codeOf is the code that was given to /notify, "" without.
func codeOf(command discordgo.ApplicationCommandInteractionData) string {
	for _, o := range command.Options {
		if o != nil && o.Name == optionCode {
			code, _ := o.Value.(string)
			return code
		}
	}
	return ""
}

// notify answers /notify.
func (b *Bot) notify(ctx context.Context, user *discordgo.User, code string) (reply, result string) {
	if code == "" {
		return "Please give the code that you find " + whereCodesLive + ".", resultWrong
	}
	r, err := b.config.Links.Redeem(ctx, user.ID, notify.Plain(user.Username, 64), code)
	var tooMany *link.TooManyError
	switch {
	case errors.As(err, &tooMany):
		return fmt.Sprintf("That were too many wrong codes. Please try again <t:%d:R>.", time.Now().Add(tooMany.Wait).Unix()+1), resultLimited
	case errors.Is(err, link.ErrOtherPool):
		return "That is no code of this pool. The right one is " + whereCodesLive + ".", resultWrong
	case errors.Is(err, link.ErrCode):
		return "That code is wrong, was used before, or has expired: codes work once, for five minutes. You get a new one " + whereCodesLive + ".", resultWrong
	case err != nil:
		b.log.Error("Discord account not linked", "err", err)
		return "Something went wrong at the pool. Please try again in a moment, with a new code.", resultFailed
	}
	reply = fmt.Sprintf("Linked. You will be notified in <#%s> about the workers that you saved. `/%s` ends that.", b.config.ChannelID, commandStop)
	if r.MovedFrom != "" {
		reply += "\nYour Discord account was linked to another account at the pool until now. That one is not linked any more."
	}
	if r.Replaced != "" {
		reply += "\nAnother Discord account was linked to your account at the pool until now. That one is not notified any more. If it was not yours, change your password at the pool."
	}
	return reply, resultLinked
}

// stop answers /notify-stop.
func (b *Bot) stop(ctx context.Context, user *discordgo.User) (reply, result string) {
	was, err := b.config.Links.Stop(ctx, user.ID)
	switch {
	case errors.Is(err, link.ErrNotLinked):
		return "Your Discord account is not linked to any account at the pool: there is nothing to stop.", resultNothing
	case err != nil:
		b.log.Error("Discord notifications not stopped", "err", err)
		return "Something went wrong at the pool. Please try again in a moment.", resultFailed
	case !was:
		return "Your notifications are off already.", resultNothing
	}
	return "You will not be notified here any more. To turn it on again, use the switch " + whereCodesLive + ", or `/" + commandNotify + "` with a new code.", resultStopped
}

// respond replies to an interaction, for nobody but who sent it to see.
func (b *Bot) respond(ctx context.Context, i *discordgo.Interaction, reply string) error {
	return call(ctx, func(o discordgo.RequestOption) error {
		// Its own InteractionRespond remembers a rate limit for each interaction, for
		// ever.
		_, err := b.session.RequestWithBucketID(http.MethodPost, discordgo.EndpointInteractionResponse(i.ID, i.Token), &discordgo.InteractionResponse{
			Type: discordgo.InteractionResponseChannelMessageWithSource,
			Data: &discordgo.InteractionResponseData{
				Content: reply, Flags: discordgo.MessageFlagsEphemeral,
				AllowedMentions: &discordgo.MessageAllowedMentions{Parse: []discordgo.AllowedMentionType{}},
			},
		}, "interactions", o)
		return err
	})
}

// isID reports whether s is an id of Discord's: a decimal number.
func isID(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for _, b := range []byte(s) {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}
