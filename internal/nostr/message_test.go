package nostr

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMessagesSurviveTheWire(t *testing.T) {
	e := vector()
	if err := e.Sign(key(t, one)); err != nil {
		t.Fatal(err)
	}
	since, until, limit := int64(5), int64(9), 0
	filters := []Filter{
		{IDs: []string{e.ID}, Authors: []string{e.PubKey}, Kinds: []int{1, 65535}, Tags: map[string][]string{"r": {"run1"}, "T": {}}, Since: &since, Until: &until, Limit: &limit},
		{},
	}
	for _, m := range []Message{
		{Label: LabelEvent, Event: e},
		{Label: LabelReq, Subscription: "s", Filters: filters},
		{Label: LabelClose, Subscription: "s"},
		{Label: LabelAuth, Event: e},
	} {
		got, err := ParseClientMessage(m.Encode())
		if err != nil || !cmp.Equal(m, got) {
			t.Errorf("%s: %v\n%s", m.Encode(), err, cmp.Diff(m, got))
		}
	}
	for _, m := range []Message{
		{Label: LabelEvent, Subscription: "s", Event: e},
		{Label: LabelOK, ID: e.ID, Accepted: true},
		{Label: LabelOK, ID: e.ID, Text: "blocked: no"},
		{Label: LabelEOSE, Subscription: "s"},
		{Label: LabelClosed, Subscription: "s", Text: "error: x"},
		{Label: LabelNotice, Text: "hello"},
		{Label: LabelAuth, Text: "challenge"},
	} {
		got, err := ParseRelayMessage(m.Encode())
		if err != nil || !cmp.Equal(m, got) {
			t.Errorf("%s: %v\n%s", m.Encode(), err, cmp.Diff(m, got))
		}
	}
}

func TestOddMessagesAreRefused(t *testing.T) {
	for _, s := range []string{
		``, `[]`, `{}`, `null`, `[1]`, `["EVENT"]`, `["EVENT",{}]`, `["event",{}]`, `["REQ","s"]`, `["REQ","",{}]`,
		`["REQ","` + strings.Repeat("s", 65) + `",{}]`, `["REQ",1,{}]`, `["REQ","s",[]]`, `["CLOSE"]`, `["CLOSE",null]`,
		`["REQ","s",{"kinds":[70000]}]`, `["REQ","s",{"kinds":["1"]}]`, `["REQ","s",{"ids":["ab"]}]`, `["REQ","s",{"since":-1}]`,
		`["REQ","s",{"since":null}]`, `["REQ","s",{"#run":["x"]}]`, `["REQ","s",{"Kinds":[1]}]`, `["REQ","s",{"search":"x"}]`,
		`["REQ","s"` + strings.Repeat(`,{}`, MaxFilters+1) + `]`, `["COUNT","s",{}]`,
	} {
		if _, err := ParseClientMessage([]byte(s)); err == nil {
			t.Errorf("%s: accepted", s)
		}
	}
	for _, s := range []string{
		``, `["OK"]`, `["OK","x",true,""]`, `["OK","` + one + `",null,""]`, `["OK","` + one + `",1,""]`, `["EOSE"]`, `["CLOSED","s"]`, `["NOTICE",{}]`, `["EVENT",{}]`,
	} {
		if _, err := ParseRelayMessage([]byte(s)); err == nil {
			t.Errorf("%s: accepted", s)
		}
	}
}

func TestARefusedEventIsNamed(t *testing.T) {
	m, err := ParseClientMessage([]byte(`["EVENT",{"id":"` + one + `","kind":-1}]`))
	if err == nil || m.ID != one {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestARefusedRequestIsNamed(t *testing.T) {
	for _, filters := range []string{`{"search":"x"}`, `{}` + strings.Repeat(`,{}`, 100), `7`} {
		m, err := ParseClientMessage([]byte(`["REQ","mine",` + filters + `]`))
		if err == nil || m.Label != LabelReq || m.Subscription != "mine" {
			t.Errorf("%.20s: %+v, %v", filters, m, err)
		}
	}
}

func TestFilterMatches(t *testing.T) {
	e := &Event{ID: "i", PubKey: "p", CreatedAt: 10, Kind: 7, Tags: []Tag{{"r", "run1", "x"}, {"e"}}}
	at := func(n int64) *int64 { return &n }
	for _, c := range []struct {
		f    Filter
		want bool
	}{
		{Filter{}, true},
		{Filter{Kinds: []int{6, 7}, Authors: []string{"p"}, IDs: []string{"i"}}, true},
		{Filter{Kinds: []int{6}}, false},
		{Filter{Kinds: []int{}}, false},
		{Filter{Authors: []string{"q"}}, false},
		{Filter{IDs: []string{"j"}}, false},
		{Filter{Since: at(10), Until: at(10)}, true},
		{Filter{Since: at(11)}, false},
		{Filter{Until: at(9)}, false},
		{Filter{Tags: map[string][]string{"r": {"run0", "run1"}}}, true},
		{Filter{Tags: map[string][]string{"r": {"x"}}}, false},
		{Filter{Tags: map[string][]string{"e": {""}}}, false},
	} {
		if got := c.f.Matches(e); got != c.want {
			t.Errorf("%s: %t", c.f.AppendJSON(nil), got)
		}
	}
}

func TestClassOf(t *testing.T) {
	for kind, want := range map[int]Class{
		0: Replaceable, 1: Regular, 3: Replaceable, 4: Regular, 1000: Regular, 9999: Regular, 10_000: Replaceable, 19_999: Replaceable,
		20_000: Ephemeral, 29_999: Ephemeral, 30_000: Addressable, 39_999: Addressable, 40_000: Regular, 65_535: Regular,
	} {
		if got := ClassOf(kind); got != want {
			t.Errorf("kind %d: class %d, want %d", kind, got, want)
		}
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte(`["REQ","s",{"kinds":[1],"#r":["x"],"limit":3}]`))
	f.Add([]byte(`["OK","` + one + `",false,"blocked: x"]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []func([]byte) (Message, error){ParseClientMessage, ParseRelayMessage} {
			m, err := parse(data)
			if err != nil {
				continue
			}
			again := m.Encode()
			if len(again) > MaxMessageBytes {
				continue
			}
			back, err := parse(again)
			if err != nil || !cmp.Equal(m, back) {
				t.Fatalf("%v: %s became %s", err, data, again)
			}
		}
	})
}
