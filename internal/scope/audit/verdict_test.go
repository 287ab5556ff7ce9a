package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
)

// A pool that says the truth, and one that does not, about every kind of share.
func TestVerdicts(t *testing.T) {
	for name, test := range map[string]struct {
		do       func(s *stage) (request, response, job uint64)
		audit    string
		conflict string
	}{
		"valid, accepted": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			m, r := s.submit(s.good(j), yes)
			return m, r, j.n
		}, capture.AuditValid, ""},
		"valid, rejected": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			m, r := s.submit(s.good(j), low)
			return m, r, j.n
		}, capture.AuditValid, AlarmRejectedValid},
		"low, rejected": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			m, r := s.submit(s.bad(j), low)
			return m, r, j.n
		}, capture.AuditLow, ""},
		"low, accepted": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			m, r := s.submit(s.bad(j), yes)
			return m, r, j.n
		}, capture.AuditLow, AlarmAcceptedLow},
		"duplicate, rejected": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			share := s.good(j)
			s.submit(share, yes)
			m, r := s.submit(share, rejection(22, "Duplicate share"))
			return m, r, j.n
		}, capture.AuditDuplicate, ""},
		"duplicate, accepted": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			share := s.good(j)
			s.submit(share, yes)
			m, r := s.submit(share, yes)
			return m, r, j.n
		}, capture.AuditDuplicate, AlarmAcceptedDuplicate},
		"again after a refusal that was not about the share": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			share := s.good(j)
			s.submit(share, rejection(24, "Unauthorized worker"))
			m, r := s.submit(share, yes)
			return m, r, j.n
		}, capture.AuditValid, ""},
		"unauthorized": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			m, r := s.submit(s.good(j), rejection(24, "Unauthorized worker"))
			return m, r, j.n
		}, capture.AuditValid, ""},
		"stale, rejected": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			share := s.good(j)
			s.job(2, true)
			time.Sleep(40 * time.Millisecond)
			m, r := s.submit(share, rejection(21, "Stale"))
			return m, r, j.n
		}, capture.AuditStale, ""},
		"stale, accepted": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			share := s.good(j)
			s.job(2, false)
			time.Sleep(40 * time.Millisecond)
			m, r := s.submit(share, yes)
			return m, r, j.n
		}, capture.AuditStale, AlarmAcceptedStale},
		"taken back with clean_jobs, accepted": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			share := s.good(j)
			s.job(1, true)
			time.Sleep(40 * time.Millisecond)
			m, r := s.submit(share, yes)
			return m, r, j.n
		}, capture.AuditStale, ""},
		"an older job of the same block": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			share := s.good(j)
			s.job(1, false)
			s.job(1, false)
			m, r := s.submit(share, yes)
			return m, r, j.n
		}, capture.AuditValid, ""},
		"share and new block pass each other": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			id, m := s.call("mining.submit", s.good(j).params)
			s.job(2, true)
			return m, s.pool(answer(id, rejection(21, "Stale"))), j.n
		}, capture.AuditValid, ""},
		"unknown job, rejected": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			share := s.good(&testJob{id: "nope", prev: j.prev, parts: j.parts, extranonce1: j.extranonce1, time: j.time})
			m, r := s.submit(share, rejection(21, "Job not found"))
			return m, r, 0
		}, capture.AuditUnknownJob, ""},
		"unknown job, accepted": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			share := s.good(&testJob{id: "nope", prev: j.prev, parts: j.parts, extranonce1: j.extranonce1, time: j.time})
			m, r := s.submit(share, yes)
			return m, r, 0
		}, capture.AuditUnknownJob, AlarmAcceptedUnknownJob},
		"malformed, rejected": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			m, r := s.ask("mining.submit", `["`+alice+`.rig","`+j.id+`","00","65000000","xyz"]`, rejection(20, "Malformed"))
			return m, r, j.n
		}, capture.AuditMalformed, ""},
		"extranonce2 too short, accepted": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			m, r := s.ask("mining.submit", `["`+alice+`.rig","`+j.id+`","0000","65000000","00000001"]`, yes)
			return m, r, j.n
		}, capture.AuditMalformed, AlarmAcceptedMalformed},
		"block, accepted": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true, func(j *testJob) { j.bits = easyBits })
			m, r := s.submit(s.find(j, 1.0/65536, 1e9), yes)
			return m, r, j.n
		}, capture.AuditBlock, ""},
		"block, rejected": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true, func(j *testJob) { j.bits = easyBits })
			m, r := s.submit(s.find(j, 1.0/65536, 1e9), low)
			return m, r, j.n
		}, capture.AuditBlock, AlarmRejectedBlock},
		"the difficulty was raised after the job": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			s.setDifficulty(1000 * easy)
			m, r := s.submit(s.find(j, easy, 100*easy), yes)
			return m, r, j.n
		}, capture.AuditValid, ""},
		"the difficulty was raised after the job, and counts at once": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			s.setDifficulty(1000 * easy)
			m, r := s.submit(s.find(j, easy, 100*easy), low)
			return m, r, j.n
		}, capture.AuditValid, ""},
		"the difficulty was lowered after the job": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			s.setDifficulty(easy / 10)
			m, r := s.submit(s.find(j, easy/10, easy/2), yes)
			return m, r, j.n
		}, capture.AuditValid, ""},
		"rounding": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			share := s.good(j)
			s.setDifficulty(share.difficulty * 1.0009)
			j = s.job(1, false, func(n *testJob) { *n = *j; n.id = "r"; n.clean = false })
			share.params = replaceJob(share.params, "r")
			m, r := s.submit(share, yes)
			return m, r, j.n
		}, capture.AuditValid, ""},
		"more than rounding": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			share := s.good(j)
			s.setDifficulty(share.difficulty * 1.0011)
			j = s.job(1, false, func(n *testJob) { *n = *j; n.id = "r"; n.clean = false })
			share.params = replaceJob(share.params, "r")
			m, r := s.submit(share, low)
			return m, r, j.n
		}, capture.AuditLow, ""},
		"a new extranonce counts from the next job on": {func(s *stage) (uint64, uint64, uint64) {
			s.ask("mining.extranonce.subscribe", `[]`, yes)
			j := s.job(1, true)
			s.pool(`{"id":null,"method":"mining.set_extranonce","params":["aabbccdd",8]}`)
			m, r := s.submit(s.good(j), yes)
			return m, r, j.n
		}, capture.AuditValid, ""},
		"a job with the new extranonce": {func(s *stage) (uint64, uint64, uint64) {
			s.ask("mining.extranonce.subscribe", `[]`, yes)
			s.pool(`{"id":null,"method":"mining.set_extranonce","params":["aabbccdd",8]}`)
			s.extranonce1 = []byte{0xaa, 0xbb, 0xcc, 0xdd}
			j := s.job(1, true)
			m, r := s.submit(s.good(j), yes)
			return m, r, j.n
		}, capture.AuditValid, ""},
		"a job after lines of the pool were lost": {func(s *stage) (uint64, uint64, uint64) {
			s.job(1, true)
			s.gap()
			j := s.job(2, true)
			m, r := s.submit(s.bad(j), yes)
			return m, r, j.n
		}, capture.AuditUnknown, ""},
		"an unknown job after lines of the pool were lost": {func(s *stage) (uint64, uint64, uint64) {
			j := s.job(1, true)
			s.gap()
			m, r := s.submit(s.good(&testJob{id: "nope", prev: j.prev, parts: j.parts, extranonce1: j.extranonce1, time: j.time}), yes)
			return m, r, 0
		}, capture.AuditUnknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var request, response, job uint64
			a, store := play(t, Config{}, func(w *wire) { request, response, job = test.do(newStage(w)) })
			found := shares(t, a)
			s := found[len(found)-1]
			if s.N != request || s.Audit != test.audit || s.Conflict != test.conflict {
				t.Errorf("share %+v, want %s, %q", s, test.audit, test.conflict)
			}
			if m := store.Message("s", request); m.Share == nil || m.Share.Audit != s.Audit || m.Share.Conflict != s.Conflict || m.Share.Pool != s.Pool {
				t.Errorf("the message has %+v", m.Share)
			}
			if (s.Audit == capture.AuditStale) != (s.StaleBy > 0) {
				t.Errorf("stale by %v ms", s.StaleBy)
			}
			for _, kind := range []string{AlarmRejectedValid, AlarmRejectedBlock, AlarmAcceptedLow, AlarmAcceptedDuplicate, AlarmAcceptedStale, AlarmAcceptedUnknownJob, AlarmAcceptedMalformed} {
				told, ok := alarm(a, kind)
				if ok != (kind == test.conflict) {
					t.Errorf("alarm %+v", told)
				}
				if !ok {
					continue
				}
				proof := ids(request, response)
				if job > 0 {
					proof = ids(request, response, job)
				}
				if !slices.Equal(told.Messages, proof) || told.Count != 1 || told.Text == "" {
					t.Errorf("alarm %+v, want proof %v", told, proof)
				}
			}
			facts, _ := a.Facts("s")
			if c := facts.Shares; c.Submitted != uint64(len(found)) || c.Unanswered != 0 || c.Accepted+c.Rejected != c.Submitted || (c.Conflicts == 1) != (test.conflict != "") {
				t.Errorf("counts %+v", c)
			}
		})
	}
}

// Stale by how much is told from the forwarding of the new job.
func TestStaleBy(t *testing.T) {
	a, _ := play(t, Config{}, func(w *wire) {
		s := newStage(w)
		share := s.good(s.job(1, true))
		mark := w.tape.Chunk(capture.PoolToMiner, []byte(`{"id":null,"method":"mining.ping","params":[]}`+"\n"), time.Now())
		w.n++
		mark.Forwarded(time.Now())
		s.job(2, true)
		time.Sleep(137 * time.Millisecond)
		s.submit(share, rejection(21, "Stale"))
	})
	if s := shares(t, a)[0]; s.StaleBy != 137 {
		t.Errorf("stale by %v ms", s.StaleBy)
	}
}
