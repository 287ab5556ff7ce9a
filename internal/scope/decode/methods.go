package decode

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/stratum"
)

// Subscribe is mining.subscribe.
type Subscribe struct {
	UserAgent string `json:"user_agent"` // what the miner calls itself; "" when it does not
	ResumeID  string `json:"resume_id"`  // of the session that it would like to go on with
	Host      string `json:"host"`       // that it believes to talk to; rarely sent
}

// Subscribed is the answer to mining.subscribe.
type Subscribed struct {
	Subscriptions   []Subscription `json:"subscriptions"`
	Extranonce1     string         `json:"extranonce1"`      // hex
	Extranonce2Size int            `json:"extranonce2_size"` // bytes
	// Extra is Extranonce1 as bytes; nil when it is not hex.
	Extra []byte `json:"-"`
}

// Subscription is a method that the pool will call, and the id that it gave it.
type Subscription struct {
	Method string `json:"method"`
	ID     string `json:"id"`
}

// Configure is mining.configure (BIP310).
type Configure struct {
	Extensions        []string `json:"extensions"`         // as written
	VersionMask       string   `json:"version_mask"`       // 8 hex digits that the miner would like to roll; "" when not given
	MinBitCount       int      `json:"min_bit_count"`      // of the mask; 0 when not given
	MinimumDifficulty float64  `json:"minimum_difficulty"` // 0 when not given
}

// ConfigureResult is the answer to mining.configure.
type ConfigureResult struct {
	Extensions  []ExtensionResult `json:"extensions"`
	VersionMask string            `json:"version_mask"` // 8 hex digits that may be rolled; "" when not given
	Mask        uint32            `json:"-"`            // the same as a number
}

// ExtensionResult says what the pool thinks of an extension.
type ExtensionResult struct {
	Name     string `json:"name"`
	Accepted bool   `json:"accepted"`
	Reason   string `json:"reason,omitempty"` // why not
}

// Authorize is mining.authorize. The password is not shown.
type Authorize struct {
	Worker   string `json:"worker"`
	Address  string `json:"address"`  // payout address that Worker begins with; "" when it is none of the network
	Name     string `json:"name"`     // what follows the address or account
	Password bool   `json:"password"` // one was sent
}

// Difficulty is one that a side sets or suggests.
type Difficulty struct {
	Value  float64 `json:"value"`
	Target string  `json:"target"` // 64 hex digits: what a share's hash must not exceed
}

// Extranonce is mining.set_extranonce.
type Extranonce struct {
	Extranonce1     string `json:"extranonce1"`      // hex
	Extranonce2Size int    `json:"extranonce2_size"` // bytes
	Extra           []byte `json:"-"`                // Extranonce1 as bytes; nil when it is not hex
}

// Mask is mining.set_version_mask.
type Mask struct {
	Mask string `json:"mask"` // 8 hex digits
	Bits int    `json:"bits"` // number of bits that may be rolled
	// Value is the mask as a number.
	Value uint32 `json:"-"`
}

// Reconnect is client.reconnect. Without a host the miner stays at its pool.
type Reconnect struct {
	Host string  `json:"host"`
	Port int     `json:"port"`   // 0 when not given
	Wait float64 `json:"wait_s"` // seconds
}

// maxExtranonce2 is the largest size that anybody uses, in bytes.
const maxExtranonce2 = 64

// request reads a line with a method.
func (m *Message) request(method string, params json.RawMessage, ctx Context) {
	name := strings.ToLower(method)
	if strings.HasPrefix(name, "mining.auth") {
		name = "mining.authorize"
	}
	m.Kind = kinds[name]
	side, other := "The pool", "the miner"
	if ctx.FromMiner {
		side, other = "The miner", "the pool"
	}
	switch m.Kind {
	case "notify":
		m.notify(params, ctx)
	case "submit":
		m.submit(params, ctx)
	case "subscribe":
		m.subscribe(params)
	case "configure":
		m.configure(params)
	case "authorize":
		m.authorize(params, ctx)
	case "set_difficulty", "suggest_difficulty":
		m.difficulty(params)
	case "set_target", "suggest_target":
		m.target(params)
	case "set_extranonce":
		m.setExtranonce(params)
	case "set_version_mask":
		m.setMask(params)
	case "extranonce_subscribe":
		m.Summary = "The miner can take another extranonce while it is connected."
	case "reconnect":
		m.reconnect(params)
	case "show_message":
		m.Text = textOf(element(list(params), 0))
		m.Summary = "The pool wants the miner to show: " + quoted(m.Text)
	case "get_version":
		m.Summary = side + " asks for the version of " + other + "."
	case "ping":
		m.Summary = side + " asks whether " + other + " is there."
	case "pong":
		m.Summary = side + " says that it is there."
	case "get_transactions":
		m.Summary = "The miner asks for the transactions of job " + quoted(textOf(element(list(params), 0))) + "."
	case "capabilities":
		m.Summary = "The miner says what it can do."
	case "multi_version":
		m.Summary = "The miner asks for several block versions, as old Antminers do."
	default:
		m.Kind = "unknown"
		m.Summary = side + " calls " + quoted(printable(method)) + ", which is no method of Stratum that is known."
	}
}

// kinds of messages by method, in lower case.
var kinds = map[string]string{
	"mining.notify":               "notify",
	"mining.submit":               "submit",
	"mining.subscribe":            "subscribe",
	"mining.configure":            "configure",
	"mining.authorize":            "authorize",
	"mining.set_difficulty":       "set_difficulty",
	"mining.set_target":           "set_target",
	"mining.suggest_difficulty":   "suggest_difficulty",
	"mining.suggest_target":       "suggest_target",
	"mining.set_extranonce":       "set_extranonce",
	"mining.set_version_mask":     "set_version_mask",
	"mining.extranonce.subscribe": "extranonce_subscribe",
	"mining.subscribe_extranonce": "extranonce_subscribe",
	"mining.get_transactions":     "get_transactions",
	"mining.capabilities":         "capabilities",
	"mining.multi_version":        "multi_version",
	"mining.ping":                 "ping",
	"client.ping":                 "ping",
	"mining.pong":                 "pong",
	"client.pong":                 "pong",
	"pong":                        "pong",
	"client.reconnect":            "reconnect",
	"client.show_message":         "show_message",
	"client.get_version":          "get_version",
}

func (m *Message) notify(params json.RawMessage, ctx Context) {
	j := ParseJob(params, ctx)
	m.Job, m.Problems = j, j.Problems
	m.Summary = j.summary()
}

// summary is a job in a line.
func (j *Job) summary() string {
	if j.ID == "" && j.Coinbase == nil {
		return "A job that cannot be read."
	}
	var s strings.Builder
	s.WriteString("New job ")
	s.WriteString(quoted(j.ID))
	if c := j.Coinbase; c != nil {
		if c.Height >= 0 {
			s.WriteString(" for block ")
			s.WriteString(strconv.FormatInt(c.Height, 10))
		}
		if len(c.Tags) > 0 {
			s.WriteString(" by ")
			s.WriteString(quoted(strings.Join(c.Tags, " ")))
		}
		s.WriteString(": ")
		s.WriteString(c.TotalBTC)
		s.WriteString(" BTC to ")
		s.WriteString(plural(c.payees(), "output"))
	}
	switch {
	case j.Empty:
		s.WriteString(", an empty block")
	case len(j.Branches) > 0:
		s.WriteString(", ")
		s.WriteString(plural(len(j.Branches), "merkle branch"))
	}
	if j.Clean {
		s.WriteString("; older jobs are worthless")
	}
	s.WriteByte('.')
	return s.String()
}

// payees counts the outputs that have a value.
func (c *Coinbase) payees() (n int) {
	for _, out := range c.Outputs {
		if out.Value > 0 {
			n++
		}
	}
	return n
}

func (m *Message) submit(params json.RawMessage, ctx Context) {
	m.Submit, m.Problems = ParseSubmit(params)
	s := m.Submit
	if ctx.Extranonce2Size > 0 && s.Values && len(s.Extra) != ctx.Extranonce2Size {
		m.problem("extranonce2", fmt.Sprintf("has %d bytes, the pool asked for %d", len(s.Extra), ctx.Extranonce2Size))
	}
	if s.Worker == "" && s.JobID == "" {
		m.Summary = "A share that cannot be read."
		return
	}
	m.Summary = "A share of " + quoted(s.Worker) + " for job " + quoted(s.JobID)
	if ctx.Work == nil || !s.Values {
		m.Summary += "."
		return
	}
	if s.Rolled {
		mask := ctx.VersionMask
		if mask == 0 {
			mask = DefaultVersionMask
		}
		if s.BitsValue&^mask != 0 {
			m.problem("version_bits", "has bits outside of the mask "+hex32(mask))
		}
	}
	m.Header = ctx.Work.Describe(ctx.Extranonce1, s, ctx.VersionMask, ctx.Difficulty)
	if h := m.Header; h != nil {
		m.Summary += " of difficulty " + short(h.Difficulty)
		switch {
		case h.Block:
			m.Summary += ": a block"
		case h.Enough != nil && *h.Enough:
			m.Summary += ", asked were " + short(h.Target)
		case h.Enough != nil:
			m.Summary += ", too low: asked were " + short(h.Target)
		}
		m.Summary += "."
	}
}

func (m *Message) subscribe(params json.RawMessage) {
	p := stratum.ParseSubscribe(params)
	m.Subscribe = &Subscribe{UserAgent: printable(p.UserAgent), ResumeID: printable(p.SessionID), Host: textOf(element(list(params), 2))}
	m.Summary = "The miner subscribes to jobs"
	if p.UserAgent != "" {
		m.Summary += " as " + quoted(m.Subscribe.UserAgent)
	}
	if p.SessionID != "" {
		m.Summary += " and would like to go on with session " + quoted(m.Subscribe.ResumeID)
	}
	m.Summary += "."
}

func (m *Message) configure(params json.RawMessage) {
	p, ok := stratum.ParseConfigure(params)
	if !ok {
		m.problem("extensions", "is not a list of names")
	}
	c := &Configure{Extensions: []string{}, MinimumDifficulty: p.MinimumDifficulty}
	for _, e := range p.Extensions {
		if len(c.Extensions) < maxProblems {
			c.Extensions = append(c.Extensions, printable(e.Name))
		}
	}
	options := object(element(list(params), 1))
	if _, given := options["version-rolling.mask"]; given {
		c.VersionMask = hex32(p.VersionMask)
	}
	if n, ok := numberOf(options["version-rolling.min-bit-count"]); ok && n >= 0 && n <= 32 {
		c.MinBitCount = int(n)
	}
	m.Configure = c
	m.Summary = "The miner asks for " + orNothing(strings.Join(c.Extensions, ", ")) + "."
	if c.VersionMask != "" {
		m.Summary = strings.TrimSuffix(m.Summary, ".") + ", version mask " + c.VersionMask + "."
	}
}

func (m *Message) authorize(params json.RawMessage, ctx Context) {
	values := list(params)
	worker, ok := stringOf(element(values, 0))
	if !ok {
		m.problem("worker", missingOr(values, 0, "is not a string"))
	}
	network := ctx.Network
	if network == "" {
		network = bitcoin.Mainnet
	}
	a := &Authorize{Worker: printable(worker)}
	account, name, _ := strings.Cut(worker, ".")
	a.Name = printable(name)
	if _, err := bitcoin.PayoutScript(account, network); err == nil {
		a.Address = account
	}
	password := element(values, 1)
	a.Password = set(password) && string(password) != `""`
	m.Authorize = a
	m.Summary = "The miner signs in as " + quoted(a.Worker)
	if a.Worker == "" {
		m.Summary = "The miner signs in without a name"
	}
	if a.Address != "" {
		m.Summary += ", which begins with a payout address"
	}
	m.Summary += "."
}

func (m *Message) difficulty(params json.RawMessage) {
	n, ok := numberOf(element(list(params), 0))
	if !ok || n <= 0 {
		m.problem("difficulty", "is not a number above zero")
		m.Summary = "A difficulty that cannot be read."
		return
	}
	m.Difficulty = &Difficulty{Value: n, Target: bitcoin.TargetFromDifficulty(n).String()}
	if m.Kind == "suggest_difficulty" {
		m.Summary = "The miner would like shares of difficulty " + short(n) + "."
	} else {
		m.Summary = "From the next job on shares must have difficulty " + short(n) + "."
	}
}

func (m *Message) target(params json.RawMessage) {
	text, _ := stringOf(element(list(params), 0))
	target, err := bitcoin.ParseTarget(text)
	if err != nil {
		m.problem("target", printable(err.Error()))
		m.Summary = "A target that cannot be read."
		return
	}
	m.Difficulty = &Difficulty{Value: target.Difficulty(), Target: target.String()}
	if m.Kind == "suggest_target" {
		m.Summary = "The miner would like shares of difficulty " + short(m.Difficulty.Value) + "."
	} else {
		m.Summary = "From the next job on shares must have difficulty " + short(m.Difficulty.Value) + "."
	}
}

func (m *Message) setExtranonce(params json.RawMessage) {
	values := list(params)
	x := &Extranonce{}
	x.Extranonce1, x.Extra, x.Extranonce2Size = m.extranonce(values, 0)
	m.Extranonce = x
	m.Summary = "From the next job on " + extranonces(x.Extranonce1, x.Extranonce2Size) + "."
}

// extranonces says which ones the pool gave.
func extranonces(extranonce1 string, size int) string {
	text := "extranonce1 is " + orNothing(extranonce1)
	if size > 0 {
		text += " and extranonce2 has " + plural(size, "byte")
	}
	return text
}

// extranonce reads extranonce1 and the size of extranonce2 from the elements
// at i and after it.
func (m *Message) extranonce(values []json.RawMessage, i int) (text string, extra []byte, size int) {
	text = textOf(element(values, i))
	extra, ok := hexOf(element(values, i))
	if !ok {
		m.problem("extranonce1", missingOr(values, i, "is not hex"))
	}
	n, ok := numberOf(element(values, i+1))
	if !ok || n < 0 || n > maxExtranonce2 || n != float64(int(n)) {
		m.problem("extranonce2_size", missingOr(values, i+1, fmt.Sprintf("is not a whole number of at most %d", maxExtranonce2)))
		return text, extra, 0
	}
	return text, extra, int(n)
}

func (m *Message) setMask(params json.RawMessage) {
	text, _ := stringOf(element(list(params), 0))
	mask, ok := stratum.ParseHex32([]byte(text))
	if !ok {
		m.problem("mask", "is not a hex number of at most 8 digits")
		m.Summary = "A version mask that cannot be read."
		return
	}
	m.Mask = &Mask{Mask: hex32(mask), Bits: len(bitsOf(mask)), Value: mask}
	m.Summary = fmt.Sprintf("The miner may now roll %s of the version: %s.", plural(m.Mask.Bits, "bit"), m.Mask.Mask)
}

func (m *Message) reconnect(params json.RawMessage) {
	values := list(params)
	r := &Reconnect{Host: textOf(element(values, 0))}
	if port, ok := numberOf(element(values, 1)); ok && port > 0 && port < 65536 {
		r.Port = int(port)
	} else if len(values) > 1 {
		m.problem("port", "is not a port")
	}
	r.Wait, _ = numberOf(element(values, 2))
	m.Reconnect = r
	m.Summary = "The pool wants the miner to connect again"
	if r.Host != "" {
		m.Summary += " to " + quoted(r.Host)
		if r.Port > 0 {
			m.Summary += " port " + strconv.Itoa(r.Port)
		}
	}
	m.Summary += "."
}

// quoted puts a text that a peer chose into a sentence.
func quoted(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return "“" + s + "”"
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// plural counts things: "1 byte", "2 bytes", "3 branches".
func plural(n int, thing string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case strings.HasSuffix(thing, "ch"):
		return strconv.Itoa(n) + " " + thing + "es"
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// short writes a difficulty with four digits at most after what matters.
func short(d float64) string {
	if d >= 1 && d < 1e15 && d == float64(int64(d)) {
		return strconv.FormatInt(int64(d), 10)
	}
	return strconv.FormatFloat(d, 'g', 5, 64)
}
