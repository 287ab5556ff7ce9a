package access

import (
	"net/url"
	"strings"
	"unicode"
)

// maxReturnTo is more than any address of the page has.
const maxReturnTo = 2048

// ReturnTo is the page of ours that somebody wants to see after signing in, "/"
// for everything else: an address from elsewhere could send people who have just
// signed in to another site (CWE-601). Browsers take "/\host", "//host" and
// "/<tab>/host" for addresses of another host, and proxies may decode or clean
// paths, so that none of what leads there in two steps is good either.
func ReturnTo(wanted string) string {
	if !isOwnPage(wanted) {
		return "/"
	}
	return wanted
}

func isOwnPage(wanted string) bool {
	if len(wanted) > maxReturnTo || !strings.HasPrefix(wanted, "/") {
		return false
	}
	for _, c := range []byte(wanted) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\\\"<>`^{|}", c) >= 0 {
			return false // browsers send these encoded
		}
	}
	u, err := url.Parse(wanted)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return false
	}
	return isPlainPath(u.EscapedPath()) && isPlainPath(u.Path) && isPage(u.Path)
}

// isPlainPath reports whether a path names one place, however often it is
// cleaned.
func isPlainPath(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.Contains(path, `\`) {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." || strings.ContainsFunc(segment, unicode.IsControl) {
			return false
		}
	}
	lower := strings.ToLower(path)
	return !strings.Contains(lower, "%2f") && !strings.Contains(lower, "%5c") && !strings.Contains(lower, "%2e") && !strings.Contains(lower, "%25")
}

// isPage reports whether people look at what is at a path, and want to come back
// there after signing in.
func isPage(path string) bool {
	for _, other := range []string{"/sign-in", "/api", "/docs", "/metrics", "/debug"} {
		if path == other || strings.HasPrefix(path, other+"/") {
			return false
		}
	}
	return true
}
