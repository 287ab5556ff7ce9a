package inspect

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/poolscope/poolscope/internal/format"
	"github.com/poolscope/poolscope/internal/scope/audit"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/decode"
)

// Text says how a result is printed.
type Text struct {
	Name string // of the file
	Rows int    // most rows of a table, the newest; 0 is all of them
}

// Times of a table have milliseconds.
const clock = "15:04:05.000"

// Print writes a result for people.
func (out *Result) Print(w io.Writer, o Text) error {
	p := printer{Writer: bufio.NewWriter(w), o: o}
	p.file(&out.File, len(out.Sessions))
	for i := range out.Sessions {
		p.session(&out.Sessions[i])
	}
	p.alarms(out.Alarms)
	return p.Flush()
}

type printer struct {
	*bufio.Writer
	o Text
}

// f prints; the first error is what Flush returns.
func (p *printer) f(format string, a ...any) { fmt.Fprintf(p.Writer, format, a...) }

func (p *printer) file(f *File, sessions int) {
	p.f("%s: %s", p.o.Name, orDash(f.Format))
	if f.Packets > 0 {
		p.f(", %s", count(f.Packets, "packet"))
	}
	p.f(", %s in %s", count(int(f.Messages), "message"), count(sessions, "session")) //nolint:gosec // no file has so many
	if !f.FirstAt.IsZero() {
		p.f(", %s to %s UTC", f.FirstAt.Format("2006-01-02 "+clock), f.LastAt.Format("2006-01-02 "+clock))
	}
	p.f("\n")
	if f.Streams > 0 {
		p.f("TCP streams: %d%s\n", f.Streams, counts("; not Stratum", f.Others))
	}
	if len(f.Skipped) > 0 {
		p.f("Packets left out%s\n", counts("", f.Skipped))
	}
	if f.Holes > 0 {
		p.f("Not captured: %d bytes in %s\n", f.Missing, count(int(f.Holes), "place")) //nolint:gosec // no file has so many
	}
	if c := f.Chain; c != nil {
		if c.Intact {
			p.f("Hash chain: intact, head %s\n", c.Head)
		} else {
			p.f("Hash chain: BROKEN, %s\n", c.Broken)
		}
	}
	if d := f.Dropped; d != (Dropped{}) {
		p.f("Too much to be kept: %d messages, %d sessions, %d jobs, shares and difficulties\n", d.Messages, d.Sessions, d.Records)
	}
	if f.Problem != "" {
		p.f("PROBLEM: %s. What follows is what was read until there.\n", f.Problem)
	}
}

// counts lists what was counted, by its name.
func counts(what string, n map[string]int) string {
	if len(n) == 0 {
		return ""
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, strconv.Itoa(n[name])+" "+name)
	}
	return what + ": " + strings.Join(parts, ", ")
}

func (p *printer) session(s *Session) {
	f := &s.Facts
	p.f("\nSESSION %s  %s → %s\n", f.Session, orDash(f.Peer), orDash(f.PoolPeer))
	p.f("  began %s, lasted %s, %s", f.BeganAt.Format("2006-01-02 "+clock), f.EndedAt.Sub(f.BeganAt).Round(time.Millisecond), f.CloseReason)
	if !f.Complete {
		p.f("; not captured from its beginning, or not all of it")
	}
	p.f("\n  miner %s, workers %s\n", orDash(f.UserAgent), orDash(strings.Join(f.Workers, ", ")))
	p.f("  extranonce1 %s, extranonce2 of %s, version mask %s, difficulty %s\n",
		orDash(f.Extranonce1), count(f.Extranonce2Size, "byte"), orDash(f.VersionMask), difficulty(f.Difficulty))
	p.f("  %s, %d that are no Stratum; %s lost\n", count(int(f.Messages), "message"), f.ParseErrors, count(int(f.LostBytes), "byte")) //nolint:gosec // no file has so many
	p.f("  shares: %d accepted, %d rejected, %d unanswered%s", f.Shares.Accepted, f.Shares.Rejected, f.Shares.Unanswered,
		counts("; audit", auditCounts(&f.Shares.Audit)))
	if f.Shares.Conflicts > 0 {
		p.f("; %d CONFLICTS between pool and audit", f.Shares.Conflicts)
	}
	p.f("\n")
	for _, r := range f.Shares.Reasons {
		p.f("    rejected %d times: %s\n", r.Count, r.Reason)
	}
	if f.SubmitLatency.Count > 0 {
		p.f("  submit to answer: median %.1f ms, 99 %% within %.1f ms\n", f.SubmitLatency.P50, f.SubmitLatency.P99)
	}
	if h := f.Hashrate.Session.Hashes; h != nil {
		p.f("  hashrate by accepted shares: %s\n", format.Hashrate(*h))
	}
	p.pays(s.Newest)
	p.jobs(s.Jobs)
	p.shares(s.Shares)
	p.messages(s.Messages)
}

func auditCounts(c *audit.VerdictCounts) map[string]int {
	all := map[string]int{}
	for name, n := range map[string]uint64{
		capture.AuditValid: c.Valid, capture.AuditLow: c.LowDifficulty, capture.AuditDuplicate: c.Duplicate, capture.AuditStale: c.Stale,
		capture.AuditUnknownJob: c.UnknownJob, capture.AuditMalformed: c.Malformed, capture.AuditBlock: c.Block, capture.AuditUnknown: c.Unknown,
	} {
		if n > 0 {
			all[name] = int(n) //nolint:gosec // no file has so many
		}
	}
	return all
}

// table prints rows in columns, the newest of them.
func (p *printer) table(title, heads string, n int, row func(i int) string) {
	if n == 0 {
		return
	}
	first := 0
	if p.o.Rows > 0 && n > p.o.Rows {
		first = n - p.o.Rows
		p.f("  %s: the last %d of %d\n", title, p.o.Rows, n)
	} else {
		p.f("  %s: %d\n", title, n)
	}
	t := tabwriter.NewWriter(p.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "    "+strings.ReplaceAll(heads, "|", "\t"))
	for i := first; i < n; i++ {
		fmt.Fprintln(t, "    "+row(i))
	}
	_ = t.Flush() // the error stays in p.Writer
}

func (p *printer) jobs(jobs []audit.Job) {
	p.table("Jobs", "time|message|job|height|previous block|difficulty|branches|clean|pays BTC|tag", len(jobs), func(i int) string {
		j := &jobs[i]
		height, clean := strconv.FormatInt(j.Height, 10), ""
		if j.Height < 0 {
			height = "-"
		}
		if j.Clean {
			clean = "clean"
		}
		branches := strconv.Itoa(j.Branches)
		if j.Empty {
			branches = "empty"
		}
		return cells(j.ReceivedAt.Format(clock), strconv.FormatUint(j.N, 10), j.ID, height, shortHash(j.PrevHash), difficulty(j.Difficulty),
			branches, orDash(clean), fmt.Sprintf("%d.%08d", j.Value/1e8, j.Value%1e8), orDash(j.Tag))
	})
}

func (p *printer) shares(shares []audit.Share) {
	p.table("Shares", "time|message|worker|job|difficulty|of|audit|pool|latency|hash|remark", len(shares), func(i int) string {
		s := &shares[i]
		latency := "-"
		if s.Latency != nil {
			latency = fmt.Sprintf("%.1f ms", *s.Latency)
		}
		var remarks []string
		if s.Conflict != "" {
			remarks = append(remarks, strings.ToUpper(strings.ReplaceAll(s.Conflict, "_", " ")))
		}
		if s.Reason != "" {
			remarks = append(remarks, s.Reason)
		}
		if s.StaleBy > 0 {
			remarks = append(remarks, fmt.Sprintf("stale by %.1f ms", s.StaleBy))
		}
		if s.Replayed {
			remarks = append(remarks, "replay")
		}
		return cells(s.ReceivedAt.Format(clock), strconv.FormatUint(s.N, 10), s.Worker, s.Job, difficulty(s.Difficulty), difficulty(s.Target),
			s.Audit, s.Pool, latency, shortHash(s.Hash), orDash(strings.Join(remarks, "; ")))
	})
}

// pays prints whom the last job pays.
func (p *printer) pays(j *decode.Job) {
	if j == nil || j.Coinbase == nil {
		return
	}
	for _, out := range j.Coinbase.Outputs {
		if out.Value > 0 {
			p.f("  the last job pays %s BTC (%.4g %%) to %s\n", out.ValueBTC, out.Percent, cmp.Or(out.Address, out.Type+" "+out.Script))
		}
	}
	for _, mark := range j.Coinbase.Marks {
		if mark.Name != "witness_commitment" {
			p.f("  the last job has a mark: %s\n", mark.Label)
		}
	}
	for _, problem := range j.Problems {
		p.f("  PROBLEM of the last job: %s %s\n", problem.Field, problem.Problem)
	}
}

// messages prints what was said, in words.
func (p *printer) messages(messages []*capture.Message) {
	lines := make(map[uint64]json.RawMessage) // requests that were not answered yet
	p.table("Messages", "time|message||what", len(messages), func(i int) string {
		m := messages[i]
		arrow := map[capture.Direction]string{capture.MinerToPool: "→", capture.PoolToMiner: "←", capture.ScopeToPool: "⇢"}[m.Direction]
		what := m.Fault
		if object := m.Decoded(); m.Fault == "" {
			d := decode.Decode(object, lines[m.Pair], decode.Context{FromMiner: m.Direction != capture.PoolToMiner, Received: m.Received})
			what = d.Summary
			for _, problem := range d.Problems {
				what += " PROBLEM: " + problem.Field + " " + problem.Problem + "."
			}
			if m.IsRequest && m.Pair > 0 {
				lines[m.N] = object
			}
			delete(lines, m.Pair)
		}
		if m.Gap > 0 {
			what += fmt.Sprintf(" (%d bytes before it were not captured)", m.Gap)
		}
		return cells(m.Received.Format(clock), strconv.FormatUint(m.N, 10), arrow, what)
	})
}

func (p *printer) alarms(alarms []audit.Alarm) {
	if len(alarms) == 0 {
		p.f("\nNo alarms.\n")
		return
	}
	p.f("\n")
	p.table("Alarms", "time|severity|session|kind|times|what", len(alarms), func(i int) string {
		a := &alarms[i]
		return cells(a.FirstAt.Format(clock), a.Severity, a.Session, a.Kind, strconv.FormatUint(a.Count, 10), a.Text)
	})
}

// cells joins the cells of a row. What peers wrote must not make columns.
func cells(texts ...string) string {
	for i, s := range texts {
		texts[i] = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
				return ' '
			}
			return r
		}, s)
	}
	return strings.TrimRight(strings.Join(texts, "\t"), "\t")
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// shortHash is the end of a hash: in front all have zeros.
func shortHash(hash string) string {
	const digits = 12
	if len(hash) <= digits {
		return orDash(hash)
	}
	return "…" + hash[len(hash)-digits:]
}

func difficulty(d float64) string {
	switch {
	case d <= 0:
		return "-"
	case d >= 1e15 || d < 1e-3:
		return strconv.FormatFloat(d, 'g', 4, 64)
	}
	text := strconv.FormatFloat(d, 'f', -1, 64)
	return text[:min(len(text), 12)]
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}
