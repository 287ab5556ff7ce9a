package backupapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolscope/poolscope/internal/account"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/backup"
)

// double stands in for the service.
type double struct {
	lists, asked int
	made         uint64
	failed       error
	hang         chan struct{} // List waits for it
}

func (d *double) Status() backup.Status {
	return backup.Status{Every: time.Hour, Encrypted: true, Targets: []backup.TargetStatus{
		{Name: "local", Location: "/backups", OK: d.made, LastSuccess: time.Unix(1e9, 0)},
		{Name: "s3", Location: "https://s3.example/b/", LastError: "s3: no route to host", Failed: 2},
	}}
}

func (d *double) List(context.Context) ([]backup.Backup, error) {
	d.lists++
	if d.hang != nil {
		<-d.hang
	}
	return []backup.Backup{{Name: "poolscope-20261122T140000Z.tar.zst.age", Target: "local", At: time.Unix(1e9, 0).UTC(), Bytes: 5, Encrypted: true, Verified: true, Kept: []backup.Generation{backup.Last}}}, d.failed
}

func (d *double) Ask() bool {
	d.asked++
	return true
}

// person is a session for every request.
type person struct{ s *account.Session }

func (p person) Session(*http.Request) *account.Session { return p.s }

type trail struct{ names []string }

func (t *trail) Record(_ context.Context, a account.Action) {
	t.names = append(t.names, a.User+" "+a.Name)
}

func session(role account.Role, confirmed bool) *account.Session {
	s := &account.Session{User: account.User{Name: "ann", Role: role}}
	if confirmed {
		s.Confirmed = time.Now()
	}
	return s
}

func ask(a *API, method string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://pool.example/api/admin/backups", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

func TestWhoMay(t *testing.T) {
	tests := []struct {
		who       *account.Session
		method    string
		header    []string
		want      int
		wantsText string
	}{
		{nil, "GET", nil, 401, "unauthorized"},
		{nil, "POST", nil, 401, "unauthorized"},
		{session(account.RoleViewer, true), "GET", nil, 403, "forbidden"},
		{session(account.RoleViewer, true), "POST", nil, 403, "forbidden"},
		{session(account.RoleOperator, false), "GET", nil, 200, `"last_error":"s3: no route to host"`},
		{session(account.RoleOperator, false), "POST", nil, 403, "confirm"},
		{session(account.RoleOperator, true), "POST", nil, 202, `"asked":true`},
		{session(account.RoleOperator, true), "POST", []string{"Origin", "https://evil.example"}, 401, "unauthorized"},
		{session(account.RoleOperator, true), "POST", []string{"Sec-Fetch-Site", "cross-site"}, 401, "unauthorized"},
		{session(account.RoleOperator, true), "DELETE", nil, 405, "method not allowed"},
	}
	for _, test := range tests {
		d, tr := new(double), new(trail)
		a := New(access.NewGate(person{test.who}), d, tr, slog.New(slog.DiscardHandler))
		w := ask(a, test.method, test.header...)
		if w.Code != test.want || !strings.Contains(w.Body.String(), test.wantsText) {
			t.Errorf("%+v %s %v: %d %s", test.who, test.method, test.header, w.Code, w.Body)
		}
		if asked := test.want == 202; (d.asked == 1) != asked || (len(tr.names) == 1) != asked {
			t.Errorf("%s: asked %d times, trail %q", test.method, d.asked, tr.names)
		}
	}
}

// TestList asks storages no more often than it must, and tells their errors.
func TestList(t *testing.T) {
	d := &double{failed: errors.New("s3: S3 storage does not answer")}
	a := New(access.NewGate(person{session(account.RoleOperator, false)}), d, nil, slog.New(slog.DiscardHandler))
	now := time.Unix(2e9, 0)
	a.now = func() time.Time { return now }
	var p page
	for range 3 {
		if err := json.Unmarshal(ask(a, "GET").Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
	}
	if d.lists != 1 || p.ListError == "" || len(p.Backups) != 1 || !p.Backups[0].Verified || p.Backups[0].Generation[0] != backup.Last {
		t.Errorf("%d lists; %+v", d.lists, p)
	}
	d.made++
	ask(a, "GET")
	if d.lists != 2 {
		t.Error("a new backup is not shown")
	}
	now = now.Add(time.Minute)
	ask(a, "GET")
	if d.lists != 3 {
		t.Error("the list stays old")
	}
}

// TestSlowStorage shows the page while a storage does not answer, and the list
// when it did.
func TestSlowStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &double{hang: make(chan struct{})}
		a := New(access.NewGate(person{session(account.RoleOperator, false)}), d, nil, slog.New(slog.DiscardHandler))
		began := time.Now()
		var p page
		if err := json.Unmarshal(ask(a, "GET").Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if time.Since(began) > 2*time.Second || p.ListError == "" || len(p.Targets) != 2 {
			t.Errorf("after %s: %+v", time.Since(began), p)
		}
		ask(a, "GET")
		synctest.Wait() // the list that is being made waits for the storage
		if d.lists != 1 {
			t.Errorf("%d lists at once", d.lists)
		}
		close(d.hang)
		synctest.Wait()
		if err := json.Unmarshal(ask(a, "GET").Body.Bytes(), &p); err != nil || len(p.Backups) != 1 {
			t.Errorf("%+v", p)
		}
	})
}
