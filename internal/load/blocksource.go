package load

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
	"github.com/poolscope/poolscope/internal/miner"
)

// blockSource mines blocks for the fan-out through a node of a test network.
// They are empty, so that the node's mempool and with it the size of the pool's
// templates stay as they are.
type blockSource struct {
	url            string
	user, password string
	cookieFile     string // empty: user and password
	client         *http.Client
}

// block is one that was mined and not submitted yet.
type block struct {
	hash bitcoin.Hash
	hex  string
}

// Bounds of the node's answers and calls.
const (
	maxRPCAnswer = 64 << 20 // bytes
	rpcTimeout   = 30 * time.Second
	mostHashes   = 1e9 // that a block may take: a minute or two
)

// opTrue is the script that the blocks pay to; anybody may spend it.
var opTrue = []byte{0x51}

// newBlockSource reads the address of a node, http://user:password@host:port,
// and checks that the node is on a regtest network.
func newBlockSource(ctx context.Context, address, cookieFile string) (*blockSource, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%w: the node's address has to look like http://user:password@127.0.0.1:18443", ErrBadConfig)
	}
	s := &blockSource{cookieFile: cookieFile, client: &http.Client{Timeout: rpcTimeout}}
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
		u.User = nil
	}
	s.url = u.String()
	var info struct {
		Chain string `json:"chain"`
	}
	if err := s.call(ctx, &info, "getblockchaininfo"); err != nil {
		return nil, err
	}
	if info.Chain != "regtest" {
		return nil, fmt.Errorf("%w: blocks are mined on regtest networks only, the node is on %q", ErrBadConfig, info.Chain)
	}
	return s, nil
}

// call makes one JSON-RPC call; a null result leaves result as it is.
func (s *blockSource) call(ctx context.Context, result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": "load", "method": method, "params": params})
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	user, password := s.user, s.password
	if s.cookieFile != "" {
		text, err := os.ReadFile(s.cookieFile)
		if err != nil {
			return fmt.Errorf("read the node's cookie: %w", err)
		}
		user, password, _ = strings.Cut(strings.TrimSpace(string(text)), ":")
	}
	req.SetBasicAuth(user, password)
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the node: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxRPCAnswer))
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	var envelope struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.Unmarshal(answer, &envelope); err != nil {
		return fmt.Errorf("%s: the node answers %s", method, resp.Status)
	}
	if envelope.Error != nil {
		return fmt.Errorf("%s: %s", method, envelope.Error.Message)
	}
	if err := json.Unmarshal(envelope.Result, result); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return nil
}

// template is what a block without transactions needs of getblocktemplate.
type template struct {
	Version           int64  `json:"version"`
	PreviousBlockHash string `json:"previousblockhash"`
	CoinbaseValue     int64  `json:"coinbasevalue"` // fees included
	Transactions      []struct {
		Fee int64 `json:"fee"`
	} `json:"transactions"`
	Height  int64  `json:"height"`
	CurTime int64  `json:"curtime"`
	Bits    string `json:"bits"`
}

// mine finds a block on the node's tip.
func (s *blockSource) mine(ctx context.Context) (block, error) {
	var t template
	if err := s.call(ctx, &t, "getblocktemplate", map[string]any{"rules": []string{"segwit"}}); err != nil {
		return block{}, err
	}
	value := t.CoinbaseValue
	for _, tx := range t.Transactions {
		value -= tx.Fee // theirs are not in this block
	}
	bits, err := strconv.ParseUint(t.Bits, 16, 32)
	if err != nil {
		return block{}, fmt.Errorf("bits of the template: %w", err)
	}
	prev, err := bitcoin.ParseHash(t.PreviousBlockHash)
	if err != nil {
		return block{}, fmt.Errorf("previous block of the template: %w", err)
	}
	target, err := bitcoin.TargetFromBits(uint32(bits))
	if err != nil {
		return block{}, fmt.Errorf("bits of the template: %w", err)
	}
	if want := target.Difficulty() * bitcoin.HashesPerDifficulty; want > mostHashes {
		return block{}, fmt.Errorf("%w: a block takes about %.0f million hashes at the node's difficulty, more than is fit for this", ErrTooHard, want/1e6)
	}

	parts, err := (&bitcoin.CoinbaseTemplate{
		Height: t.Height, Extranonce1Size: 4, Extranonce2Size: 4,
		Tag: "load", Outputs: []bitcoin.TxOut{{Value: value, Script: opTrue}},
	}).Build()
	if err != nil {
		return block{}, fmt.Errorf("coinbase: %w", err)
	}
	coinbase := append(append(parts.Prefix, make([]byte, 8)...), parts.Suffix...)
	header := bitcoin.Header{
		Version: uint32(t.Version), PrevHash: prev, MerkleRoot: bitcoin.DoubleSHA256(coinbase),
		Time: uint32(t.CurTime), Bits: uint32(bits),
	}
	return solve(ctx, &header, &target, coinbase)
}

// solve searches the nonce.
func solve(ctx context.Context, header *bitcoin.Header, target *bitcoin.Target, coinbase []byte) (block, error) {
	h := miner.NewHasher()
	for ; ; header.Time++ {
		h.SetHeader(header)
		for tried := uint64(0); tried < 1<<32; tried += searchChunk {
			nonce, hash, _, ok := h.Scan(uint32(tried), searchChunk, target)
			if ctx.Err() != nil {
				return block{}, context.Cause(ctx)
			}
			if ok {
				header.Nonce = nonce
				return block{hash: hash, hex: hex.EncodeToString(bitcoin.AppendBlock(nil, header.Bytes(), coinbase, nil))}, nil
			}
		}
	}
}

// submit hands a block to the node.
func (s *blockSource) submit(ctx context.Context, b block) error {
	var verdict string // null: accepted
	if err := s.call(ctx, &verdict, "submitblock", b.hex); err != nil {
		return err
	}
	if verdict != "" {
		return errors.New("the node refuses the block: " + verdict)
	}
	return nil
}
