package scopeapi

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/poolscope/poolscope/internal/scope/audit"
	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
	"github.com/poolscope/poolscope/internal/scope/replay"
)

// table lists every operation.
func (a *API) table(registry huma.Registry) []operation {
	b := builder{registry}
	ops := b.sessionOperations()
	ops = append(ops, b.settingOperations()...)
	ops = append(ops, b.messageOperations()...)
	ops = append(ops, b.auditOperations()...)
	ops = append(ops, b.otherOperations()...)
	ops = append(ops, b.agentOperations()...)
	return ops
}

// op describes an operation that answers with JSON.
func (b builder) op(method, path, tag, summary string, response any, serve func(*call) error, params ...*huma.Param) operation {
	o := operation{serve: serve}
	o.Method, o.Path, o.Summary, o.Tags, o.Parameters = method, path, summary, []string{tag}, params
	o.OperationID = operationID(method, path)
	statuses := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusInternalServerError, http.StatusServiceUnavailable}
	for _, p := range params {
		switch p.In {
		case "path":
			statuses = append(statuses, http.StatusNotFound)
		case "query":
			statuses = append(statuses, http.StatusUnprocessableEntity)
		}
	}
	o.Security = []map[string][]string{{"token": {}}}
	if method == http.MethodGet {
		o.Security = append(o.Security, map[string][]string{}) // or nothing, on this machine
	} else {
		o.guard = guardWrite
	}
	o.Responses = b.responses("Success", jsonContent(b.schema(response), nil), statuses...)
	return o
}

// with adds a body to an operation.
func (b builder) with(o operation, body any, optional bool) operation {
	o.body = b.object(body)
	o.RequestBody = &huma.RequestBody{Required: !optional, Content: jsonContent(b.schema(body), nil)}
	more := b.responses("", nil, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	for status, r := range more {
		if status != "200" {
			o.Responses[status] = r
		}
	}
	return o
}

// also adds an error to an operation.
func (b builder) also(o operation, status int) operation {
	for code, r := range b.responses("", nil, status) {
		if code != "200" {
			o.Responses[code] = r
		}
	}
	return o
}

// operationID is a name for generators of clients: get_api_sessions.
func operationID(method, path string) string {
	return strings.ToLower(method) + strings.NewReplacer("/", "_", "{", "", "}", "", "-", "_", ".", "_").Replace(path)
}

func sessionParam() *huma.Param { return inPath("session_id", "Id of a session") }

func (b builder) sessionOperations() []operation {
	live := query("live", "Only sessions that have not ended, or only those that have", flag())
	list := b.op("GET", "/api/sessions", "sessions", "List sessions", []sessionView{}, serveSessions,
		live, query("brief", "With each session's shares, hashrate and latency", flag()),
		query("limit", "Most sessions", integer(1, maxSessions, standardSessions)),
		query("cursor", "Where to go on, from X-Next-Cursor", text()))
	list.Description = "The sessions that began last, in the order in which they began."
	paged(&list)
	return []operation{
		list,
		b.op("GET", "/api/sessions/{session_id}", "sessions", "One session", sessionView{}, serveSession, sessionParam()),
		b.with(b.op("PATCH", "/api/sessions/{session_id}", "sessions", "Change settings of a session", sessionView{},
			serveChange(orderAll, nil), sessionParam()), settingsChange{}, false),
		b.op("POST", "/api/sessions/{session_id}/disconnect", "sessions", "Close both sides of a session", disconnected{}, serveDisconnect, sessionParam()),
		b.export(),
	}
}

// paged describes how the next page is told.
func paged(o *operation) {
	o.Responses["200"].Headers = map[string]*huma.Param{
		"X-Next-Cursor": {Description: "cursor of the next page; absent when there is none", Schema: text()},
		"Link":          {Description: "The next page, with rel=\"next\" (RFC 8288)", Schema: text()},
	}
}

func (b builder) export() operation {
	formats := enum("jsonl", "pcapng", "csv")
	o := b.op("GET", "/api/sessions/{session_id}/export", "sessions", "A session as a file", "", serveExport,
		sessionParam(), required(query("format", "jsonl: all messages, hash-chained. pcapng: for Wireshark. csv: the shares", formats)))
	content := make(map[string]*huma.MediaType)
	for _, kind := range exportTypes() {
		content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	o.Responses["200"].Content = content
	return o
}

func (b builder) settingOperations() []operation {
	const root = "/api/sessions/{session_id}/"
	get := func(path, summary string, response any, state stateOf) operation {
		return b.op("GET", root+path, "sessions", summary, response, serveSetting(state), sessionParam())
	}
	post := func(path, summary string, response any, order func(*call) replay.Change, state stateOf) operation {
		return b.op("POST", root+path, "sessions", summary, response, serveChange(order, state), sessionParam())
	}
	return []operation{
		post("broadcast/enable", "Publish the session's shares for the fleet", broadcastState{}, orderBroadcast(true), broadcastOf),
		post("broadcast/disable", "Do not publish them", broadcastState{}, orderBroadcast(false), broadcastOf),
		get("broadcast/status", "Whether they are published", broadcastState{}, broadcastOf),
		get("repeat-count", "How often each agent submits a share", repeatCountState{}, repeatCountOf),
		b.with(post("repeat-count", "Set how often each agent submits a share", repeatCountState{}, orderAll, repeatCountOf), repeatCountOrder{}, false),
		post("auto-replay/enable", "Send each share again, to a pool of one's own", autoReplayState{}, orderAutoReplay(true), autoReplayOf),
		post("auto-replay/disable", "Stop, at once", autoReplayState{}, orderAutoReplay(false), autoReplayOf),
		get("auto-replay/status", "Whether, and how far it came", autoReplayState{}, autoReplayOf),
		get("auto-replay-count", "How often each share is sent again", autoReplayCountState{}, autoReplayCountOf),
		b.with(post("auto-replay-count", "Set how often each share is sent again", autoReplayCountState{}, orderAll, autoReplayCountOf), autoReplayCountOrder{}, false),
	}
}

// filterParams are those of GET /api/messages.
func filterParams() []*huma.Param {
	return []*huma.Param{
		query("session_id", "Only of this session; of one that is not known there are none", text()),
		query("direction", "Only this way", enum(capture.MinerToPool.String(), capture.PoolToMiner.String(), capture.ScopeToPool.String())),
		query("limit", "Most messages", integer(1, maxLimit, 100)),
		query("offset", "Messages that are left out. For the first page only: it is ignored where a cursor is given, which new messages do not shift", integer(0, maxOffset, 0)),
		query("skip", "Messages behind the cursor that are left out: what of an offset there was no time for. Stands in the Link", integer(0, maxOffset, 0)),
		query("cursor", "Only messages whose seq is below, from X-Next-Cursor", integer(1, 0, 0)),
		query("method", "Only this method, exactly", text()),
		query("worker", "Only of this worker, exactly", text()),
		query("since", "Only received then or later", instant()),
		query("until", "Only received earlier", instant()),
		query("text", "Only lines with this in them, whatever the case of its ASCII letters", text()),
		query("verdict", "Only shares that pool or audit say this of", enum(capture.Verdicts()...)),
		query("error", "Only lines that are no Stratum messages, or only those that are", flag()),
	}
}

func (b builder) messageOperations() []operation {
	list := b.op("GET", "/api/messages", "messages", "Find messages, the newest first", []messageView{}, serveMessages, filterParams()...)
	paged(&list)
	list.Responses["200"].Headers["X-Search-Complete"] = &huma.Param{
		Description: "false when the time for one search was over; the next page goes on", Schema: flag(),
	}
	id := func() *huma.Param { return inPath("message_id", "Id of a message") }
	one := b.op("GET", "/api/messages/{message_id}", "messages", "One message", messageView{}, serveMessage, id())
	one.Responses["200"].Content["application/json"].Example = exampleMessage
	again := b.with(b.op("POST", "/api/messages/{message_id}/replay", "messages", "Send a mining.submit again, edited or not", replayView{}, serveReplay, id()), replayOrder{}, true)
	again.Description = "On the session's own connection to the pool, under an id of the scope's own: the miner's answers are not touched. Waits for the answer, ten seconds at most. A rejection by the pool is an answer."
	decoded := b.op("GET", "/api/messages/{message_id}/decoded", "messages", "One message explained", decodedView{}, serveDecoded, id())
	decoded.Description = "The transaction, header and amounts that the line leads to are computed, not only named."
	return []operation{list, one, decoded, again}
}

func (b builder) auditOperations() []operation {
	const root = "/api/sessions/{session_id}/"
	limit := func() *huma.Param { return query("limit", "Most elements", integer(1, maxLimit, 100)) }
	cursor := func() *huma.Param { return query("cursor", "Where to go on, from next", integer(1, 0, 0)) }
	kind := func() *huma.Param { return query("kind", "Only this kind", enum(audit.AlarmKinds()...)) }
	since := func() *huma.Param {
		return query("since", "Only what changed after this cursor, that of an earlier answer", integer(0, 0, 0))
	}
	jobs := b.op("GET", root+"jobs", "audit", "The session's jobs, the newest first", audit.Page[audit.Job]{}, serveJobs, sessionParam(), cursor(), limit())
	shares := b.op("GET", root+"shares", "audit", "The session's shares with their true difficulty, the newest first", audit.Page[audit.Share]{}, serveShares, sessionParam(), cursor(), limit())
	paged(&jobs)
	paged(&shares)
	side := func(name string) *huma.Param { return required(query(name, "Id of a session", text())) }
	return []operation{
		b.op("GET", root+"facts", "audit", "What is known of the session: latencies, shares, hashrate", audit.Facts{}, serveFacts, sessionParam()),
		jobs, shares,
		b.op("GET", root+"difficulty", "audit", "The difficulties of the session", audit.DifficultyTimeline{}, serveDifficulty, sessionParam()),
		b.op("GET", root+"alarms", "audit", "The session's alarms", audit.AlarmPage{}, serveSessionAlarms, sessionParam(), kind(), since(), limit()),
		b.op("GET", "/api/alarms", "audit", "Alarms of all sessions", audit.AlarmPage{}, serveAlarms, query("session_id", "Only of this session", text()), kind(), since(), limit()),
		b.also(b.op("GET", "/api/compare", "audit", "Two sessions side by side", audit.Comparison{}, serveCompare, side("a"), side("b")), http.StatusNotFound),
	}
}

func (b builder) otherOperations() []operation {
	feed := b.op("GET", "/api/ws", "live", "WebSocket: messages as they come", messageView{}, serveFeed,
		query("session_id", "Only of this session", text()))
	feed.Description = "Text frames, each a message as GET /api/messages/{message_id} gives it: new ones, and new versions of those that " +
		"were answered, so take them up by their id. A client that reads too slowly misses messages and is told with a frame without an id: " +
		`{"type":"gap","dropped":N,"first_seq":…,"last_seq":…}` + ". What the client sends is ignored. " +
		"Pages that need the token offer two subprotocols: poolscope, and bearer. followed by the token in base64url without padding."
	feed = b.upgrading(feed)
	document := b.op("GET", openAPIPath, "scope", "This document", map[string]any{}, serveDocument)
	document.guard = guardOpen
	health := b.op("GET", healthPath, "scope", "Whether this program answers", healthView{}, serveHealth)
	health.guard, health.Security = guardOpen, []map[string][]string{{}}
	return []operation{
		health,
		b.op("GET", "/api/config", "scope", "Configuration, without secrets", Settings{}, serveConfig),
		feed,
		b.op("GET", "/api/scope/status", "scope", "What the scope does, and what it dropped", scopeStatus{}, serveStatus),
		b.op("GET", "/api/scope/gaps", "scope", "What was captured and is not in the journal, the newest first", []journal.Gap{}, serveGaps,
			query("session_id", "Only of this session", text()), query("limit", "Most gaps", integer(1, maxLimit, 100))),
		b.op("GET", "/api/scope/tap", "scope", "Whose connections to our own pool are captured", tapState{}, serveTap),
		b.with(b.op("PUT", "/api/scope/tap", "scope", "Choose whose connections to our own pool are captured", tapState{}, serveSetTap), tapState{}, false),
		document,
	}
}

// upgrading describes a WebSocket.
func (b builder) upgrading(o operation) operation {
	o.Responses["101"] = &huma.Response{Description: "Switching to WebSocket; the schema of 200 is that of a frame"}
	return b.also(o, http.StatusUpgradeRequired)
}
