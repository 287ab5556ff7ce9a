package top

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden frames anew")

// noon is when the tests' screen is looked at.
var noon = time.Date(2026, 1, 31, 19, 55, 3, 0, time.UTC)

// apiGolden reads an example of a response that the API's own tests keep.
func apiGolden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "api", "testdata", "golden", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode[T any](t testing.TB, data []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return v
}

// payloads are what a server answers.
type payloads struct {
	overview, hashrate, blocks, status, workers, sessions, alarms []byte
}

// goldenPayloads are those of the API's own tests, and lists beside them.
func goldenPayloads(t testing.TB) payloads {
	t.Helper()
	return payloads{
		overview: apiGolden(t, "overview"), hashrate: apiGolden(t, "pool-hashrate-history"), blocks: apiGolden(t, "blocks"),
		status: apiGolden(t, "status"), workers: workersJSON(), sessions: []byte(sessionsJSON), alarms: []byte(alarmsJSON),
	}
}

// workersJSON are 40 workers: machines of one farm, a miner in Chinese, one
// that has left, and one whose name is a trap.
func workersJSON() []byte {
	var rows []string
	row := func(name, agent string, online bool, hashrate, accuracy string, accepted, rejected int) {
		n := len(rows)
		rows = append(rows, fmt.Sprintf(`{"id":"%016x","name":%s,"online":%t,"connections":1,"tls":false,"user_agent":%s,"hashrate":%s,
			"hashrate_accuracy":%q,"share_rate":%d.5,"difficulty":%d,"vardiff":1100.5,"accepted":%d,"rejected":%d,"best_share":%d,"best_session":12.5,
			"ping_p50_ms":%d.25,"last_share":"2026-01-31T19:54:%02dZ","last_seen":"2026-01-31T19:55:02.5Z","first_seen":"2025-11-02T08:00:00Z"}`,
			n, quoted(name), online, quoted(agent), hashrate, accuracy, n, 1024+n, accepted, rejected, 987654-n, n, n))
	}
	row("bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh.矿机一号", "bmminer/2.0.0", true, "98500000000000", "", 123456, 12)
	row("bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh.gone", "cgminer/4.10.0", false, "0", "", 17, 3)
	row("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa.\x1b[31mred\x07", "\x1b]0;title\x07", true, "1200000000000", "~", 0, 0)
	for i := len(rows); i < 40; i++ {
		row(fmt.Sprintf("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa.rig%d", i), "bitaxe/BM1370", true, fmt.Sprintf("%d1000000000", i), "≈", 4242*i, i)
	}
	return []byte(`{"api_version":"1","operator":true,"total":45,"online":39,"truncated":5,"workers":[` + strings.Join(rows, ",") + `]}`)
}

func quoted(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string can always be encoded
	}
	return string(data)
}

const sessionsJSON = `[
{"session_id":"6f74d70c-e32f-4097-9f74-845347c304cf","peer":"192.0.2.7:54800","first_seen":"2026-01-31T10:20:18.068752Z","last_seen":"2026-01-31T19:55:01Z",
 "message_count":1019,"stats":{"parse_errors":0},"user_agent":null,"difficulty":512,"pool_host":"2001:db8::1","pool_port":3333,"origin":"proxy","live":false,
 "ended_at":"2026-01-31T19:55:01Z","close_reason":"miner_reset","workers":[],"gaps":0},
{"session_id":"60e6b941-c44a-4869-8466-94a28e1570ee","peer":"192.0.2.8:34150","first_seen":"2026-01-31T19:20:18Z","last_seen":"2026-01-31T19:55:02Z",
 "message_count":19,"user_agent":"bitaxe/BM1370","difficulty":1024,"pool_host":null,"pool_port":null,"origin":"tap","live":true,"ended_at":null,
 "workers":["bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh.矿机一号"],"gaps":1,
 "brief":{"accepted":300,"rejected":20,"unanswered":0,"conflicts":2,"hashes_per_second":98500000000000,"submit_p50_ms":21.504,"alarms":3}}]`

const alarmsJSON = `{"alarms":[
{"id":1,"cursor":7,"kind":"payout_missing","severity":"critical","session_id":"60e6b941","first_at":"2026-01-30T19:20:18Z","last_at":"2026-01-31T19:54:00Z","count":3,"text":"The coinbase of job 1f pays nothing to the address."},
{"id":2,"cursor":8,"kind":"wrong_ntime","severity":"warning","session_id":"60e6b941","first_at":"2026-01-31T19:20:18Z","last_at":"2026-01-31T19:20:18Z","count":1,"text":"The time of job 2 is two hours ahead."}],
"cursor":8,"more":false,"dropped":0}`

// modelOf is a model that has got all of the payloads, on a screen of a size.
func modelOf(t testing.TB, p payloads, width, height int) *model {
	t.Helper()
	never := func(context.Context, list, string) (any, error) { return nil, nil }
	m := newModel(t.Context(), "127.0.0.1:8000", screen{width: width, height: height, now: noon}, never, make(chan liveEvent))
	snapshot := fmt.Appendf(nil, `{"overview":%s,"hashrate":%s,"blocks":%s,"status":%s}`, p.overview, p.hashrate, p.blocks, p.status)
	event, err := decodeTopic("snapshot", snapshot)
	if err != nil {
		t.Fatal(err)
	}
	m.Update(event)
	m.Update(answer{listWorkers, decode[workerPage](t, p.workers), nil})
	m.Update(answer{listSessions, decode[[]session](t, p.sessions), nil})
	m.Update(answer{listBlocks, decode[[]block](t, p.blocks), nil})
	m.Update(answer{listAlarms, decode[alarmPage](t, p.alarms), nil})
	m.Update(answer{listHistory, decode[hashrate](t, p.hashrate), nil})
	return m
}

// press sends keys, one after the other.
func press(m *model, keys ...string) {
	special := map[string]tea.Key{
		"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab}, "up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown},
		"pgdown": {Code: tea.KeyPgDown}, "end": {Code: tea.KeyEnd}, "home": {Code: tea.KeyHome}, "backspace": {Code: tea.KeyBackspace},
		"ctrl+w": {Code: 'w', Mod: tea.ModCtrl}, "ctrl+u": {Code: 'u', Mod: tea.ModCtrl}, "shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift},
	}
	for _, k := range keys {
		key, ok := special[k]
		if !ok {
			key = tea.Key{Code: []rune(k)[0], Text: k}
		}
		m.Update(tea.KeyPressMsg(key))
	}
}

// plainFrame is what is on the screen, without looks.
func plainFrame(m *model) []string {
	was := m.screen.ink
	defer func() { m.screen.ink = was }()
	m.screen.ink.plain = true
	return m.frame()
}

// wantGolden compares with a file of testdata.
func wantGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
