// Package link ties people's accounts to their accounts at Discord, by a code
// that they fetch here and give to the bot there.
//
// A code is TAG-word-word-word: TAG tells pools that share a Discord server
// apart, the words are chosen at random (34 bits) and work once, for five
// minutes, for the person that they were made for. A newer code voids the older
// one. The store has their hashes only, so they outlive a restart but not their
// time. Guesses are limited, for each Discord account and for all together.
//
// A Discord account belongs to one account here, and the other way round. Who
// links again moves the link, and both are told.
package link
