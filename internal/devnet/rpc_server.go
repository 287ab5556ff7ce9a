package devnet

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Bounds of the RPC server.
const (
	rpcMaxBody     = 32 << 20 // bytes; a block is at most 8 MB of hex
	rpcMaxBatch    = 1000     // requests in one batch
	rpcMaxInFlight = 256      // HTTP requests being answered, long polls included
	rpcReadTime    = 30 * time.Second
	rpcCookieUser  = "__cookie__"
)

// refusal is the reason for which a request did not get to a method.
type refusal int

// The refusals, each counted.
const (
	refusedAuth refusal = iota
	refusedBusy
	refusedBody
	refusedRequest
	numRefusals
)

// name returns the counter's label.
func (r refusal) name() string {
	return [numRefusals]string{"unauthorized", "busy", "body", "bad_request"}[r]
}

// rpcServer speaks JSON-RPC over HTTP as Bitcoin Core does: errors of
// versions 1.0 and 1.1 come with an HTTP status, those of 2.0 and of batches
// do not.
type rpcServer struct {
	methods    map[string]*method
	log        *slog.Logger
	cookieFile string
	logins     [][sha256.Size]byte // of "user:password"
	slots      chan struct{}

	warmUp  atomic.Pointer[string] // why no method runs yet; nil once they do
	calls   atomic.Uint64
	errs    atomic.Uint64
	refused [numRefusals]atomic.Uint64
}

// newRPCServer writes the cookie file.
func newRPCServer(methods map[string]*method, cookieFile, user, password string, log *slog.Logger) (*rpcServer, error) {
	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, fmt.Errorf("devnet: make cookie: %w", err)
	}
	cookie := rpcCookieUser + ":" + hex.EncodeToString(secret[:])
	if err := writeFile(cookieFile, []byte(cookie), 0o600); err != nil {
		return nil, err
	}
	s := &rpcServer{
		methods:    methods,
		log:        log,
		cookieFile: cookieFile,
		logins:     [][sha256.Size]byte{sha256.Sum256([]byte(cookie))},
		slots:      make(chan struct{}, rpcMaxInFlight),
	}
	if user != "" {
		s.logins = append(s.logins, sha256.Sum256([]byte(user+":"+password)))
	}
	return s, nil
}

// run serves until ctx ends; long polls end with it.
func (s *rpcServer) run(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: rpcReadTime,
		IdleTimeout:       5 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()

	select {
	case err := <-served:
		return fmt.Errorf("devnet: serve rpc: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		_ = server.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("devnet: serve rpc: %w", err)
	}
	return nil
}

// refuse answers without having run a method.
func (s *rpcServer) refuse(w http.ResponseWriter, why refusal, status int, text string) {
	s.refused[why].Add(1)
	http.Error(w, text, status)
}

// ServeHTTP implements http.Handler.
func (s *rpcServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		s.refuse(w, refusedBusy, http.StatusServiceUnavailable, "Work queue depth exceeded")
		return
	}

	switch {
	case r.URL.Path != "/" && !strings.HasPrefix(r.URL.Path, "/wallet/"):
		s.refuse(w, refusedRequest, http.StatusNotFound, "")
		return
	case r.Method != http.MethodPost:
		s.refuse(w, refusedRequest, http.StatusMethodNotAllowed, "JSONRPC server handles only POST requests")
		return
	case !s.authorized(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="jsonrpc"`)
		s.refuse(w, refusedAuth, http.StatusUnauthorized, "")
		return
	}

	// Only reading the body is timed: a long poll takes as long as it takes.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(rpcReadTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, rpcMaxBody))
	if err != nil {
		s.refuse(w, refusedBody, http.StatusBadRequest, "Request body could not be read")
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})

	status, reply := s.answer(r.Context(), body)
	if reply == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(reply, '\n'))
}

// authorized checks basic authentication in constant time.
func (s *rpcServer) authorized(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	if !ok {
		return false
	}
	got := sha256.Sum256([]byte(user + ":" + password))
	match := 0
	for _, want := range s.logins {
		match |= subtle.ConstantTimeCompare(got[:], want[:])
	}
	return match == 1
}

// answer handles a request body. A nil reply means an HTTP answer without a
// body.
func (s *rpcServer) answer(ctx context.Context, body []byte) (status int, reply []byte) {
	trimmed := bytes.TrimSpace(body)
	switch {
	case !json.Valid(trimmed):
		return s.single(&request{version: 1}, nil, rpcErrorf(codeParse, "Parse error"))
	case trimmed[0] == '[':
		return s.batch(ctx, trimmed)
	case trimmed[0] != '{':
		return s.single(&request{version: 1}, nil, rpcErrorf(codeParse, "Top-level object parse error"))
	}

	q, rerr := parseRequest(trimmed)
	var result any
	if rerr == nil {
		result, rerr = s.execute(ctx, q)
	}
	return s.single(q, result, rerr)
}

// single finishes a request that is not in a batch.
func (s *rpcServer) single(q *request, result any, rerr *rpcError) (int, []byte) {
	reply := s.encode(q, result, rerr)
	switch {
	case q.notification():
		return http.StatusNoContent, nil
	case rerr == nil || q.version == 2:
		return http.StatusOK, reply
	case rerr.Code == codeInvalidRequest:
		return http.StatusBadRequest, reply
	case rerr.Code == codeMethodNotFound:
		return http.StatusNotFound, reply
	}
	return http.StatusInternalServerError, reply
}

// batch answers an array of requests with an array, in order, without those
// for notifications.
func (s *rpcServer) batch(ctx context.Context, body []byte) (int, []byte) {
	var members []json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return s.single(&request{version: 1}, nil, rpcErrorf(codeParse, "Parse error"))
	}
	if len(members) > rpcMaxBatch {
		return s.single(&request{version: 1}, nil, rpcErrorf(codeInvalidRequest, "Batch of more than %d requests", rpcMaxBatch))
	}
	replies := []json.RawMessage{}
	for _, m := range members {
		q, rerr := parseRequest(m)
		var result any
		if rerr == nil {
			result, rerr = s.execute(ctx, q)
		}
		if reply := s.encode(q, result, rerr); !q.notification() {
			replies = append(replies, reply)
		}
	}
	if len(replies) == 0 && len(members) > 0 {
		return http.StatusNoContent, nil
	}
	reply, err := encodeJSON(replies)
	if err != nil {
		return http.StatusInternalServerError, nil
	}
	return http.StatusOK, reply
}

// execute runs the method of a request.
func (s *rpcServer) execute(ctx context.Context, q *request) (result any, rerr *rpcError) {
	if why := s.warmUp.Load(); why != nil {
		return nil, rpcErrorf(codeWarmUp, "%s", *why)
	}
	m, ok := s.methods[q.method]
	if !ok {
		return nil, rpcErrorf(codeMethodNotFound, "Method not found")
	}
	a, rerr := m.arguments(q.params)
	if rerr != nil {
		return nil, rerr
	}

	defer func() {
		// A panic in consensus code must not take the network down; btcd
		// holds its locks by defer.
		if p := recover(); p != nil {
			s.log.Error("rpc method panicked", "method", q.method, "panic", p)
			result, rerr = nil, rpcErrorf(codeInternal, "internal error")
		}
	}()
	result, err := m.run(ctx, a)
	if err == nil {
		return result, nil
	}
	var own *rpcError
	if errors.As(err, &own) {
		return nil, own
	}
	s.log.Error("rpc method failed", "method", q.method, "error", err)
	return nil, rpcErrorf(codeInternal, "%v", err)
}
