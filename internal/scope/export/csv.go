package export

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// CSVColumns are the columns of CSV, in their order:
//
//	time               when the submit was received, RFC 3339 in UTC with microseconds
//	worker             as in the submit
//	job                id of the job
//	audit              what the scope found, one of the capture.Audit constants
//	pool               accepted, rejected or unanswered
//	reason             the pool's reason for a rejection
//	conflict           where audit and pool disagree
//	latency_ms         from the submit to its answer, in milliseconds
//	true_difficulty    of the share's hash
//	target_difficulty  that the pool had asked for
//	hash               display order
//	stale_ms           how late a stale share was, in milliseconds
//	direction          miner_to_pool, or hashscope_to_pool for a replay
//	message_id         of the submit
var CSVColumns = [...]string{
	"time", "worker", "job", "audit", "pool", "reason", "conflict", "latency_ms",
	"true_difficulty", "target_difficulty", "hash", "stale_ms", "direction", "message_id",
}

// CSV writes a table of the shares among messages and returns their number. It
// ends at the first error of the messages or of w.
func CSV(w io.Writer, messages iter.Seq2[*capture.Message, error]) (shares uint64, err error) {
	buffered := bufio.NewWriterSize(w, 1<<16)
	table := csv.NewWriter(buffered)
	table.UseCRLF = true
	if err := table.Write(CSVColumns[:]); err != nil {
		return 0, err
	}
	for m, err := range messages {
		if err != nil {
			return shares, fmt.Errorf("reading messages: %w", err)
		}
		if !m.IsRequest || m.Method != "mining.submit" || m.Direction == capture.PoolToMiner {
			continue
		}
		shares++
		if err := table.Write(row(m)); err != nil {
			return shares, err
		}
	}
	table.Flush()
	if err := table.Error(); err != nil {
		return shares, err
	}
	return shares, buffered.Flush()
}

// row is a share's line of the table.
func row(m *capture.Message) []string {
	latency := ""
	if m.Response != nil {
		latency = milliseconds(float64(m.Latency().Microseconds()) / 1000)
	}
	s := m.Share
	if s == nil {
		s = &capture.Share{}
	}
	stale := ""
	if s.StaleBy > 0 {
		stale = milliseconds(float64(s.StaleBy.Microseconds()) / 1000)
	}
	return []string{
		capture.FormatTime(m.Received), plain(m.Worker), plain(s.Job), plain(s.Audit), m.PoolVerdict(), plain(s.Reason), plain(s.Conflict), latency,
		known(s.Difficulty), known(s.Target), plain(s.Hash), stale, m.Direction.String(), plain(m.MessageID()),
	}
}

func milliseconds(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// known writes a number that is above zero when it is known.
func known(v float64) string {
	if !(v > 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// plain makes a text that nobody takes for a formula: what a miner calls itself
// must not be able to run anything in a spreadsheet. Line breaks and other
// control characters become blanks.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if strings.ContainsAny(firstRune(strings.TrimLeft(s, " \u00a0\u3000")), "=+-@＝＋－＠") {
		return "'" + s
	}
	return s
}

// firstRune is the first character of a text.
func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}
