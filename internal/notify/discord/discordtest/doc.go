// Package discordtest plays Discord on loopback: the gateway and the few REST
// endpoints that a bot with slash commands needs, as Discord's public
// documentation describes them (https://discord.com/developers/docs, API
// versions 9 and 10). It is strict where Discord is: order of the opcodes,
// heartbeats, length of messages, who may be pinged; and it can be told to
// misbehave in the ways that Discord does.
//
// It is no copy of Discord: what is not documented, or was misread, it plays
// differently.
package discordtest
