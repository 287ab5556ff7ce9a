package audit

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/decode"
)

// Stratum's error codes, as most pools use them.
const (
	codeUnknownJob    = 21
	codeDuplicate     = 22
	codeUnauthorized  = 24
	codeNotSubscribed = 25
)

const maxReason = 120 // bytes

// judged takes the pool's word on a share.
func (s *session) judged(request, response *capture.Message, latency time.Duration) {
	r := s.record(request.N)
	if r != nil && r.answered {
		return
	}
	share := capture.Share{Audit: capture.AuditUnknown}
	if request.Share != nil {
		share = *request.Share
	}
	var failure *decode.Error
	if share.Pool = capture.PoolAccepted; !response.OK {
		share.Pool = capture.PoolRejected
		failure = decode.ParseError(response.Fields().Error)
		share.Reason = reasonOf(failure)
	}
	if r != nil && s.blind.since > r.n && (share.Audit == capture.AuditUnknownJob || share.Audit == capture.AuditLow) {
		// The line before the answer was lost: it may have been the job.
		if !r.replayed {
			*s.counts.Audit.of(share.Audit)--
			s.counts.Audit.Unknown++
		}
		share.Audit = capture.AuditUnknown
	}
	if r != nil {
		share.Conflict = s.conflict(r, &share, failure)
	}
	request.Share = &share
	replayed := request.Direction == capture.ScopeToPool
	if !replayed {
		s.countAnswer(r, &share, latency)
	}
	if r == nil {
		return
	}
	s.grow(-r.cost())
	r.share, r.answered, r.latency = &share, true, latency
	s.grow(r.cost())
	if share.Pool == capture.PoolRejected && r.inSeen && (failure == nil || failure.Code != codeDuplicate) {
		// It may be sent again and be accepted then.
		s.seen.remove(r.key)
		s.grow(-seenBytes)
		r.inSeen = false
	}
	if share.Conflict != "" {
		s.conflicting(request, response, &share)
	}
}

// record finds the record of a submit; nil when it made room.
func (s *session) record(n uint64) *shareRecord {
	i := sort.Search(s.shares.len(), func(i int) bool { return s.shares.at(i).n >= n })
	if i < s.shares.len() && s.shares.at(i).n == n {
		return s.shares.at(i)
	}
	return nil
}

// reasonOf is a rejection's reason in a few words of the pool's.
func reasonOf(e *decode.Error) string {
	if e == nil || e.Message == "" {
		return "no reason given"
	}
	return cut(e.Message, maxReason)
}

// countAnswer counts the pool's word on a share of the miner.
func (s *session) countAnswer(r *shareRecord, share *capture.Share, latency time.Duration) {
	add(&s.submitLatency, latency)
	s.quiet.answer = false
	s.waiting.count = max(s.waiting.count-1, 0)
	s.waiting.since = s.lastAt
	if share.Conflict != "" {
		s.counts.Conflicts++
	}
	if share.Pool == capture.PoolAccepted {
		s.counts.Accepted++
		s.difficultyShares++
		s.difficultyWork += min(share.Target, maxWork)
		s.work.add(s.lastAt, share.Target)
	} else {
		s.counts.Rejected++
		s.countReason(share.Reason)
	}
	if r == nil || r.job == nil {
		return
	}
	if share.Pool == capture.PoolAccepted {
		r.job.shares.Accepted++
	} else {
		r.job.shares.Rejected++
	}
}

// countReason counts a rejection. Reasons that hold numbers would be without
// end: above a limit they are counted together.
func (s *session) countReason(reason string) {
	i := slices.IndexFunc(s.reasons, func(c ReasonCount) bool { return c.Reason == reason })
	if i < 0 && len(s.reasons) >= maxReasons-1 {
		reason = "other reasons"
		i = slices.IndexFunc(s.reasons, func(c ReasonCount) bool { return c.Reason == reason })
	}
	if i < 0 {
		s.reasons = append(s.reasons, ReasonCount{Reason: reason})
		s.grow(len(reason) + 32)
		i = len(s.reasons) - 1
	}
	s.reasons[i].Count++
}

// conflict compares the pool's word with the audit. What may have a good reason
// that cannot be seen from here is no conflict.
func (s *session) conflict(r *shareRecord, share *capture.Share, failure *decode.Error) string {
	if share.Pool == capture.PoolAccepted {
		switch share.Audit {
		case capture.AuditLow:
			return AlarmAcceptedLow
		case capture.AuditDuplicate:
			return AlarmAcceptedDuplicate
		case capture.AuditStale:
			if r.sameTip {
				return "" // worth as much as before
			}
			return AlarmAcceptedStale
		case capture.AuditUnknownJob:
			return AlarmAcceptedUnknownJob
		case capture.AuditMalformed:
			return AlarmAcceptedMalformed
		}
		return ""
	}
	if share.Audit != capture.AuditValid && share.Audit != capture.AuditBlock {
		return ""
	}
	code := 0
	if failure != nil {
		code = failure.Code
	}
	switch {
	case r.tip != s.tips, r.job != nil && !r.job.stale.IsZero():
		return "" // the pool's new job and the share passed each other on the wire
	case code == codeUnauthorized, code == codeNotSubscribed, r.stranger:
		return "" // it is not about the share
	case code == codeDuplicate && (s.missing || s.gaps > 0):
		return "" // the first one may be what was not captured
	case share.Audit == capture.AuditBlock:
		return AlarmRejectedBlock
	case r.ambiguous, r.oddTime:
		return ""
	}
	return AlarmRejectedValid
}

// conflictTexts tell what a conflict means.
var conflictTexts = map[string]string{
	AlarmRejectedValid:      "The pool rejected a share that is valid",
	AlarmRejectedBlock:      "The pool rejected a share that is a block",
	AlarmAcceptedLow:        "The pool accepted a share below the difficulty that it had asked for",
	AlarmAcceptedDuplicate:  "The pool accepted the same share again",
	AlarmAcceptedStale:      "The pool accepted a share for a block that others had already found",
	AlarmAcceptedUnknownJob: "The pool accepted a share for a job that it never sent",
	AlarmAcceptedMalformed:  "The pool accepted a share that makes no header",
}

// conflicting raises the alarm of a conflict.
func (s *session) conflicting(request, response *capture.Message, share *capture.Share) {
	var text strings.Builder
	text.WriteString(conflictTexts[share.Conflict])
	text.WriteString(": job " + quote(share.Job))
	if share.Difficulty > 0 {
		text.WriteString(", difficulty " + number(share.Difficulty))
	}
	if share.Target > 0 {
		text.WriteString(", asked were " + number(share.Target))
	}
	if share.StaleBy > 0 {
		text.WriteString(", stale by " + share.StaleBy.Round(time.Millisecond).String())
	}
	if share.Reason != "" {
		text.WriteString("; the pool said " + quote(share.Reason))
	}
	text.WriteByte('.')
	severity := SeverityWarning
	if share.Conflict == AlarmRejectedBlock {
		severity = SeverityCritical
	}
	proof := []uint64{request.N}
	if response.N > 0 {
		proof = append(proof, response.N)
	}
	if r := s.record(request.N); r != nil && r.job != nil {
		proof = append(proof, r.job.n)
	}
	s.raise(share.Conflict, severity, s.lastAt, text.String(), proof...)
}
