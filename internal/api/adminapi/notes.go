package adminapi

import (
	"context"
	"encoding/hex"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/poolscope/poolscope/internal/api/access"
)

// NoteStore keeps operators' notes on workers. It is implemented in
// internal/store.
type NoteStore interface {
	// Notes lists all notes by the hash of the worker's name, see HashOf.
	Notes(ctx context.Context) (map[string]string, error)
	// SetNote keeps a note, or removes it when it is "". kept is false when there
	// are already most others.
	SetNote(ctx context.Context, hash, note string, at time.Time, most int) (kept bool, err error)
}

// Bounds of notes.
const (
	maxNote  = 500 // characters
	maxNotes = 20_000
)

// notes are the notes in memory, read when somebody first asks.
type notes struct {
	mu     sync.Mutex
	byHash map[string]string // nil: not read; replaced, never changed
}

// all returns the notes; none when they cannot be read.
func (n *notes) all(ctx context.Context, store NoteStore, log *slog.Logger) map[string]string {
	if store == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.byHash == nil {
		read, err := store.Notes(ctx)
		if err != nil {
			log.Warn("notes not read", "err", err)
			return nil
		}
		n.byHash = read
	}
	return n.byHash
}

// set keeps a note in the store, then in memory.
func (n *notes) set(ctx context.Context, store NoteStore, hash, note string, at time.Time) (kept bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	kept, err = store.SetNote(ctx, hash, note, at, maxNotes)
	if err != nil || !kept || n.byHash == nil {
		return kept, err
	}
	changed := maps.Clone(n.byHash)
	if note == "" {
		delete(changed, hash)
	} else {
		changed[hash] = note
	}
	n.byHash = changed
	return true, nil
}

// Note is the operators' note on a worker, "" without one.
func (a *API) Note(ctx context.Context, worker string) string {
	return a.notes.all(ctx, a.src.Notes, a.log)[HashOf(worker)]
}

// noteBody is the body of PUT /api/admin/notes/HASH, and its response.
type noteBody struct {
	Note string `json:"note"` // "" removes it
}

// servePutNote answers PUT /api/admin/notes/HASH.
func (a *API) servePutNote(w http.ResponseWriter, r *http.Request, v access.Viewer) {
	hash := strings.ToLower(r.PathValue("hash"))
	var body noteBody
	raw, err := hex.DecodeString(hash)
	switch {
	case a.src.Notes == nil:
		missing(w, "the database")
		return
	case err != nil || len(raw) != 32:
		http.Error(w, "a worker is named by 64 hex digits: the SHA-256 of its full name", http.StatusBadRequest)
		return
	case !access.ReadJSON(w, r, &body):
		return
	}
	note := cleanLine(body.Note)
	if utf8.RuneCountInString(note) > maxNote {
		http.Error(w, "a note has at most 500 characters", http.StatusBadRequest)
		return
	}
	kept, err := a.notes.set(r.Context(), a.src.Notes, hash, note, a.now())
	switch {
	case err != nil:
		a.log.Error("note not kept", "err", err)
		a.record(r.Context(), v, "worker.note", hash, "not kept", true)
		http.Error(w, "the note could not be kept", http.StatusInternalServerError)
		return
	case !kept:
		a.record(r.Context(), v, "worker.note", hash, "refused: too many notes", true)
		http.Error(w, "no more notes can be kept; remove some", http.StatusInsufficientStorage)
		return
	}
	a.record(r.Context(), v, "worker.note", hash, note, false)
	a.miners.forget()
	access.SendJSON(w, a.log, http.StatusOK, noteBody{note})
}
