package config

import (
	"regexp"
	"strings"
	"sync"
)

// exampleKey and exampleSection find what the example explains, commented out or
// not.
var (
	exampleKey     = regexp.MustCompile(`^(?:# )?([a-z0-9_]+) = `)
	exampleSection = regexp.MustCompile(`^(?:# )?\[+([a-z0-9_.]+)\]+$`)
)

// docs maps keys without numbers ("node.url") and sections ("node") to what the
// comments on Config say. They are read out of the example, which is generated
// from those.
var docs = sync.OnceValue(func() map[string]string {
	all := make(map[string]string)
	section := ""
	var comment []string
	for line := range strings.Lines(example) {
		line = strings.TrimRight(line, "\n")
		if found := exampleSection.FindStringSubmatch(line); found != nil {
			section = found[1]
			all[section] = strings.Join(comment, "\n")
			comment = nil
			continue
		}
		if found := exampleKey.FindStringSubmatch(line); found != nil {
			all[joinKey(section, found[1])] = strings.Join(comment, "\n")
			comment = nil
			continue
		}
		if text, ok := strings.CutPrefix(line, "# "); ok {
			comment = append(comment, text)
		} else {
			comment = nil
		}
	}
	return all
})

// Doc is what the comments on Config say about a key, "node.2.url", or a section,
// "node". Lines are those of the source.
func Doc(key string) string { return docs()[withoutNumbers(key)] }

// withoutNumbers is a key without the numbers of repeated sections.
func withoutNumbers(key string) string {
	parts := strings.Split(key, ".")
	kept := parts[:0]
	for _, p := range parts {
		if !isDigits(p) {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ".")
}
