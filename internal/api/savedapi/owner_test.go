package savedapi

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	btc "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/scope/capture"
)

// owners are the requests that only owners may make.
var owners = []struct{ method, part, body string }{
	{http.MethodPost, "/restart", ""},
	{http.MethodPut, "/difficulty", `{"difficulty":64}`},
	{http.MethodPut, "/difficulty", `{"difficulty":null}`},
	{http.MethodGet, "/wire", ""},
	{http.MethodGet, "/wire/s1", ""},
}

// Nobody does anything with a worker that is another's: not by saving it, not by
// claiming it, not by knowing its hash.
func TestOnlyOwners(t *testing.T) {
	f := newFixture(t)
	f.save("ann", rigA)
	f.own("ann", rigA)
	f.world.sessions = []capture.Session{session("s1", capture.OriginTap, rigA)}
	for _, r := range owners {
		f.want("bob", r.method, path(rigA, r.part), r.body, 404, "worker not found")
	}
	f.save("bob", rigA)
	f.want("bob", http.MethodPost, path(rigA, "/claim"), "", 200, "own-")
	for _, r := range owners {
		f.want("bob", r.method, path(rigA, r.part), r.body, 403, "not owned")
	}
	f.want("bob", http.MethodPost, path(rigA, "/claim/signature"), `{"signature":"x"}`, 400, "invalid signature")
	f.want("bob", http.MethodDelete, path(rigA, "/claim"), "", 200, "") // his own, which is nothing
	f.want("bob", http.MethodPost, "/api/saved-workers/notify-enabled", "hash="+saved.HashOf(rigA)+"&enabled=0", 200, "")
	f.want("bob", http.MethodDelete, path(rigA, ""), "", 200, "")
	if s, err := f.API.saved.Get("ann", saved.HashOf(rigA)); err != nil || s.Owned != saved.ByPassword || !s.Notify {
		t.Errorf("ann's worker: %+v, %v", s, err)
	}
	if len(f.world.dropped) != 0 || len(f.world.difficulties) != 0 {
		t.Errorf("dropped %v, ordered %v", f.world.dropped, f.world.difficulties)
	}
	failed := 0
	for _, a := range f.world.actions {
		if a.Failed && a.UserID == "bob" {
			failed++
		}
	}
	if failed != 4 { // restart, difficulty twice, signature
		t.Errorf("%d refusals in the trail: %+v", failed, f.world.actions)
	}
}

func TestRestartAndDifficulty(t *testing.T) {
	f := newFixture(t)
	f.save("ann", rigA)
	f.own("ann", rigA)
	f.want("ann", http.MethodPost, path(rigA, "/restart"), "", 200, `{"connections":2}`)
	w := f.ask("ann", http.MethodPost, path(rigA, "/restart"), "")
	if w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("again at once: %d, %v", w.Code, w.Header())
	}
	f.now = f.now.Add(time.Minute)
	f.want("ann", http.MethodPost, path(rigA, "/restart"), "", 200, `{"connections":2}`)
	if got := fmt.Sprint(f.world.dropped); got != fmt.Sprint([]string{rigA, rigA}) {
		t.Errorf("dropped: %s", got)
	}
	for body, status := range map[string]int{
		`{"difficulty":0.001}`: 200, `{"difficulty":1000000}`: 200, `{"difficulty":0}`: 400, `{"difficulty":-1}`: 400, `{"difficulty":0.0009}`: 400,
		`{"difficulty":1000001}`: 400, `{"difficulty":"5"}`: 400, `{"difficulty":1e999}`: 400, `{"diff":1}`: 400, `{}`: 400, ``: 400, `{`: 400, "difficulty=5": 415,
	} {
		f.want("ann", http.MethodPut, path(rigA, "/difficulty"), body, status, "")
	}
	f.want("ann", http.MethodPut, path(rigA, "/difficulty"), `{"difficulty":4096}`, 200, `{"connections":2}`)
	if f.world.difficulties[rigA] != 4096 {
		t.Errorf("difficulty: %v", f.world.difficulties)
	}
	f.want("ann", http.MethodPut, path(rigA, "/difficulty"), `{"difficulty":null}`, 200, `{"connections":2}`)
	if f.world.difficulties[rigA] != 0 {
		t.Errorf("difficulty: %v", f.world.difficulties)
	}
	var names []string
	for _, a := range f.world.actions {
		names = append(names, a.Name)
		if a.UserID != "ann" && a.Name != "worker.prove" {
			t.Errorf("action: %+v", a)
		}
	}
	for _, name := range []string{"worker.save", "worker.claim", "worker.prove", "worker.restart", "worker.difficulty"} {
		if !strings.Contains(fmt.Sprint(names), name) {
			t.Errorf("%s is not in the trail: %v", name, names)
		}
	}
}

func TestClaimBySignature(t *testing.T) {
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{5}, 32))
	owner, _ := bitcoin.AddressOf(append([]byte{0, 20}, btc.Hash160(key.PubKey().SerializeCompressed())...), bitcoin.Regtest)
	worker := owner + ".rig"
	f := newFixture(t)
	f.save("ann", worker)
	f.want("ann", http.MethodPost, path(worker, "/claim/signature"), `{"signature":"x"}`, 400, "no claim")
	var c claimAnswer
	f.decode(f.want("ann", http.MethodPost, path(worker, "/claim"), "", 200, ""), &c)
	if c.Address != owner || !strings.Contains(c.Message, "says ANN") || !strings.Contains(c.Message, c.Code) || !c.ExpiresAt.Equal(testNow.Add(24*time.Hour)) {
		t.Errorf("claim: %+v", c)
	}
	text := append([]byte("\x18Bitcoin Signed Message:\n"), byte(len(c.Message)))
	signature := base64.StdEncoding.EncodeToString(ecdsa.SignCompact(key, chainhash.DoubleHashB(append(text, c.Message...)), true))
	f.want("ann", http.MethodPost, path(worker, "/claim/signature"), "signature="+strings.NewReplacer("+", "%2B").Replace(signature), 200, `{"owned":true}`)
	row := f.list("ann")["offline_workers"].([]any)[0].(map[string]any)
	if row["owned"] != true || row["proof"] != "address" || row["claim"] != nil {
		t.Errorf("row: %v", row)
	}
	f.want("ann", http.MethodPost, "/api/saved-workers/import", "address="+owner, 200, `"added":[]`)
	f.want("bob", http.MethodPost, "/api/saved-workers/import", "address="+owner, 403, "")
	f.want("ann", http.MethodDelete, path(worker, "/claim"), "", 200, `{"ok":true}`)
	f.want("ann", http.MethodPost, path(worker, "/restart"), "", 403, "not owned")
	f.wantTrail(
		"ann worker.save "+worker, "ann worker.claim "+worker, "ann worker.prove "+worker+": by a signature",
		"ann worker.give_up "+worker, "ann worker.restart "+worker+": not owned, in vain",
	)
}

// wantTrail compares the whole audit trail with "person name target: detail".
func (f *fixture) wantTrail(want ...string) {
	f.t.Helper()
	var got []string
	for _, a := range f.world.actions {
		line := a.UserID + " " + a.Name + " " + a.Target
		if a.Detail != "" {
			line += ": " + a.Detail
		}
		if a.Failed {
			line += ", in vain"
		}
		got = append(got, line)
	}
	if !slices.Equal(got, want) {
		f.t.Errorf("the audit trail has\n%s\nand not\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Everything that somebody does with workers is in the audit trail, once.
func TestTrail(t *testing.T) {
	f := newFixture(t)
	f.save("op", rigA)
	f.want("op", http.MethodPost, "/api/saved-workers", "name="+rigA, 200, "") // known already
	f.want("op", http.MethodPost, "/api/saved-workers/import", "address="+address, 200, "")
	f.want("op", http.MethodPost, "/api/saved-workers/import", "address="+address, 200, `"added":[]`)
	f.want("op", http.MethodPost, "/api/saved-workers/notify-enabled", "hash="+saved.HashOf(rigA)+"&enabled=0", 200, "")
	f.want("op", http.MethodPost, "/api/saved-workers/notify-enabled", "hash="+saved.HashOf(rigA)+"&enabled=1", 200, "")
	f.want("op", http.MethodPost, path(rigA, "/restart"), "", 403, "")
	f.own("op", rigA)
	f.want("op", http.MethodPost, path(rigA, "/restart"), "", 200, "")
	f.want("op", http.MethodPost, path(rigA, "/restart"), "", 429, "")
	f.want("op", http.MethodPut, path(rigA, "/difficulty"), `{"difficulty":64}`, 200, "")
	f.want("op", http.MethodPut, path(rigA, "/difficulty"), `{"difficulty":null}`, 200, "")
	f.want("op", http.MethodDelete, path(rigA, ""), "", 200, "")
	f.wantTrail(
		"op worker.save "+rigA, "op worker.import "+address, "op worker.notify "+rigA+": off", "op worker.notify "+rigA+": on",
		"op worker.restart "+rigA+": not owned, in vain", "op worker.claim "+rigA, "op worker.prove "+rigA+": by a code in the miner's password",
		"op worker.restart "+rigA+": 2 connections", "op worker.restart "+rigA+": too many attempts, wait a while, in vain",
		"op worker.difficulty "+rigA+": 64", "op worker.difficulty "+rigA+": automatic", "op worker.remove "+rigA,
	)
}

// session is a captured one in which names signed in.
func session(id string, origin capture.Origin, workers ...string) capture.Session {
	return capture.Session{
		Opening: capture.Opening{ID: id, Origin: origin, Miner: "192.0.2.7:1000", At: testNow.Add(-time.Hour)}, Workers: workers, UserAgent: "cgminer", Messages: 3,
	}
}

// An owner sees the lines of sessions of workers that are all theirs, and no
// others; passwords are masked whatever the recorder kept.
func TestWire(t *testing.T) {
	f := newFixture(t)
	f.save("ann", rigA)
	f.own("ann", rigA)
	full := make([]string, 64)
	for i := range full {
		full[i] = rigA
	}
	f.world.sessions = []capture.Session{
		session("s1", capture.OriginTap, rigA), session("s2", capture.OriginProxy, rigA+"+d=1024"), session("s3", capture.OriginTap, rigB),
		session("s4", capture.OriginTap, rigA, rigB), session("s5", capture.OriginFile, rigA), session("s6", capture.OriginTap),
		session("s7", capture.OriginTap, rigA+"x"), session("s8", capture.OriginTap, full...),
	}
	authorize := `{"id":1,"method":"mining.authorize","params":["` + rigA + `","own-code-secret"]}` + "\n"
	for _, s := range f.world.sessions {
		f.world.messages[s.ID] = []*capture.Message{
			{Session: s.ID, N: 1, Direction: capture.MinerToPool, Raw: []byte(authorize), Size: len(authorize), Method: "mining.authorize", Received: testNow, IsRequest: true},
			{Session: s.ID, N: 2, Direction: capture.PoolToMiner, Raw: []byte(`{"id":1,"result":true,"error":null}` + "\n"), Received: testNow},
			{Session: s.ID, N: 3, Direction: capture.MinerToPool, Raw: []byte(`{"id":2,"method":"mining.submit","params":[]}` + "\n"), Method: "mining.submit", Received: testNow},
		}
	}
	var page wirePage
	f.decode(f.want("ann", http.MethodGet, path(rigA, "/wire"), "", 200, `"tap":"all"`), &page)
	var ids []string
	for _, s := range page.Sessions {
		ids = append(ids, s.ID)
	}
	if fmt.Sprint(ids) != "[s1 s2]" || page.Sessions[0].Miner != "192.0.2.7:1000" || !page.Sessions[0].Live || page.Sessions[0].Messages != 3 {
		t.Errorf("sessions: %+v", page.Sessions)
	}
	for _, id := range []string{"s3", "s4", "s5", "s6", "s7", "s8", "nothing"} {
		f.want("ann", http.MethodGet, path(rigA, "/wire/"+id), "", 404, "session not found")
	}
	var lines struct {
		Session string
		Live    bool
		Next    uint64
		Lines   []struct{ ID, Raw, Direction string }
	}
	text := f.want("ann", http.MethodGet, path(rigA, "/wire/s1?limit=2"), "", 200, "********")
	if strings.Contains(text, "own-code-secret") {
		t.Errorf("a password: %s", text)
	}
	f.decode(text, &lines)
	if lines.Session != "s1" || !lines.Live || lines.Next != 2 || len(lines.Lines) != 2 || lines.Lines[1].Direction != "pool_to_miner" {
		t.Errorf("lines: %+v", lines)
	}
	f.decode(f.want("ann", http.MethodGet, path(rigA, "/wire/s1?after=2"), "", 200, "mining.submit"), &lines)
	if lines.Next != 3 || len(lines.Lines) != 1 {
		t.Errorf("lines: %+v", lines)
	}
	f.want("ann", http.MethodGet, path(rigA, "/wire/s1?after=3"), "", 200, `"lines":[],"next":3`)
	for _, query := range []string{"?after=x", "?after=-1", "?limit=0", "?limit=1001", "?limit=x"} {
		f.want("ann", http.MethodGet, path(rigA, "/wire/s1"+query), "", 400, "")
	}
	reads := 0
	for _, a := range f.world.actions {
		if a.Name == "worker.wire" && a.Target == rigA && a.Detail == "session s1" {
			reads++
		}
	}
	if reads != 1 { // not each page of it
		t.Errorf("%d reads in the trail", reads)
	}
	if string(f.world.messages["s1"][0].Raw) != authorize {
		t.Error("masking changed what is kept")
	}
	// A session with two workers is shown to whom both belong.
	b := f.world.workers[rigA]
	b.Name = rigB
	f.world.workers[rigB] = b
	f.save("ann", rigB)
	f.own("ann", rigB)
	f.want("ann", http.MethodGet, path(rigB, "/wire/s4"), "", 200, "mining.submit")
}

func TestWireWithoutMicroscope(t *testing.T) {
	f := newFixture(t, func(c *Config) {
		c.Wire = nil
	})
	f.save("ann", rigA)
	f.want("ann", http.MethodGet, path(rigA, "/wire"), "", 403, "not owned")
	f.own("ann", rigA)
	f.want("ann", http.MethodGet, path(rigA, "/wire"), "", 503, "nothing is captured")
	f = newFixture(t, func(c *Config) { c.TapMode = func() string { return "worker:somebody.else" } })
	f.save("ann", rigA)
	f.own("ann", rigA)
	f.want("ann", http.MethodGet, path(rigA, "/wire"), "", 200, `"tap":"other"`)
}
