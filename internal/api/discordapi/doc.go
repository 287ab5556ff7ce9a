// Package discordapi answers for the links between people's accounts and
// Discord: the contract's three endpoints, what the page needs to show, and the
// way to end a link.
package discordapi
