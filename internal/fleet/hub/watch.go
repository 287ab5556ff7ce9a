package hub

import "sync"

// maxFrames bounds what waits for one watcher.
const maxFrames = 256

// Watcher gets what happens to the agents, as JSON. A watcher that reads too
// slowly misses frames and is told so by Missed; it then asks for all anew.
type Watcher struct {
	Frames <-chan []byte
	frames chan []byte
	all    *watchers
	missed bool // guarded by all.mu
}

// watchers are those who watch. The zero value has none.
type watchers struct {
	mu  sync.Mutex
	set map[*Watcher]struct{}
}

// Watch begins to watch. Close ends it.
func (h *Hub) Watch() *Watcher {
	frames := make(chan []byte, maxFrames)
	w := &Watcher{Frames: frames, frames: frames, all: &h.watchers}
	h.watchers.mu.Lock()
	defer h.watchers.mu.Unlock()
	if h.watchers.set == nil {
		h.watchers.set = make(map[*Watcher]struct{})
	}
	h.watchers.set[w] = struct{}{}
	return w
}

// Close ends watching.
func (w *Watcher) Close() {
	w.all.mu.Lock()
	defer w.all.mu.Unlock()
	delete(w.all.set, w)
}

// Missed says whether frames were missed since it was last asked. Those that
// still wait are then dropped: they are older than what is asked for anew.
func (w *Watcher) Missed() bool {
	w.all.mu.Lock()
	defer w.all.mu.Unlock()
	if !w.missed {
		return false
	}
	w.missed = false
	for len(w.frames) > 0 {
		<-w.frames
	}
	return true
}

func (w *watchers) any() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.set) > 0
}

// send gives a frame to all.
func (w *watchers) send(frame []byte) {
	if frame == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.set {
		select {
		case one.frames <- frame:
		default:
			one.missed = true
		}
	}
}
