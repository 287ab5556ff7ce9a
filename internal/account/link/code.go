package link

import (
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // for the words
	"math/big"
	"strings"
	"sync"
	"unicode"
)

// codeWords is the number of words in a code.
const codeWords = 3

// tagLetters are what tags are made of: nothing that looks like something else.
const tagLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// tagLength is the number of letters of a tag.
const tagLength = 4

// maxCode bounds what is looked at of a code that somebody typed, in bytes.
const maxCode = 200

//go:embed words.txt
var wordList string

// words are the words of the list.
var words = sync.OnceValue(func() []string {
	var list []string
	for line := range strings.Lines(wordList) {
		if word := strings.TrimSpace(line); word != "" && word[0] != '#' {
			list = append(list, word)
		}
	}
	return list
})

// newTag chooses the tag of an installation.
func newTag() string {
	tag := make([]byte, tagLength)
	for i := range tag {
		tag[i] = tagLetters[pick(len(tagLetters))]
	}
	return string(tag)
}

// newCode chooses a code.
func newCode(tag string) string {
	parts := []string{tag}
	for range codeWords {
		parts = append(parts, words()[pick(len(words()))])
	}
	return strings.Join(parts, "-")
}

// pick is a random number below n that nobody can guess.
func pick(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // crypto/rand never fails: it ends the program itself
	}
	return int(i.Int64())
}

// normal is a code as it was typed, in the one form that codes are compared in:
// lower case, with one dash between tag and words, however they were written.
// It is "" for what cannot be a code.
func normal(typed string) string {
	if len(typed) > maxCode {
		return ""
	}
	parts := strings.FieldsFunc(strings.ToLower(typed), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if len(parts) != 1+codeWords {
		return ""
	}
	return strings.Join(parts, "-")
}

// hash is what the store keeps of a code in its normal form.
func hash(code string) []byte {
	sum := sha256.Sum256([]byte("poolscope link code " + code))
	return sum[:]
}
