package export

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// judge is an analyst that knows one share.
type judge struct{ share capture.Share }

func (j judge) Opened(capture.Session) {}
func (j judge) Closed(capture.Session) {}
func (j judge) Message(m *capture.Message) {
	if m.Method == "mining.submit" && m.Worker != "unaudited" {
		m.Share = &j.share
	}
}
func (j judge) Answered(_, _ *capture.Message) {}

func table(t testing.TB, share capture.Share, lines ...string) [][]string {
	t.Helper()
	_, messages := record(t, opening(), capture.Config{Analyst: judge{share}}, func(tape *capture.Tape) {
		for i, line := range lines {
			d, line, _ := strings.Cut(line, " ")
			direction := capture.MinerToPool
			if d == "<" {
				direction = capture.PoolToMiner
			}
			chunk(tape, direction, line+"\n", i)
		}
	})
	var b bytes.Buffer
	if _, err := CSV(&b, sequence(messages, nil)); err != nil {
		t.Fatal(err)
	}
	if strings.Count(b.String(), "\n") != strings.Count(b.String(), "\r\n") {
		t.Errorf("not all lines end with CR LF: %q", b.String())
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestCSV(t *testing.T) {
	share := capture.Share{
		Job: "4f", Audit: capture.AuditStale, Pool: capture.PoolRejected, Reason: "Stale, really", Conflict: "",
		Difficulty: 1234.5, Target: 1e-7, Hash: "00ab", StaleBy: 1500 * time.Microsecond,
	}
	got := table(t, share,
		`> {"id":1,"method":"mining.submit","params":["w.1","4f","00","65","ab"]}`,
		`< {"id":null,"method":"mining.set_difficulty","params":[2]}`,
		`< {"id":1,"result":null,"error":[21,"Stale",null]}`,
		`> {"id":2,"method":"mining.submit","params":["unaudited","4f","00","65","ab"]}`,
	)
	want := [][]string{
		CSVColumns[:],
		{"2026-01-02T03:04:05.678918Z", "w.1", "4f", "stale", "rejected", "Stale, really", "", "2", "1234.5", "0.0000001", "00ab", "1.5", "miner_to_pool", "s1-1"},
		{"2026-01-02T03:04:05.681918Z", "unaudited", "", "", "unanswered", "", "", "", "", "", "", "", "miner_to_pool", "s1-4"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// No cell that a peer can fill begins like a formula.
func TestNoFormulas(t *testing.T) {
	for _, evil := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "＝1", "=\"x\",\"y\"", `=cmd|' /C calc'!A0`} {
		for _, cell := range table(t, capture.Share{Job: evil, Audit: "valid", Reason: evil, Conflict: evil, Hash: evil},
			`> {"id":1,"method":"mining.submit","params":["`+strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, `"`, `\"`).Replace(evil)+`"]}`)[1] {
			if trimmed := strings.TrimSpace(cell); trimmed != "" && strings.ContainsRune("=+-@＝", []rune(trimmed)[0]) {
				t.Errorf("%q becomes the cell %q", evil, cell)
			}
		}
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("=1,2\r\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		rows := table(t, capture.Share{Job: text, Audit: text, Reason: text, Conflict: text, Hash: text}, `> {"id":1,"method":"mining.submit","params":[]}`)
		if len(rows) != 2 || len(rows[1]) != len(CSVColumns) {
			t.Errorf("%q", rows)
		}
	})
}
