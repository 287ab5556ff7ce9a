package devnet

import (
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
)

func TestRPCAuthorization(t *testing.T) {
	cfg := easy(t)
	cfg.User, cfg.Password = "alice", "se:cret"
	n := start(t, cfg)
	const body = `{"method":"getblockcount","params":[],"id":1}`

	info, err := os.Stat(n.CookieFile())
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("cookie mode %v, want 0600", info.Mode().Perm())
	}
	cookie, err := os.ReadFile(n.CookieFile())
	if err != nil {
		t.Fatal(err)
	}
	user, password, _ := strings.Cut(string(cookie), ":")
	if user != "__cookie__" || len(password) != 64 {
		t.Errorf("cookie %q", cookie)
	}

	for _, c := range []struct {
		user, password string
		want           int
	}{
		{user, password, 200},
		{"alice", "se:cret", 200},
		{"alice", "wrong", 401},
		{"bob", "se:cret", 401},
		{user, "se:cret", 401},
		{"", "", 401},
	} {
		if got, _ := postAs(t, n, c.user, c.password, body); got != c.want {
			t.Errorf("%s:%s: status %d, want %d", c.user, c.password, got, c.want)
		}
	}
	if s := n.Status(); s.RPCRefused["unauthorized"] != 4 {
		t.Errorf("%d counted as unauthorized, want 4", s.RPCRefused["unauthorized"])
	}

	n = start(t, easy(t))
	if got, _ := postAs(t, n, "alice", "se:cret", body); got != 401 {
		t.Errorf("user without being configured: status %d", got)
	}
}

// The shapes and statuses are those of Bitcoin Core 29 (httprpc.cpp,
// rpc/request.cpp, and its functional test interface_rpc.py).
func TestRPCShapes(t *testing.T) {
	n := start(t, easy(t))
	const height = "210"
	for _, c := range []struct {
		name, body string
		status     int
		reply      string
	}{
		{"1.0", `{"jsonrpc":"1.0","id":"x","method":"getblockcount","params":[]}`, 200,
			`{"result":` + height + `,"error":null,"id":"x"}`},
		{"no version", `{"id":[1,{"a":2}],"method":"getblockcount"}`, 200,
			`{"result":` + height + `,"error":null,"id":[1,{"a":2}]}`},
		{"1.1", `{"version":"1.1","id":1.5,"method":"getblockcount","params":null}`, 200,
			`{"result":` + height + `,"error":null,"id":1.5}`},
		{"2.0", `{"jsonrpc":"2.0","id":1,"method":"getblockcount"}`, 200,
			`{"jsonrpc":"2.0","result":` + height + `,"id":1}`},
		{"no id", `{"method":"getblockcount"}`, 200, `{"result":` + height + `,"error":null,"id":null}`},
		{"2.0 notification", `{"jsonrpc":"2.0","method":"getblockcount"}`, 204, ``},

		{"unknown method", `{"id":1,"method":"nosuch"}`, 404,
			`{"result":null,"error":{"code":-32601,"message":"Method not found"},"id":1}`},
		{"unknown method 2.0", `{"jsonrpc":"2.0","id":1,"method":"nosuch"}`, 200,
			`{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1}`},
		{"error", `{"id":1,"method":"getblockhash","params":[100000]}`, 500,
			`{"result":null,"error":{"code":-8,"message":"Block height out of range"},"id":1}`},
		{"error 2.0", `{"jsonrpc":"2.0","id":1,"method":"getblockhash","params":{"height":-1}}`, 200,
			`{"jsonrpc":"2.0","error":{"code":-8,"message":"Block height out of range"},"id":1}`},
		{"no method", `{"id":1}`, 400,
			`{"result":null,"error":{"code":-32600,"message":"Missing method"},"id":1}`},
		{"method no string", `{"id":1,"method":7}`, 400,
			`{"result":null,"error":{"code":-32600,"message":"Method must be a string"},"id":1}`},
		{"params no list", `{"id":1,"method":"getblockcount","params":7}`, 400,
			`{"result":null,"error":{"code":-32600,"message":"Params must be an array or object"},"id":1}`},
		{"version 3", `{"jsonrpc":"3.0","id":1,"method":"getblockcount"}`, 400,
			`{"result":null,"error":{"code":-32600,"message":"JSON-RPC version not supported"},"id":1}`},
		{"junk", `{"id":`, 500,
			`{"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null}`},
		{"empty", ``, 500,
			`{"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null}`},
		{"number", `5`, 500,
			`{"result":null,"error":{"code":-32700,"message":"Top-level object parse error"},"id":null}`},
		{"unknown name", `{"id":1,"method":"getblockhash","params":{"hight":1}}`, 500,
			`{"result":null,"error":{"code":-8,"message":"Unknown named parameter hight"},"id":1}`},

		{"batch", `[{"id":1,"method":"getblockcount"},{"jsonrpc":"2.0","id":2,"method":"nosuch"},{"jsonrpc":"2.0","method":"getblockcount"},7]`, 200,
			`[{"result":` + height + `,"error":null,"id":1},` +
				`{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":2},` +
				`{"result":null,"error":{"code":-32600,"message":"Invalid Request object"},"id":null}]`},
		{"empty batch", `[]`, 200, `[]`},
		{"batch of notifications", `[{"jsonrpc":"2.0","method":"getblockcount"}]`, 204, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, reply := post(t, n, c.body)
			if status != c.status || reply != c.reply {
				t.Errorf("status %d, reply %s\nwant   %d, reply %s", status, reply, c.status, c.reply)
			}
		})
	}

	_, rerr := callRaw(t, n, "getblockhash", "one")
	if rerr == nil || rerr.Code != codeType || !strings.Contains(rerr.Message, "JSON value of type string is not of expected type number") {
		t.Errorf("wrong type: %v", rerr)
	}
	for _, params := range [][]any{{}, {1, 2}} {
		if _, rerr := callRaw(t, n, "getblockhash", params...); rerr == nil || rerr.Code != codeMisc || !strings.HasPrefix(rerr.Message, `getblockhash "height"`) {
			t.Errorf("%d parameters: %v", len(params), rerr)
		}
	}
}

func TestRPCTransport(t *testing.T) {
	n := start(t, easy(t))
	base := "http://" + n.RPCAddr()
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/", 405},
		{http.MethodPost, "/nowhere", 404},
		{http.MethodPost, "/", 401},
		{http.MethodPost, "/wallet/any", 401},
	} {
		q, err := http.NewRequest(c.method, base+c.path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if r.StatusCode != c.want {
			t.Errorf("%s %s: status %d, want %d", c.method, c.path, r.StatusCode, c.want)
		}
		if c.want == 401 && r.Header.Get("WWW-Authenticate") != `Basic realm="jsonrpc"` {
			t.Errorf("WWW-Authenticate %q", r.Header.Get("WWW-Authenticate"))
		}
	}

	if status, _ := post(t, n, strings.Repeat(" ", rpcMaxBody+1)); status != 400 {
		t.Errorf("huge body: status %d, want 400", status)
	}
	if status, _ := post(t, n, "["+strings.Repeat("{},", rpcMaxBatch)+"{}]"); status != 400 {
		t.Errorf("huge batch: status %d, want 400", status)
	}
	for range rpcMaxInFlight {
		n.rpc.slots <- struct{}{}
	}
	if status, reply := post(t, n, "{}"); status != 503 || reply != "Work queue depth exceeded" {
		t.Errorf("busy: status %d, %q", status, reply)
	}
	for range rpcMaxInFlight {
		<-n.rpc.slots
	}
}
