package api

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"
)

// workerID names a worker in public without telling its name.
type workerID [8]byte

// workerKey is the SHA-256 of a worker's full name: who can make it knows the
// name.
type workerKey [sha256.Size]byte

// idPrefix keeps ids and keys apart: no id is a part of a key.
const idPrefix = "poolscope worker\n"

func workerIDOf(name string) workerID {
	sum := sha256.Sum256([]byte(idPrefix + name))
	return workerID(sum[:len(workerID{})])
}

// String is the id as it is on the wire.
func (id workerID) String() string { return hex.EncodeToString(id[:]) }

// directory finds workers by their ids and keys. It is bounded by the workers
// that the ledger keeps in memory, and is made when somebody asks.
type directory struct {
	mu     sync.Mutex
	byID   map[workerID]string
	byKey  map[workerKey]string
	readAt time.Time
}

// directoryAge is how old a directory must be before a name that it does not have
// makes it anew: who guesses names must not cost more than that.
const directoryAge = time.Second

// find returns the name behind an id or a key in hex. ref must have one of their
// lengths. names lists the workers when they have to be read again.
func (d *directory) find(ref string, now time.Time, names func(yield func(name string) bool)) (name string, owner, ok bool) {
	var key workerKey
	n, err := hex.Decode(key[:], []byte(ref))
	if err != nil {
		return "", false, false
	}
	look := func() {
		if owner = n == len(key); owner {
			name, ok = d.byKey[key]
			return
		}
		name, ok = d.byID[workerID(key[:n])]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if look(); ok || d.byID != nil && now.Sub(d.readAt).Abs() < directoryAge {
		return name, owner, ok
	}
	d.byID, d.byKey, d.readAt = make(map[workerID]string, len(d.byID)), make(map[workerKey]string, len(d.byKey)), now
	for name := range names {
		d.byID[workerIDOf(name)], d.byKey[sha256.Sum256([]byte(name))] = name, name
	}
	look()
	return name, owner, ok
}

// isWorkerRef reports whether a text could be an id or a key.
func isWorkerRef(ref string) bool {
	if len(ref) != 2*len(workerID{}) && len(ref) != 2*len(workerKey{}) {
		return false
	}
	_, err := hex.DecodeString(ref)
	return err == nil
}
