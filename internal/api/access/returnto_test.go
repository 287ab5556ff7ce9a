package access

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestReturnTo(t *testing.T) {
	for _, good := range []string{
		"/", "/saved", "/workers/abc", "/workers/abc?range=24h&x=a%20b#wire", "/scope/sessions/1?q=%2F%2Fevil.example", "/a%20b", "/x?next=https://evil.example", "/apixel", "/sign-ins", "/-/a.b", "/a..b",
	} {
		if got := ReturnTo(good); got != good {
			t.Errorf("%q became %q", good, got)
		}
	}
	for _, bad := range []string{
		"", "saved", "//evil.example", "///evil.example", `/\evil.example`, `\/evil.example`, `\\evil.example`, "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", "/\r\nLocation: https://evil.example",
		"https://evil.example", "https:evil.example", "http:/evil.example", "javascript:alert(1)", "data:text/html,x", "mailto:a@b",
		"/%2f/evil.example", "/%2Fevil.example", "/%5cevil.example", "/%5Cevil.example", "/%09/evil.example", "/%0d%0aLocation:x", "/%00", "/%252fevil.example",
		"/.//evil.example", "/..//evil.example", "/x/..//evil.example", "/x/../..//evil.example", "/%2e%2e//evil.example", "/%2e/%2fevil.example", "/./evil", "/x//evil.example", "/x/..",
		"/é", "/\u3002evil.example", "/\uff0fevil.example", "/\x80", "/\x7f", "/<script>", `/"onload=`, "/%", "/%zz",
		"/sign-in", "/sign-in/clerk?return_to=/", "/api/auth/session", "/api", "/docs", "/metrics", "/debug/pprof/", "@evil.example", "/" + strings.Repeat("a", maxReturnTo),
	} {
		if got := ReturnTo(bad); got != "/" {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

// asBrowser is where a browser goes that is sent to an address from base, as
// far as it concerns the host: the URL Standard strips control characters at
// both ends and tabs and line ends everywhere, and reads \ as /.
func asBrowser(base *url.URL, address string) (scheme, host string) {
	address = strings.Trim(address, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f ")
	address = strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(address)
	u, err := url.Parse(address)
	if err != nil {
		return "unknown", ""
	}
	to := base.ResolveReference(u)
	return to.Scheme, to.Host
}

func FuzzReturnTo(f *testing.F) {
	for _, seed := range []string{"/", "/saved", "//evil.example", `/\evil.example`, "/%2f%2fevil.example", "/.//evil.example", "javascript:alert(1)", "/x?y=//z#//w", "/\t/evil.example", "/%252f", "/é"} {
		f.Add(seed)
	}
	base, err := url.Parse("https://pool.example/sign-in")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, wanted string) {
		got := ReturnTo(wanted)
		if got != "/" && got != wanted {
			t.Fatalf("%q became %q", wanted, got)
		}
		// As it is, after a proxy decoded it, after one cleaned it, and after both.
		decoded := got
		if u, err := url.Parse(got); err != nil {
			t.Fatalf("%q: %v", got, err)
		} else {
			decoded = u.Path
		}
		place, _, _ := strings.Cut(got, "?")
		place, _, _ = strings.Cut(place, "#")
		for _, step := range []string{got, place, path.Clean(place), path.Clean(decoded)} {
			if scheme, host := asBrowser(base, step); scheme != "https" || host != "pool.example" {
				t.Errorf("%q by way of %q leads to %s://%s", wanted, step, scheme, host)
			}
		}
		if strings.ContainsAny(got, "\r\n\x00") {
			t.Errorf("%q would break the header", got)
		}
	})
}
