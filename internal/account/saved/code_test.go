package saved_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/internal/account/saved"
)

func TestFindCodes(t *testing.T) {
	const code = "own-ab12-cd34-ef56"
	for password, want := range map[string][]string{
		"": nil, "x": nil, "d=1000": nil, "own-": nil, "own-ab12-cd34-ef5": nil, "own-ab12--cd34-ef56": nil, "own--ab12-cd34-ef56": nil,
		"own-ab1-2cd34-ef56": nil, "own-ab12_cd34_ef56": nil, "own-ab12-cd34-efu6": nil,
		code: {code}, strings.ToUpper(code): {code}, "x," + code: {code}, code + ",d=5": {code}, "d=1000," + code + ";md=4": {code},
		"pass=" + code: {code}, "own-ab12cd34ef56": {code}, code + "x": {code},
		"OWN-O0IL-1oil-0000":             {"own-0011-1011-0000"},
		code + " own-0000-0000-0000":     {code, "own-0000-0000-0000"},
		"own-own-ab12-cd34-ef56":         {code},
		strings.Repeat(code+",", 10):     {code, code, code, code},
		"own-zzzz own-ab12-cd34-ef56 Ωß": {code},
	} {
		if got := saved.FindCodes(password); !slices.Equal(got, want) {
			t.Errorf("%q has %q, want %q", password, got, want)
		}
	}
}

// A code is made as it is found.
func TestCodesAreFound(t *testing.T) {
	r := newRig(t)
	r.save("a1", rig)
	form := regexp.MustCompile(`^own-[0-9a-hjkmnp-tv-z]{4}-[0-9a-hjkmnp-tv-z]{4}-[0-9a-hjkmnp-tv-z]{4}$`)
	seen := map[string]bool{}
	for range 100 {
		c := r.claim("a1", rig)
		if !form.MatchString(c.Code) || seen[c.Code] {
			t.Errorf("code %s", c.Code)
		}
		seen[c.Code] = true
		if got := saved.FindCodes("x," + strings.ToUpper(c.Code)); !slices.Equal(got, []string{c.Code}) {
			t.Errorf("%s is found as %q", c.Code, got)
		}
		r.must(r.GiveUp(t.Context(), "a1", saved.HashOf(rig)))
	}
}

func FuzzFindCodes(f *testing.F) {
	f.Add("d=1000,own-ab12-cd34-ef56")
	f.Add("OWN-own-own-\xff0000")
	form := regexp.MustCompile(`^own-[0-9a-hjkmnp-tv-z]{4}-[0-9a-hjkmnp-tv-z]{4}-[0-9a-hjkmnp-tv-z]{4}$`)
	f.Fuzz(func(t *testing.T, password string) {
		codes := saved.FindCodes(password)
		if len(codes) > 4 {
			t.Errorf("%d codes", len(codes))
		}
		for _, code := range codes {
			if !form.MatchString(code) {
				t.Errorf("%q has %q", password, code)
			}
			if got := saved.FindCodes(code); !slices.Equal(got, []string{code}) {
				t.Errorf("%q is found as %q", code, got)
			}
		}
		if len(codes) > 0 && !strings.Contains(strings.ToLower(password), "own-") {
			t.Errorf("%q has %q", password, codes)
		}
	})
}
