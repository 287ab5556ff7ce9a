package scopeapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/poolscope/poolscope/internal/scope/capture"
	"github.com/poolscope/poolscope/internal/scope/journal"
)

// messageView documents what capture.Message.AppendJSON writes.
type messageView struct {
	ID         string          `json:"id" doc:"Session and number in it" example:"abc-def-123-7"`
	Received   string          `json:"ts_recv" format:"date-time" doc:"When the line had been read"`
	Forwarded  *string         `json:"ts_fwd" nullable:"true" format:"date-time" doc:"When it had been written to the other side; null while it was not"`
	Direction  string          `json:"direction" enum:"miner_to_pool,pool_to_miner,hashscope_to_pool"`
	Session    string          `json:"session_id"`
	Peer       string          `json:"peer" doc:"Where the line came from" example:"192.168.1.100:12345"`
	Raw        string          `json:"raw" doc:"The line as received, its ending included; see raw_encoding"`
	Decoded    *map[string]any `json:"decoded" nullable:"true" doc:"The line as JSON, nothing left out; null when it is no object"`
	Fault      *string         `json:"parse_error" nullable:"true" doc:"Why it is no Stratum message, short and stable"`
	Size       int             `json:"size_bytes" doc:"Bytes of the whole line, ending included"`
	JSONRPCID  any             `json:"jsonrpc_id" doc:"Integer, string or null"`
	IsRequest  bool            `json:"is_request" doc:"Has a method; notifications too"`
	IsResponse bool            `json:"is_response" doc:"Has a result or an error"`
	Pair       *string         `json:"paired_message_id" nullable:"true" doc:"Id of the response, or of the request that this answers"`

	Response         *map[string]any `json:"response" nullable:"true" doc:"Of a request that was answered"`
	ResponseReceived *string         `json:"response_ts_recv" nullable:"true" format:"date-time"`
	ResponseRaw      *string         `json:"response_raw" nullable:"true"`
	Latency          *float64        `json:"latency_ms" nullable:"true" doc:"From the request to its response"`

	RawEncoding         string     `json:"raw_encoding" enum:"utf-8,base64" doc:"How raw is to be read: as it stands, or as base64 of bytes that are no text"`
	Seq                 uint64     `json:"seq" doc:"Rises over all sessions in the order of capture; cursor takes it"`
	Method              *string    `json:"method" nullable:"true"`
	ResponseRawEncoding string     `json:"response_raw_encoding,omitempty" enum:"utf-8,base64"`
	ResponseOK          *bool      `json:"response_ok,omitempty" doc:"Whether the response is a yes; left out without one"`
	Truncated           bool       `json:"truncated,omitempty" doc:"Raw is only the beginning"`
	Masked              bool       `json:"masked,omitempty" doc:"A password was replaced"`
	Unterminated        bool       `json:"unterminated,omitempty" doc:"The stream ended before a line feed"`
	GapBytes            uint64     `json:"gap_bytes,omitempty" doc:"Bytes before this line that were not captured"`
	Worker              string     `json:"worker,omitempty" doc:"Of mining.authorize and mining.submit"`
	WireID              any        `json:"wire_id,omitempty" doc:"Of replays: the private id that went over the wire"`
	ReplayOf            string     `json:"replay_of,omitempty" doc:"Of replays: the message that was sent again"`
	ReplayError         string     `json:"replay_error,omitempty" doc:"Of replays: why there is no answer"`
	Share               *shareView `json:"share,omitempty" doc:"Of a mining.submit: what the audit found out"`
}

// shareView documents what capture.Share writes.
type shareView struct {
	Job        string   `json:"job"`
	Audit      string   `json:"audit" enum:"unknown,valid,low_difficulty,duplicate,stale,unknown_job,malformed,block"`
	Pool       *string  `json:"pool" nullable:"true" enum:"accepted,rejected"`
	Reason     *string  `json:"reason" nullable:"true" doc:"The pool's, of a rejection"`
	Conflict   *string  `json:"conflict" nullable:"true" doc:"What pool and audit disagree about" example:"rejected_though_valid"`
	Difficulty *float64 `json:"difficulty" nullable:"true" doc:"True difficulty of the header's hash"`
	Target     *float64 `json:"target_difficulty" nullable:"true" doc:"What the pool had asked for"`
	Hash       *string  `json:"hash" nullable:"true"`
	StaleMS    *float64 `json:"stale_ms" nullable:"true"`
}

// exampleMessage is the one of the contract, with all members.
var exampleMessage = json.RawMessage(`{"id":"abc-def-123-1","ts_recv":"2024-01-07T12:34:56.789000Z","ts_fwd":"2024-01-07T12:34:56.791000Z",` +
	`"direction":"miner_to_pool","session_id":"abc-def-123","peer":"192.168.1.100:12345",` +
	`"raw":"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"cpuminer/2.5.0\"]}\n",` +
	`"decoded":{"id":1,"method":"mining.subscribe","params":["cpuminer/2.5.0"]},"parse_error":null,"size_bytes":64,` +
	`"jsonrpc_id":1,"is_request":true,"is_response":false,"paired_message_id":null,"response":null,"response_ts_recv":null,` +
	`"response_raw":null,"latency_ms":null,"raw_encoding":"utf-8","seq":1,"method":"mining.subscribe"}`)

// maxLimit is the contract's bound of a page.
const maxLimit = 1000

// maxOffset bounds what is looked at only to be left out.
const maxOffset = 100_000

// filter is what the parameters of a request ask for.
func (c *call) filter() capture.Filter {
	f := capture.Filter{
		Session: c.text("session_id"), Method: c.text("method"), Worker: c.text("worker"), Text: c.text("text"),
		After: c.time("since"), Before: c.time("until"), Verdict: c.text("verdict"),
		Cursor: uint64(c.integer("cursor")), Offset: c.integer("offset"), Limit: c.integer("limit"),
	}
	if f.Cursor > 0 {
		f.Offset = c.integer("skip") // the offset is of the first page
	}
	if d, ok := capture.ParseDirection(c.text("direction")); ok {
		f.Direction = &d
	}
	if faulty, ok := c.values["error"].(bool); ok {
		f.Faulty = &faulty
	}
	return f
}

// serveMessages answers GET /api/messages. Messages are encoded one at a time:
// a page of long lines does not have to fit into memory.
func serveMessages(c *call) error {
	library := c.api.src.Messages
	if library == nil {
		return errNoCapture
	}
	page, next, skip, complete, err := library.FindSkipping(c.r.Context(), c.filter())
	if err != nil {
		return err
	}
	h := c.w.Header()
	if next > 0 {
		c.linkNext(strconv.FormatUint(next, 10), skip)
	}
	if !complete {
		// The time for one search was over; the next page goes on.
		h.Set("X-Search-Complete", "false")
	}
	c.header("application/json")
	out := newPaced(c.w)
	buffer := append(make([]byte, 0, streamBuffer), '[')
	for i, m := range page {
		if i > 0 {
			buffer = append(buffer, ',')
		}
		if buffer = m.AppendJSON(buffer); len(buffer) >= streamBuffer/2 {
			if _, err := out.Write(buffer); err != nil {
				return nil // the client went away, which is no news
			}
			buffer = buffer[:0]
		}
	}
	_, _ = out.Write(append(buffer, ']'))
	return nil
}

// streamBuffer is how much of a list is sent at once.
const streamBuffer = 64 << 10

// linkNext tells the next page's cursor, bare and as a link (RFC 8288), which has
// what is to be left out behind the cursor, if anything.
func (c *call) linkNext(cursor string, skip int) {
	query := c.r.URL.Query()
	query.Del("offset")
	if query.Del("skip"); skip > 0 {
		query.Set("skip", strconv.Itoa(skip))
	}
	query.Set("cursor", cursor)
	to := url.URL{Path: c.r.URL.Path, RawQuery: query.Encode()}
	h := c.w.Header()
	h.Set("X-Next-Cursor", cursor)
	h.Set("Link", "<"+to.String()+`>; rel="next"`)
}

// message is the message that the path names.
func (c *call) message() (*capture.Message, error) {
	if c.api.src.Messages == nil {
		return nil, errNoCapture
	}
	m, err := c.api.src.Messages.Message(c.r.Context(), c.path("message_id"))
	return m, libraryError(err, errMessageNotFound)
}

// serveMessage answers GET /api/messages/{message_id}.
func serveMessage(c *call) error {
	m, err := c.message()
	if err != nil {
		return err
	}
	return c.raw(m.AppendJSON(nil))
}

// replayOrder is the body of a replay.
type replayOrder struct {
	Modified *string `json:"modified_message,omitempty" nullable:"true" doc:"A JSON object with an id, to send in place of the captured line"`
}

// replayView documents what replay.Result encodes as.
type replayView struct {
	Success   bool            `json:"success" doc:"The pool has answered, be it with a rejection"`
	Response  *map[string]any `json:"pool_response" nullable:"true" doc:"id, method, params, result and error, nulls included"`
	Error     *string         `json:"error" nullable:"true" doc:"Why there is no answer" example:"Timeout waiting for pool response"`
	Latency   *float64        `json:"latency_ms" nullable:"true" example:"0.318"`
	MessageID *string         `json:"message_id" nullable:"true" doc:"The message that it was recorded as"`
}

// serveReplay answers POST /api/messages/{message_id}/replay.
func serveReplay(c *call) error {
	m, err := c.message()
	switch {
	case err != nil:
		return err
	case c.api.src.Replay == nil:
		return notRunning("The proxy")
	}
	modified, _ := c.body["modified_message"].(string)
	result, err := c.api.src.Replay.Replay(c.r.Context(), m, modified)
	if err != nil {
		return refused(err)
	}
	return c.json(result)
}

// errNoCapture is for a program that captures nothing.
var errNoCapture = notRunning("The capture")

// libraryError says how an error of the library is told.
func libraryError(err error, notFound error) error {
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return notFound
	case errors.Is(err, journal.ErrCursor):
		return fail(http.StatusBadRequest, "The cursor is not one of this program's")
	}
	return err
}
