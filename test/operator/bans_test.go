package operator

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/poolscope/poolscope/test/nodes"
	"github.com/poolscope/poolscope/test/program"
)

// from connects to a listener behind a proxy as somebody from an address.
func from(t *testing.T, listener, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", listener)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "PROXY TCP4 %s 192.0.2.1 40000 3333\r\n", address); err != nil {
		t.Fatal(err)
	}
	return conn
}

// signsIn makes a miner's handshake from an address and returns the reply to
// authorize.
func signsIn(t *testing.T, listener, address string) string {
	t.Helper()
	conn := from(t, listener, address)
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, `{"id":1,"method":"mining.subscribe","params":["test/1"]}`+"\n"+
		`{"id":2,"method":"mining.authorize","params":["`+miner+`.x","x"]}`+"\n"); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), `{"id":2,`) {
			return lines.Text()
		}
	}
	return fmt.Sprint("closed: ", lines.Err())
}

// misbehave sends what is no Stratum until the pool hangs up.
func misbehave(t *testing.T, listener, address string) {
	t.Helper()
	conn := from(t, listener, address)
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, strings.Repeat("GET / HTTP/1.1\r\n", 5)); err != nil {
		return // it was quicker
	}
	_, _ = io.Copy(io.Discard, conn) // until it hangs up, by which means does not matter
}

// bans are the addresses that /api/bans lists.
func (r *poolRig) bans() []string {
	r.t.Helper()
	var page struct{ Bans []struct{ Address string } }
	if err := json.Unmarshal([]byte(r.page("/api/bans")), &page); err != nil {
		r.t.Fatal(err)
	}
	var list []string
	for _, b := range page.Bans {
		list = append(list, b.Address)
	}
	return list
}

func (r *poolRig) banned(address string) bool {
	return strings.Contains(strings.Join(r.bans(), " "), address)
}

// TestBans bans an address that misbehaves behind a proxy, while others mine in
// the same name; the ban is there after a restart, and a person can lift it. A
// shorter time is in force after a reload, and passes.
func TestBans(t *testing.T) {
	t.Parallel()
	const attacker, innocent, authorized = "203.0.113.7", "203.0.113.8", `{"id":2,"result":true,"error":null}`
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	proxied := fmt.Sprintf("[[listener]]\nname = \"proxied\"\nlisten = %q\nproxy_protocol = true\ntrusted_proxies = [\"127.0.0.0/8\"]\n", listener)
	r := startPool(t, binary, proxied)

	for range 5 {
		if r.banned(attacker) {
			t.Fatal("banned too early")
		}
		misbehave(t, listener, attacker)
	}
	nodes.WaitFor(t, patience, "the address is banned", func() bool { return r.banned(attacker) })
	if got := signsIn(t, listener, attacker); !strings.Contains(got, `"error":[24,"Banned until 2`) {
		t.Errorf("who is banned is told %s", got)
	}
	if got := signsIn(t, listener, innocent); got != authorized {
		t.Errorf("somebody else with the same payout address is told %s", got)
	}
	nodes.WaitFor(t, patience, "the metrics tell", func() bool {
		return r.metric("poolscope_bans") == 1 && r.metric("poolscope_bans_made_total") == 1 &&
			r.metric(`poolscope_connections_closed_total{reason="bad_json"}`) == 5 &&
			r.metric(`poolscope_connections_closed_total{reason="banned"}`) == 1
	})
	if page := r.page("/api/overview"); strings.Contains(page, "203.0.113") {
		t.Errorf("the address is public: %s", page)
	}

	r.Signal(syscall.SIGTERM)
	nodes.WaitFor(t, patience, "the pool ends", func() bool { return !r.Running() })
	r.Server = program.Start(t, binary, r.DataDir, append([]string{"pool", "--config", r.file}, program.AnyPorts()...)...)
	nodes.WaitFor(t, patience, "the pool is ready again", r.ready)
	if got := signsIn(t, listener, attacker); !r.banned(attacker) || !strings.Contains(got, "Banned until") {
		t.Errorf("after a restart: bans %v, told %s", r.bans(), got)
	}

	lift, err := http.NewRequest(http.MethodDelete, "http://"+r.HTTP+"/api/bans/"+attacker, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(lift)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusNoContent {
		t.Errorf("lifting: %d, %v", resp.StatusCode, err)
	}
	if got := signsIn(t, listener, attacker); got != authorized {
		t.Errorf("whose ban is lifted is told %s", got)
	}

	r.configure(proxied + "[abuse]\nban_time = \"2s\"\nban_after = 2\n")
	r.Signal(syscall.SIGHUP)
	nodes.WaitFor(t, patience, "the configuration is read", func() bool {
		return r.metric(`poolscope_config_reloads_total{result="applied"}`) == 1
	})
	for range 2 {
		misbehave(t, listener, attacker)
	}
	nodes.WaitFor(t, patience, "a ban for two seconds", func() bool { return r.metric("poolscope_bans_made_total") == 1 })
	nodes.WaitFor(t, patience, "it is over", func() bool { return signsIn(t, listener, attacker) == authorized })
	if r.banned(attacker) {
		t.Error("over, but listed")
	}
}
