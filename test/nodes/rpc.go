package nodes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// RPC is a client for a node's JSON-RPC server, written for tests and sharing
// nothing with poolscope's own.
type RPC struct {
	URL string
	// CookieFile is read anew for every call; User and Password are used when
	// it is empty.
	CookieFile     string
	User, Password string
}

// RPCError is what the node answered instead of a result.
type RPCError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error is the message with its code.
func (e *RPCError) Error() string { return fmt.Sprintf("%s (code %d)", e.Message, e.Code) }

var rpcClient = &http.Client{Timeout: 60 * time.Second}

// Call calls a method and decodes its result into result, unless that is nil.
// An answer with an error object comes back as *RPCError.
func (r RPC) Call(result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return fmt.Errorf("encode %s: %w", method, err)
	}
	req, err := http.NewRequest(http.MethodPost, r.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	user, password := r.User, r.Password
	if r.CookieFile != "" {
		cookie, err := os.ReadFile(r.CookieFile)
		if err != nil {
			return fmt.Errorf("read cookie: %w", err)
		}
		user, password, _ = strings.Cut(strings.TrimSpace(string(cookie)), ":")
	}
	req.SetBasicAuth(user, password)

	resp, err := rpcClient.Do(req)
	if err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read answer to %s: %w", method, err)
	}

	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *RPCError       `json:"error"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return fmt.Errorf("answer to %s with status %s: %w", method, resp.Status, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("%s: %w", method, answer.Error)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return fmt.Errorf("result of %s: %w", method, err)
	}
	return nil
}

// Ask is Call that fails the test instead of returning an error, and returns
// the result.
func Ask[T any](t testing.TB, r RPC, method string, params ...any) T {
	t.Helper()
	var result T
	if err := r.Call(&result, method, params...); err != nil {
		t.Fatal(err)
	}
	return result
}

// Block is a block as getblock prints it with verbosity 2, as far as tests ask.
type Block struct {
	Hash              string        `json:"hash"`
	PreviousBlockHash string        `json:"previousblockhash"`
	Height            int64         `json:"height"`
	Confirmations     int64         `json:"confirmations"`
	Weight            int64         `json:"weight"`
	Tx                []Transaction `json:"tx"`
	RawTx             []Transaction `json:"rawtx"` // btcd's name for it; BlockAt moves it to Tx
}

// Transaction is a transaction of a Block.
type Transaction struct {
	TxID string `json:"txid"`
	Hex  string `json:"hex"`
	Vout []struct {
		Value        float64 `json:"value"` // bitcoin, not satoshis
		ScriptPubKey struct {
			Hex     string `json:"hex"`
			Address string `json:"address"` // btcd leaves it out
		} `json:"scriptPubKey"`
	} `json:"vout"`
}

// BlockAt is the block of the best chain at a height.
func (r RPC) BlockAt(t testing.TB, height int64) Block {
	t.Helper()
	hash := Ask[string](t, r, "getblockhash", height)
	b := Block{}
	if err := r.Call(&b, "getblock", hash, 2); err != nil {
		t.Fatal(err)
	}
	if b.Tx == nil {
		b.Tx, b.RawTx = b.RawTx, nil
	}
	return b
}

// Height is the height of the best chain.
func (r RPC) Height(t testing.TB) int64 {
	t.Helper()
	return Ask[int64](t, r, "getblockcount")
}
