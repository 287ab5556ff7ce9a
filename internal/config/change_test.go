package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestEveryKeySaysHowItIsReloaded: who adds a key decides whether a running
// pool can take it.
func TestEveryKeySaysHowItIsReloaded(t *testing.T) {
	var walk func(reflect.Type)
	walk = func(s reflect.Type) {
		for i := range s.NumField() {
			f := s.Field(i)
			switch {
			case f.Tag.Get("toml") == "":
			case isTable(f.Type):
				walk(f.Type)
			case isTables(f.Type):
				walk(f.Type.Elem())
			case f.Tag.Get("reload") != "live" && f.Tag.Get("reload") != "restart":
				t.Errorf(`%s.%s has no tag reload:"live" or reload:"restart"`, s.Name(), f.Name)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
}

func parse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("c.toml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAdopt(t *testing.T) {
	old := parse(t, "[stratum]\nmax_connections = 5\n[[node]]\nurl = \"http://a:1\"\n[log]\nlevel = \"info\"\n")
	next := parse(t, "[stratum]\nlisten = [\":1\"]\nmax_connections = 9\n[http]\ntoken = \"t0ken\"\n[[node]]\nurl = \"http://b:1\"\n[log]\nlevel = \"debug\"\n")
	got, changes, err := old.Adopt(next)
	if err != nil {
		t.Fatal(err)
	}
	want := []Change{{"http.token", true}, {"stratum.listen", false}, {"stratum.max_connections", true},
		{"node.1.name", false}, {"node.1.url", false}, {"log.level", true}}
	if !slices.Equal(changes, want) {
		t.Errorf("changes %v, want %v", changes, want)
	}
	if got.Stratum.MaxConnections != 9 || got.HTTP.Token.Reveal() != "t0ken" || got.Log.Level != "debug" {
		t.Errorf("live keys are %+v", got)
	}
	if got.Stratum.Listen[0] != ":3333" || got.Nodes[0].URL != "http://a:1" {
		t.Errorf("keys that need a restart are %+v", got)
	}
	if old.Stratum.MaxConnections != 5 || old.HTTP.Token.IsSet() {
		t.Errorf("the old configuration has changed: %+v", old)
	}
	if o := got.OriginOf("stratum.max_connections"); o.Line != 3 {
		t.Errorf("stratum.max_connections comes from %v", o)
	}
	if _, changes, err := got.Adopt(got); len(changes) != 0 || err != nil {
		t.Errorf("nothing changed, and yet %v, %v", changes, err)
	}
}

func TestAdoptAnotherNumberOfNodes(t *testing.T) {
	one := parse(t, "[[node]]\nurl = \"http://a:1\"\n")
	two := parse(t, "[[node]]\nurl = \"http://x:1\"\n[[node]]\nurl = \"http://b:1\"\n")
	for _, pair := range [][2]*Config{{one, two}, {two, one}} {
		got, changes, err := pair[0].Adopt(pair[1])
		if err != nil || !slices.Equal(changes, []Change{{"node", false}}) {
			t.Errorf("changes %v, %v", changes, err)
		}
		if len(got.Nodes) != len(pair[0].Nodes) || got.Nodes[0].URL != pair[0].Nodes[0].URL {
			t.Errorf("nodes %+v", got.Nodes)
		}
	}
}

// TestAdoptWhatDoesNotFitTheRest has a fee address of a network that the pool
// will only be on after a restart.
func TestAdoptWhatDoesNotFitTheRest(t *testing.T) {
	old := parse(t, "[network]\nchain = \"main\"\n")
	next := parse(t, "[network]\nchain = \"regtest\"\n[payout]\nfee_percent = 1\nfee_address = \"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"\n")
	_, _, err := old.Adopt(next)
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "payout.fee_address") || !strings.Contains(err.Error(), "restart") {
		t.Errorf("error %v", err)
	}
}
