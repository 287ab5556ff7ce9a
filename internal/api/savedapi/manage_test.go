package savedapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/account/saved"
	"github.com/poolscope/poolscope/internal/ledger"
)

func TestSaveAndRemove(t *testing.T) {
	f := newFixture(t)
	const target = "/api/saved-workers"
	hash := saved.HashOf(rigA)
	f.want("ann", http.MethodPost, target, `{"name":" `+rigA+` "}`, 201, `{"ok":true,"hash":"`+hash+`"}`)
	f.want("ann", http.MethodPost, target, "name="+rigA, 200, hash)
	f.want("ann", http.MethodPost, target, `{"name":"`+strings.Repeat("x", 256)+`"}`, 201, "")
	for _, body := range []string{"", `{}`, `{"name":""}`, `{"name":5}`, `{"name":"` + strings.Repeat("x", 257) + `"}`, `{"name":"a\u0000b"}`, `{"name":"a\u202eb"}`} {
		f.want("ann", http.MethodPost, target, body, 400, "invalid worker name")
	}
	for i := range saved.MaxPerUser - 2 {
		f.save("ann", fmt.Sprint("w", i))
	}
	f.want("ann", http.MethodPost, target, `{"name":"one more"}`, 409, "saved worker limit reached")
	f.want("bob", http.MethodDelete, path(rigA, ""), "", 404, "worker not found")
	f.want("ann", http.MethodDelete, "/api/saved-workers/x", "", 400, "invalid hash")
	f.want("ann", http.MethodDelete, path(rigA, ""), "", 200, `{"ok":true}`)
	f.want("ann", http.MethodDelete, path(rigA, ""), "", 404, "worker not found")
	f.want("ann", http.MethodPost, target, `{"name":"one more"}`, 201, "")
}

// Script and other markup in a name stays text.
func TestNamesAreData(t *testing.T) {
	f := newFixture(t)
	name := `<script>alert(1)</script>"'&`
	f.want("ann", http.MethodPost, "/api/saved-workers", `{"name":"<script>alert(1)</script>\"'&"}`, 201, saved.HashOf(name))
	w := f.ask("ann", http.MethodGet, "/api/saved-workers", "")
	if strings.Contains(w.Body.String(), "<script>") || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%s: %s", w.Header().Get("Content-Type"), w.Body)
	}
	if got := f.list("ann")["offline_workers"].([]any)[0].(map[string]any)["name"]; got != name {
		t.Errorf("the name is %v", got)
	}
}

func TestImport(t *testing.T) {
	f := newFixture(t)
	const (
		target  = "/api/saved-workers/import"
		another = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn" // whose workers nobody knows
	)
	// Names of miners are not told to whoever knows the address, nor to who owns
	// one of them.
	f.save("ann", rigA)
	f.own("ann", rigA)
	if text := f.want("ann", http.MethodPost, target, "address="+address, 403, "by a signature"); strings.Contains(text, "gone") {
		t.Errorf("a name: %s", text)
	}
	f.want("ann", http.MethodPost, target, `{"address":"`+another+`"}`, 403, "by a signature")
	f.save("op", rigA)
	var got importAnswer
	f.decode(f.want("op", http.MethodPost, target, `{"address":"`+strings.ToUpper(address)+`"}`, 200, ""), &got)
	slices.Sort(got.Added)
	if !slices.Equal(got.Added, []string{gone, rigB}) || got.Known != 1 || got.LeftOut != 0 {
		t.Errorf("imported: %+v", got)
	}
	f.want("op", http.MethodPost, target, `{"address":"`+another+`"}`, 200, `{"added":[],"known":0,"left_out":0}`)
	for _, none := range []string{"", "xx", "bcrt1qnobody", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", address[:len(address)-1]} {
		f.want("op", http.MethodPost, target, `{"address":"`+none+`"}`, 400, "invalid address")
	}
	f.want("op", http.MethodPost, target, `{}`, 400, "invalid address")
	for i := range 100 {
		name := fmt.Sprint(address, ".", i)
		f.world.workers[name] = ledger.WorkerDetail{WorkerView: ledger.WorkerView{Name: name, Address: address}}
	}
	f.decode(f.want("op", http.MethodPost, target, "address="+address+".rig", 200, ""), &got)
	if len(got.Added) != saved.MaxPerUser-3 || got.Known != 3 || got.LeftOut != 100-len(got.Added) {
		t.Errorf("imported %d, known %d, left out %d", len(got.Added), got.Known, got.LeftOut)
	}
}

// Who floods is told to wait, others are not.
func TestLimits(t *testing.T) {
	f := newFixture(t)
	f.save("ann", rigA)
	f.own("ann", rigA)
	for target, method := range map[string]string{
		"/api/saved-workers/import": http.MethodPost, path(rigA, "/wire"): http.MethodGet, path(rigA, "/wire/s1"): http.MethodGet,
	} {
		f.now = f.now.Add(time.Hour)
		n := 0
		for ; n < 200; n++ {
			if w := f.ask("ann", method, target, ""); w.Code == 429 {
				if w.Header().Get("Retry-After") == "" {
					t.Error("not told when to come back")
				}
				break
			}
		}
		if n < 5 || n > 60 {
			t.Errorf("%s: %d in no time", target, n)
		}
		if w := f.ask("bob", method, target, ""); w.Code == 429 {
			t.Errorf("%s: another one is limited", target)
		}
		f.now = f.now.Add(time.Minute)
		if w := f.ask("ann", method, target, ""); w.Code == 429 {
			t.Errorf("%s: still limited after a minute", target)
		}
	}
}

func TestHistory(t *testing.T) {
	f := newFixture(t)
	f.save("ann", gone)
	f.save("ann", rigA)
	var got chartPage
	ask := func() {
		t.Helper()
		got = chartPage{}
		f.decode(f.want("ann", http.MethodGet, "/api/saved-workers/history?range=24h", "", 200, ""), &got)
	}
	ask()
	points := got.Workers[saved.HashOf(gone)]
	// 600 units of difficulty in the ten minutes from 19:40 on.
	if want := (point{At: time.Date(2026, 1, 31, 19, 40, 0, 0, time.UTC), Hashrate: 1 << 32}); len(points) != 1 || points[0] != want {
		t.Errorf("points: %+v", points)
	}
	if list, there := got.Workers[saved.HashOf(rigA)]; !there || len(list) != 0 || len(got.Workers) != 2 {
		t.Errorf("workers: %+v", got.Workers)
	}
	f.save("ann", rigB) // shows at once, though the chart is kept for a minute
	if ask(); len(got.Workers) != 3 {
		t.Errorf("workers: %+v", got.Workers)
	}
	f.now = f.now.Add(25 * time.Hour)
	if ask(); len(got.Workers[saved.HashOf(gone)]) != 0 {
		t.Errorf("a day later: %+v", got.Workers)
	}
	f.want("bob", http.MethodGet, "/api/saved-workers/history", "", 200, `{"workers":{}}`)
	f.want("ann", http.MethodGet, "/api/saved-workers/history?range=30d", "", 400, "range must be 24h")
}
