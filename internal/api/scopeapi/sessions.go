package scopeapi

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
)

// sessionView is a session: the contract's members, then the original's, then
// ours. What is not known is null where the original has a null, and left out
// elsewhere.
type sessionView struct {
	SessionID    string       `json:"session_id" doc:"Never used again" example:"abc-def-123"`
	Peer         string       `json:"peer" doc:"Address of the miner" example:"192.168.1.100:12345"`
	FirstSeen    string       `json:"first_seen" format:"date-time" doc:"When it connected"`
	LastSeen     string       `json:"last_seen" format:"date-time" doc:"When the newest message came"`
	MessageCount uint64       `json:"message_count" doc:"Messages captured ever" example:"156"`
	Stats        sessionStats `json:"stats"`

	UserAgent       *string  `json:"user_agent" nullable:"true" doc:"What the miner calls its software" example:"cgminer/4.10"`
	MiningSessionID *string  `json:"mining_session_id" nullable:"true" doc:"Session that the miner asked to resume"`
	Difficulty      *float64 `json:"difficulty" nullable:"true" doc:"Of the latest mining.set_difficulty" example:"8192"`
	PoolHost        *string  `json:"pool_host" nullable:"true" doc:"Pool that was dialled; null for connections of our own pool"`
	PoolPort        *int     `json:"pool_port" nullable:"true"`
	PoolConnected   bool     `json:"pool_connected" doc:"Whether the pool is connected now"`
	PoolPeer        string   `json:"pool_peer,omitempty" doc:"Resolved address of the pool; left out until it was connected"`

	SessionSettings

	Origin     string   `json:"origin" enum:"proxy,tap,file" doc:"How the lines reach the scope"`
	Listener   string   `json:"listener,omitempty" doc:"Address that the miner connected to"`
	Live       bool     `json:"live" doc:"Whether it has not ended"`
	EndedAt    *string  `json:"ended_at" nullable:"true" format:"date-time"`
	CloseCause *string  `json:"close_reason" nullable:"true" doc:"Why it ended" example:"miner_closed"`
	Workers    []string `json:"workers" doc:"Names that the miner authorized with"`
	Kept       int      `json:"kept_messages" doc:"Messages that are in memory"`
	LostBytes  uint64   `json:"lost_bytes" doc:"Bytes that were relayed but not captured"`
	Gaps       uint64   `json:"gaps" doc:"Holes that those bytes left"`
	Unjournal  uint64   `json:"journal_dropped" doc:"Messages that were captured and are not in the journal: see /api/scope/gaps"`
	Unpaired   uint64   `json:"unpaired" doc:"Requests that were given up waiting for their response"`

	Brief *sessionBrief `json:"brief,omitempty" doc:"In lists that asked for it, and where the audit is kept"`
}

// sessionBrief are those facts of a session that a list shows.
type sessionBrief struct {
	Accepted   uint64   `json:"accepted" doc:"Shares"`
	Rejected   uint64   `json:"rejected" doc:"Shares"`
	Unanswered uint64   `json:"unanswered" doc:"Shares"`
	Conflicts  uint64   `json:"conflicts" doc:"Shares that pool and audit disagree about"`
	AcceptRate *float64 `json:"accept_rate" nullable:"true" doc:"accepted / (accepted + rejected)"`
	Hashrate   *float64 `json:"hashes_per_second" nullable:"true" doc:"From the work accepted in the last five minutes; of an ended session, in all of it"`
	Latency    *float64 `json:"submit_p50_ms" nullable:"true" doc:"Median time from a share to its answer"`
	Alarms     int      `json:"alarms" doc:"Kinds of alarm raised"`
}

// briefOf picks them; nil when the audit knows nothing of the session.
func (a *API) briefOf(s *capture.Session) *sessionBrief {
	if a.src.Audit == nil {
		return nil
	}
	f, ok := a.src.Audit.LiveFacts(s.ID)
	if !ok {
		return nil
	}
	b := &sessionBrief{
		Accepted: f.Shares.Accepted, Rejected: f.Shares.Rejected, Unanswered: f.Shares.Unanswered,
		Conflicts: f.Shares.Conflicts, AcceptRate: f.Shares.AcceptRate, Hashrate: f.Hashrate.FiveMinutes.Hashes, Alarms: f.Alarms,
	}
	if !s.Live() {
		b.Hashrate = f.Hashrate.Session.Hashes
	}
	if f.SubmitLatency.Count > 0 {
		b.Latency = &f.SubmitLatency.P50
	}
	return b
}

// sessionStats counts the messages of a session, those that are no longer in
// memory with them.
type sessionStats struct {
	TotalMessages uint64 `json:"total_messages" example:"156"`
	MinerToPool   uint64 `json:"miner_to_pool" example:"78"`
	PoolToMiner   uint64 `json:"pool_to_miner" example:"78"`
	ParseErrors   uint64 `json:"parse_errors" example:"0"`
	ScopeToPool   uint64 `json:"hashscope_to_pool" doc:"Lines that the scope sent itself" example:"0"`
}

// viewOf is a session as the API shows it.
func (a *API) viewOf(s *capture.Session) sessionView {
	v := sessionView{
		SessionID: s.ID, Peer: s.Miner,
		FirstSeen: capture.FormatTime(s.At), LastSeen: capture.FormatTime(s.LastSeen),
		MessageCount: s.Messages,
		Stats: sessionStats{
			TotalMessages: s.Messages,
			MinerToPool:   s.ByDirection[capture.MinerToPool],
			PoolToMiner:   s.ByDirection[capture.PoolToMiner],
			ScopeToPool:   s.ByDirection[capture.ScopeToPool],
			ParseErrors:   s.Faults,
		},
		UserAgent: known(s.UserAgent), MiningSessionID: known(s.ResumeID),
		PoolConnected: s.Connected, PoolPeer: s.PoolPeer,
		SessionSettings: a.settingsOf(s.ID),
		Origin:          string(s.Origin), Listener: s.Listener,
		Live: s.Live(), EndedAt: knownTime(s.EndedAt), CloseCause: known(s.Reason),
		Workers: s.Workers, Kept: s.Kept, LostBytes: s.LostBytes, Gaps: s.Gaps, Unpaired: s.Unpaired,
	}
	if v.Workers == nil {
		v.Workers = []string{}
	}
	if s.Difficulty > 0 {
		v.Difficulty = &s.Difficulty
	}
	if host, port, ok := splitPool(s.Pool); ok {
		v.PoolHost, v.PoolPort = &host, &port
	}
	return v
}

// splitPool takes the configured address of a pool apart; false when there is
// none.
func splitPool(pool string) (host string, port int, ok bool) {
	if pool == "" {
		return "", 0, false
	}
	_, address, hasScheme := strings.Cut(pool, "://")
	if !hasScheme {
		address = pool
	}
	host, digits, err := net.SplitHostPort(address)
	if err != nil {
		return address, 0, true
	}
	port, _ = strconv.Atoi(digits)
	return host, port, true
}

// known is nil for a text that is not known.
func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func knownTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return known(capture.FormatTime(t))
}

// Bounds of a page of sessions.
const (
	standardSessions = 1000
	maxSessions      = 5000
)

// serveSessions answers GET /api/sessions: the sessions that began last, in the
// order in which they began. Those that are live are all on the first page.
func serveSessions(c *call) error {
	library := c.api.src.Messages
	if library == nil {
		return errNoCapture
	}
	f := journal.SessionFilter{Limit: c.integer("limit"), Before: c.text("cursor")}
	if live, asked := c.values["live"].(bool); asked {
		f.Live = &live
	}
	sessions, next, err := library.Sessions(c.r.Context(), f)
	if err != nil {
		return libraryError(err, errSessionNotFound)
	}
	if next != "" {
		c.linkNext(next, 0)
	}
	if f.Live == nil && next != "" && f.Before == "" {
		if sessions, err = c.withLive(sessions, next); err != nil {
			return err
		}
	}
	slices.Reverse(sessions)
	views := make([]sessionView, 0, len(sessions))
	for i := range sessions {
		v := c.api.viewOf(&sessions[i])
		if wanted, _ := c.values["brief"].(bool); wanted {
			v.Brief = c.api.briefOf(&sessions[i])
		}
		views = append(views, v)
	}
	c.countDropped("", views)
	return c.json(views)
}

// withLive adds the live sessions behind the page's end: a miner that has been
// connected for days is not pushed off the list by shorter connections.
func (c *call) withLive(page []capture.Session, end string) ([]capture.Session, error) {
	live := true
	older, _, err := c.api.src.Messages.Sessions(c.r.Context(), journal.SessionFilter{Limit: maxSessions, Before: end, Live: &live})
	return append(page, older...), err
}

// countDropped enters how many messages of the sessions the journal has not,
// as far as its newest gaps tell. Not knowing must not cost the answer.
func (c *call) countDropped(session string, views []sessionView) {
	gaps, err := c.api.src.Messages.Gaps(c.r.Context(), session, maxLimit)
	if err != nil {
		c.api.log.Warn("gaps of the journal not read", "err", err)
	}
	dropped := make(map[string]uint64)
	for _, g := range gaps {
		dropped[g.Session] += g.Messages
	}
	for i := range views {
		views[i].Unjournal = dropped[views[i].SessionID]
	}
}

// session is the session that the path names.
func (c *call) session() (capture.Session, error) {
	if c.api.src.Messages == nil {
		return capture.Session{}, errNoCapture
	}
	s, err := c.api.src.Messages.Session(c.r.Context(), c.path("session_id"))
	return s, libraryError(err, errSessionNotFound)
}

// serveSession answers GET /api/sessions/{session_id}.
func serveSession(c *call) error {
	s, err := c.session()
	if err != nil {
		return err
	}
	views := []sessionView{c.api.viewOf(&s)}
	c.countDropped(s.ID, views)
	return c.json(views[0])
}

// serveDisconnect answers POST /api/sessions/{session_id}/disconnect.
func serveDisconnect(c *call) error {
	s, err := c.session()
	if err != nil {
		return err
	}
	switch {
	case !s.Live():
		return errSessionEnded
	case s.Origin == capture.OriginTap:
		return fail(http.StatusBadRequest, "Session of our own pool, which the scope only watches: it cannot be disconnected from here")
	case c.api.src.Sessions == nil:
		return notRunning("The proxy")
	case !c.api.src.Sessions.Disconnect(s.ID):
		return errSessionEnded
	}
	return c.json(disconnected{s.ID, "Session disconnected. Both pool and miner connections closed."})
}

// disconnected is the answer to a disconnect.
type disconnected struct {
	SessionID string `json:"session_id"`
	Message   string `json:"message"`
}
