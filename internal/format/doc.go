// Package format writes hashrates, difficulties, counts and times as people
// read them. It is the twin of ui/src/lib/format.ts: the same value is the same
// text in the terminal and on the page, which format-vectors.json beside that
// file proves for both.
//
// NaN stands for what is not known, and is written as None.
package format
