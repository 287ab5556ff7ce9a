package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/poolscope/poolscope/internal/api/adminapi"
	"github.com/poolscope/poolscope/internal/pool"
)

// signIn connects to an address as a miner does, first as a proxy would when there
// is something to say as one.
func signIn(t *testing.T, address, proxy, worker string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "%s{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"bitaxe/1.0\"]}\n{\"id\":2,\"method\":\"mining.authorize\",\"params\":[%q,\"x\"]}\n", proxy, worker); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(conn)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, `"id":2`) {
			if !strings.Contains(line, `"result":true`) {
				t.Fatalf("not signed in: %s", line)
			}
			return conn, lines
		}
	}
}

// ended reads until the pool closes the connection.
func ended(lines *bufio.Reader) error {
	for {
		if _, err := lines.ReadString('\n'); err != nil {
			if strings.Contains(err.Error(), "timeout") {
				return err
			}
			return nil
		}
	}
}

type minerList struct {
	Total  int
	Miners []struct {
		ID, Worker, Remote, Note string
		UserAgent                string `json:"user_agent"`
		WorkerHash               string `json:"worker_hash"`
	}
}

func (r *settingsRig) miners() (list minerList) {
	r.t.Helper()
	if err := json.Unmarshal(r.do(http.MethodGet, "/api/admin/miners", "").Body.Bytes(), &list); err != nil {
		r.t.Fatal(err)
	}
	return list
}

// TestOperatorAndMiners has real connections listed, noted on, closed and banned.
func TestOperatorAndMiners(t *testing.T) {
	r := newSettingsRig(t, "")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{}, 3)
	t.Cleanup(func() {
		stop()
		for range 3 {
			<-done
		}
	})
	go func() { _ = r.p.pool.Run(ctx); done <- struct{}{} }()
	proxied, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = r.p.pool.Serve(ctx, r.p.stratum[0], pool.ListenerOptions{}); done <- struct{}{} }()
	go func() {
		_ = r.p.pool.Serve(ctx, proxied, pool.ListenerOptions{ProxyProtocol: true, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
		done <- struct{}{}
	}()

	const far = "PROXY TCP4 203.0.113.7 192.0.2.1 5000 3333\r\n"
	_, here := signIn(t, r.p.stratum[0].Addr().String(), "", otherAddress+".here")
	_, there := signIn(t, proxied.Addr().String(), far, otherAddress+".there")
	_, alsoThere := signIn(t, proxied.Addr().String(), strings.Replace(far, "5000", "5001", 1), otherAddress+".also")
	list := r.miners()
	ids := make(map[string]string)
	for _, m := range list.Miners {
		_, name, _ := strings.Cut(m.Worker, ".")
		ids[name] = m.ID
		if m.UserAgent != "bitaxe/1.0" || m.Remote != "127.0.0.1" && m.Remote != "203.0.113.7" || m.WorkerHash != adminapi.HashOf(m.Worker) {
			t.Errorf("%+v", m)
		}
	}
	if list.Total != 3 || len(ids) != 3 {
		t.Fatalf("%+v", list)
	}

	if w := r.do(http.MethodPut, "/api/admin/notes/"+adminapi.HashOf(otherAddress+".here"), `{"note":"in the shed"}`); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	noted := 0
	for _, m := range r.miners().Miners {
		if m.Note == "in the shed" && strings.HasSuffix(m.Worker, ".here") {
			noted++
		}
	}
	if kept, err := r.p.store.Notes(t.Context()); err != nil || noted != 1 || len(kept) != 1 {
		t.Errorf("%d notes in the list, %v in the store, %v", noted, kept, err)
	}

	if w := r.do(http.MethodPost, "/api/admin/miners/"+ids["here"]+"/ban", `{"duration_sec":60}`); w.Code != http.StatusConflict {
		t.Errorf("this machine: %d %s", w.Code, w.Body)
	}
	if w := r.do(http.MethodDelete, "/api/admin/miners/"+ids["here"], ""); w.Code != http.StatusNoContent {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if err := ended(here); err != nil {
		t.Error("the connection is still open")
	}
	signIn(t, r.p.stratum[0].Addr().String(), "", otherAddress+".here") // it may come back

	if w := r.do(http.MethodPost, "/api/admin/miners/"+ids["there"]+"/ban", `{"duration_sec":3600,"reason":"floods"}`); w.Code != http.StatusCreated || !strings.Contains(w.Body.String(), `"address":"203.0.113.7"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for name, lines := range map[string]*bufio.Reader{"there": there, "also": alsoThere} {
		if err := ended(lines); err != nil {
			t.Errorf("%s is still connected from the banned address", name)
		}
	}
	if bans := r.p.pool.Bans(); len(bans) != 1 || bans[0].Reason != "floods" || time.Until(bans[0].Until) > time.Hour {
		t.Errorf("%+v", bans)
	}
	if w := r.do(http.MethodDelete, "/api/admin/miners/"+ids["there"], ""); w.Code != http.StatusNotFound {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestState(t *testing.T) {
	r := newSettingsRig(t, "")
	var st adminapi.State
	if err := json.Unmarshal(r.do(http.MethodGet, "/api/admin/state", "").Body.Bytes(), &st); err != nil {
		t.Fatal(err)
	}
	if st.ConfigFile != r.path || st.DataDir != r.p.cfg.DataDir || st.Sizes.Database <= 0 || st.Sizes.DataDir < st.Sizes.Database || len(st.Providers) != 1 ||
		st.Providers[0].ID != "local" || st.Providers[0].State != "ready" || st.Backup == nil || st.UptimeSec < 0 || st.Go == "" {
		t.Errorf("%+v", st)
	}
	if a := r.save(`{"version.mask":"00000000"}`, r.state().Base); a.status != http.StatusOK {
		t.Fatal(a.text)
	}
	if err := json.Unmarshal(r.do(http.MethodGet, "/api/admin/state", "").Body.Bytes(), &st); err != nil || st.Config.Applied != 1 || st.Config.Waiting != 1 {
		t.Errorf("%+v, %v", st.Config, err)
	}
}
