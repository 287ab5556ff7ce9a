package audit

import (
	"slices"
	"sort"
	"strconv"
	"time"
)

// maxProof is how many messages an alarm names of its first time, and of the
// latest ones.
const maxProof = 4

// kinds are all kinds of alarms, for counters that begin at zero.
var kinds = []string{
	AlarmBlock, AlarmBlockNotSubmitted, AlarmPayoutMissing, AlarmPayoutChanged, AlarmWorkerRewritten, AlarmUnknownWorker,
	AlarmExtranonceChanged, AlarmReconnect, AlarmUnknownTip, AlarmOldTip, AlarmLateJob, AlarmBits, AlarmTime,
	AlarmEmptyBlocks, AlarmDifficultyRaised, AlarmPoolSilent, AlarmSubmitUnanswered, AlarmMinerSilent,
	AlarmRejectedValid, AlarmRejectedBlock, AlarmAcceptedLow, AlarmAcceptedDuplicate, AlarmAcceptedStale,
	AlarmAcceptedUnknownJob, AlarmAcceptedMalformed,
}

// book keeps the alarms of all sessions.
type book struct {
	list    []*Alarm // in the order of their ids
	limit   int
	id      uint64 // of the latest
	cursor  uint64
	dropped uint64
	raised  map[string]uint64 // by kind
}

func newBook(limit int) book { return book{limit: limit, raised: make(map[string]uint64)} }

// counts are the alarms raised, by kind.
func (b *book) counts() []AlarmCount {
	out := make([]AlarmCount, 0, len(kinds))
	for _, kind := range kinds {
		out = append(out, AlarmCount{kind, b.raised[kind]})
	}
	return out
}

// add enters an alarm. The oldest one makes room.
func (b *book) add(alarm *Alarm) {
	b.id++
	alarm.ID = b.id
	b.list = append(b.list, alarm)
	if len(b.list) > b.limit {
		b.list[0].Cursor = 0 // its session makes a new one, should it come again
		b.list = slices.Delete(b.list, 0, 1)
		b.dropped++
	}
}

// raise raises an alarm of the session, or counts it once more. proof are the
// numbers of its messages that show it; 0 is none.
func (s *session) raise(kind, severity string, at time.Time, text string, proof ...uint64) {
	ids := make([]string, 0, len(proof))
	for _, n := range proof {
		if n > 0 {
			ids = append(ids, s.id(n))
		}
	}
	s.raiseWith(kind, severity, at, text, ids)
}

// raiseWith is raise with the ids of messages of any session.
func (s *session) raiseWith(kind, severity string, at time.Time, text string, proof []string) {
	b := &s.a.alarms
	b.raised[kind]++
	b.cursor++
	at = stamp(at)
	alarm := s.alarms[kind]
	if alarm == nil || alarm.Cursor == 0 {
		alarm = &Alarm{Kind: kind, Session: s.info.ID, FirstAt: at}
		s.alarms[kind] = alarm
		b.add(alarm)
	}
	alarm.Cursor, alarm.Severity, alarm.LastAt, alarm.Text = b.cursor, severity, at, text
	alarm.Count++
	for _, id := range proof {
		alarm.prove(id)
	}
	if alarm.Count == 1 || severity == SeverityCritical {
		s.a.tell(alarm)
	}
}

// amend tells what became of an alarm.
func (s *session) amend(kind, text string) {
	if alarm := s.alarms[kind]; alarm != nil && alarm.Cursor > 0 {
		s.a.alarms.cursor++
		alarm.Cursor, alarm.Text = s.a.alarms.cursor, text
	}
}

// prove adds a message. Of many the first ones and the latest ones are kept.
func (a *Alarm) prove(id string) {
	if slices.Contains(a.Messages, id) {
		return
	}
	if len(a.Messages) >= 2*maxProof {
		a.Messages = slices.Delete(a.Messages, maxProof, maxProof+1)
	}
	a.Messages = append(a.Messages, id)
}

// loudEvery is the least time between two log lines of one kind.
const loudEvery = 10 * time.Second

// tell logs an alarm, critical ones as errors.
func (a *Auditor) tell(alarm *Alarm) {
	if last := a.told[alarm.Kind]; alarm.LastAt.Sub(last) < loudEvery && alarm.LastAt.After(last) {
		return
	}
	a.told[alarm.Kind] = alarm.LastAt
	log := a.log.Warn
	switch alarm.Severity {
	case SeverityCritical:
		log = a.log.Error
	case SeverityInfo:
		log = a.log.Info
	}
	log("alarm", "kind", alarm.Kind, "session", alarm.Session, "text", alarm.Text, "count", alarm.Count, "messages", alarm.Messages)
}

// AlarmFilter says which alarms are wanted. Its zero value wants the first 100
// of all.
type AlarmFilter struct {
	Session string
	Kind    string
	Since   uint64 // only those that changed after this cursor
	Limit   int    // most alarms; 0 is 100
}

// AlarmPage are alarms in the order in which they changed last.
type AlarmPage struct {
	Alarms  []Alarm `json:"alarms"`
	Cursor  uint64  `json:"cursor"`  // to be given as since for what changes from here on
	More    bool    `json:"more"`    // there are more now
	Dropped uint64  `json:"dropped"` // alarms that made room, since start
}

// Alarms lists alarms. Polling with the cursor of the last page gives each
// change once.
func (a *Auditor) Alarms(f AlarmFilter) AlarmPage {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f.Limit <= 0 {
		f.Limit = defaultPage
	}
	var found []*Alarm
	for _, alarm := range a.alarms.list {
		if alarm.Cursor > f.Since && (f.Session == "" || alarm.Session == f.Session) && (f.Kind == "" || alarm.Kind == f.Kind) {
			found = append(found, alarm)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Cursor < found[j].Cursor })
	page := AlarmPage{Alarms: []Alarm{}, Cursor: max(a.alarms.cursor, f.Since), Dropped: a.alarms.dropped}
	if page.More = len(found) > f.Limit; page.More {
		found = found[:f.Limit]
		page.Cursor = found[f.Limit-1].Cursor
	}
	for _, alarm := range found {
		c := *alarm
		c.Messages = slices.Clone(alarm.Messages)
		page.Alarms = append(page.Alarms, c)
	}
	return page
}

// quote puts a text of a peer into a sentence.
func quote(s string) string { return strconv.Quote(cut(s, 64)) }

// number writes a number for people.
func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
