package clerk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// When keys are fetched.
const (
	refetchEvery   = time.Hour       // so that withdrawn keys are noticed
	refetchUnknown = time.Minute     // at most this often for the sake of tokens with unknown keys
	firstRetry     = time.Second     // after a fetch in vain, and then twice as long each time, …
	maxRetry       = 5 * time.Minute // … until this
	staleAfter     = 24 * time.Hour  // without an answer, so that a withdrawn key is not trusted for ever
	waitForKeys    = 5 * time.Second // how long a sign-in waits for a fetch that is under way
)

// ErrUnavailable says that the provider's keys are not known: it has not
// answered yet, or not for a day.
var ErrUnavailable = errors.New("the keys of the identity provider are not known yet")

// errUnknownKey says that a token names a key that the provider does not have.
var errUnknownKey = errors.New("the token is signed with an unknown key")

// keys are the provider's, kept up to date by run. Looking one up never waits.
type keys struct {
	url    string
	client *http.Client
	log    *slog.Logger
	now    func() time.Time

	known atomic.Pointer[keysAt]
	poke  chan struct{} // somebody met an unknown key

	mu    sync.Mutex
	next  chan struct{} // closed when the fetch that is due or under way has ended
	asked time.Time     // when a fetch was last asked for or begun

	fetched, failed, unknown atomic.Uint64
}

type keysAt struct {
	byID map[string]key
	at   time.Time
}

func newKeys(url string, client *http.Client, log *slog.Logger) *keys {
	return &keys{url: url, client: client, log: log, now: time.Now, poke: make(chan struct{}, 1)}
}

// find looks a key up. An unknown one, and all while none are known, is asked for in
// the background, unless that was done lately: made-up tokens must not make us flood
// the provider.
func (k *keys) find(id string) (key, error) {
	known := k.known.Load()
	if known == nil || k.now().Sub(known.at) > staleAfter {
		k.ask() // whoever wants to sign in need not wait for the next of the rarer retries
		return key{}, ErrUnavailable
	}
	found, ok := known.byID[id]
	if !ok {
		k.unknown.Add(1)
		k.ask()
		return key{}, errUnknownKey
	}
	return found, nil
}

// ask makes run fetch the keys, at most once in refetchUnknown.
func (k *keys) ask() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next != nil || !k.asked.IsZero() && k.now().Sub(k.asked) < refetchUnknown {
		return
	}
	k.begin()
	select {
	case k.poke <- struct{}{}:
	default:
	}
}

// begin notes a fetch that is due. The caller holds mu.
func (k *keys) begin() {
	k.asked = k.now()
	if k.next == nil {
		k.next = make(chan struct{})
	}
}

// wait waits for the fetch that is due or under way, and reports whether there
// was one.
func (k *keys) wait(ctx context.Context) bool {
	k.mu.Lock()
	next := k.next
	k.mu.Unlock()
	if next == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, waitForKeys)
	defer cancel()
	select {
	case <-next:
	case <-ctx.Done():
	}
	return true
}

// run keeps the keys until ctx ends. There is one fetch at a time.
func (k *keys) run(ctx context.Context) {
	retry := firstRetry
	for {
		err := k.fetch(ctx)
		pause := refetchEvery
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			retry = firstRetry
		default:
			k.log.Warn("keys of the identity provider not fetched", "url", k.url, "err", err, "retry_in", retry)
			pause, retry = retry, min(2*retry, maxRetry)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-k.poke:
			timer.Stop()
		}
	}
}

// fetch reads the provider's keys. Those known before stay when that fails.
func (k *keys) fetch(ctx context.Context) error {
	k.mu.Lock()
	k.begin()
	k.mu.Unlock()
	found, err := k.read(ctx)
	if err != nil {
		k.failed.Add(1)
	} else {
		k.fetched.Add(1)
		k.known.Store(&keysAt{byID: found, at: k.now()})
	}
	k.mu.Lock()
	close(k.next)
	k.next = nil
	k.mu.Unlock()
	return err
}

func (k *keys) read(ctx context.Context) (map[string]key, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	request.Header.Set("Accept", "application/json")
	answer, err := k.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch keys: the provider answers %s", answer.Status)
	}
	document, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("fetch keys: %w", err)
	}
	return parseKeys(document)
}
