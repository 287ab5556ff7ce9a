package journal

// needle is a text that is looked for, whatever the case of its ASCII letters,
// by the method of Boyer, Moore and Horspool: the byte below the text's end says
// how far the text can be moved on.
type needle struct {
	text  string // in lower case
	shift [256]int
}

func newNeedle(text string) (n needle) {
	lower := []byte(text)
	for i, c := range lower {
		lower[i] = fold[c]
	}
	n.text = string(lower)
	for c := range n.shift {
		n.shift[c] = len(lower)
	}
	for i, c := range lower[:max(0, len(lower)-1)] {
		n.shift[c] = len(lower) - 1 - i
		if c >= 'a' && c <= 'z' {
			n.shift[c-'a'+'A'] = len(lower) - 1 - i
		}
	}
	return n
}

// in says whether the text is a part of b.
func (n *needle) in(b []byte) bool {
	last := len(n.text) - 1
	if last < 0 {
		return true
	}
	for at := last; at < len(b); at += n.shift[b[at]] {
		i := 0
		for i <= last && fold[b[at-i]] == n.text[last-i] {
			i++
		}
		if i > last {
			return true
		}
	}
	return false
}

// fold maps ASCII letters to lower case.
var fold = func() (table [256]byte) {
	for c := range table {
		table[c] = byte(c)
		if c >= 'A' && c <= 'Z' {
			table[c] += 'a' - 'A'
		}
	}
	return table
}()
