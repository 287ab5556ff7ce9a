package scopeapi

import (
	"errors"
	"net/http"

	"github.com/poolscope/poolscope/internal/scope/replay"
)

// SessionSettings are the settings of a session.
type SessionSettings struct {
	Broadcast       bool `json:"broadcast_enabled" doc:"Whether its shares are published for the fleet"`
	RepeatCount     int  `json:"repeat_count" minimum:"1" maximum:"1000" doc:"How often each agent submits a share"`
	AutoReplay      bool `json:"auto_replay_enabled" doc:"Whether each share is sent again"`
	AutoReplayCount int  `json:"auto_replay_count" minimum:"1" maximum:"900000" doc:"How often"`

	AutoReplayRate   float64 `json:"auto_replay_rate" minimum:"0.01" maximum:"100000" doc:"At most so many lines a second"`
	AutoReplayJitter float64 `json:"auto_replay_jitter" minimum:"0" maximum:"1" doc:"By how much the time between two lines varies, as a part of it"`
}

// settingsOf are the settings of a session.
func (a *API) settingsOf(session string) SessionSettings {
	s := replay.DefaultSettings()
	if a.src.Replay != nil {
		s = a.src.Replay.Settings(session)
	}
	return SessionSettings{
		Broadcast: s.Broadcast, RepeatCount: s.RepeatCount,
		AutoReplay: s.AutoReplay, AutoReplayCount: s.AutoReplayCount,
		AutoReplayRate: s.AutoReplayRate, AutoReplayJitter: s.AutoReplayJitter,
	}
}

// settingsChange is the body of a PATCH: what is left out stays.
type settingsChange struct {
	Broadcast        *bool    `json:"broadcast_enabled,omitempty" doc:"Whether its shares are published for the fleet"`
	RepeatCount      *int     `json:"repeat_count,omitempty" minimum:"1" maximum:"1000"`
	AutoReplay       *bool    `json:"auto_replay_enabled,omitempty" doc:"Only with pools that the configuration lists as the user's own"`
	AutoReplayCount  *int     `json:"auto_replay_count,omitempty" minimum:"1" maximum:"900000"`
	AutoReplayRate   *float64 `json:"auto_replay_rate,omitempty" minimum:"0.01" maximum:"100000"`
	AutoReplayJitter *float64 `json:"auto_replay_jitter,omitempty" minimum:"0" maximum:"1"`
}

// repeatCountOrder and autoReplayCountOrder are the bodies of the original.
// The bounds of the first are a 400, those of the second a 422.
type (
	repeatCountOrder struct {
		RepeatCount int `json:"repeat_count" doc:"1 to 1000"`
	}
	autoReplayCountOrder struct {
		AutoReplayCount int `json:"auto_replay_count" minimum:"1" maximum:"900000"`
	}
)

// The answers of the sub-resources, each one setting of a session.
type (
	broadcastState struct {
		SessionID string `json:"session_id"`
		Enabled   bool   `json:"broadcast_enabled"`
	}
	repeatCountState struct {
		SessionID string `json:"session_id"`
		Count     int    `json:"repeat_count"`
	}
	autoReplayState struct {
		SessionID string           `json:"session_id"`
		Enabled   bool             `json:"auto_replay_enabled"`
		Progress  *replay.Progress `json:"progress,omitempty" doc:"How far it came since it was switched on"`
	}
	autoReplayCountState struct {
		SessionID string `json:"session_id"`
		Count     int    `json:"auto_replay_count"`
	}
)

// stateOf picks one setting out of all, for the answer of a sub-resource.
type stateOf func(a *API, session string, s SessionSettings) any

func broadcastOf(_ *API, session string, s SessionSettings) any {
	return broadcastState{session, s.Broadcast}
}

func repeatCountOf(_ *API, session string, s SessionSettings) any {
	return repeatCountState{session, s.RepeatCount}
}

func autoReplayOf(a *API, session string, s SessionSettings) any {
	state := autoReplayState{SessionID: session, Enabled: s.AutoReplay}
	if a.src.Replay != nil {
		p := a.src.Replay.AutoReplay(session)
		state.Progress = &p
	}
	return state
}

func autoReplayCountOf(_ *API, session string, s SessionSettings) any {
	return autoReplayCountState{session, s.AutoReplayCount}
}

// serveSetting answers with one setting.
func serveSetting(state stateOf) func(*call) error {
	return func(c *call) error {
		s, err := c.session()
		if err != nil {
			return err
		}
		return c.json(state(c.api, s.ID, c.api.settingsOf(s.ID)))
	}
}

// serveChange changes what order makes of the request, and answers with one
// setting, or with the whole session when state is nil.
func serveChange(order func(c *call) replay.Change, state stateOf) func(*call) error {
	return func(c *call) error {
		s, err := c.session()
		switch {
		case err != nil:
			return err
		case c.api.src.Replay == nil:
			return notRunning("The proxy")
		}
		if _, err := c.api.src.Replay.Change(s.ID, order(c)); err != nil {
			return refused(err)
		}
		if state == nil {
			return c.json(c.api.viewOf(&s))
		}
		return c.json(state(c.api, s.ID, c.api.settingsOf(s.ID)))
	}
}

// Orders.

func orderBroadcast(on bool) func(*call) replay.Change {
	return func(*call) replay.Change { return replay.Change{Broadcast: &on} }
}

func orderAutoReplay(on bool) func(*call) replay.Change {
	return func(*call) replay.Change { return replay.Change{AutoReplay: &on} }
}

func orderAll(c *call) replay.Change {
	return replay.Change{
		Broadcast: member[bool](c, "broadcast_enabled"), RepeatCount: count(c, "repeat_count"),
		AutoReplay: member[bool](c, "auto_replay_enabled"), AutoReplayCount: count(c, "auto_replay_count"),
		AutoReplayRate: member[float64](c, "auto_replay_rate"), AutoReplayJitter: member[float64](c, "auto_replay_jitter"),
	}
}

// member is a member of the body, nil when it was not given.
func member[T any](c *call, name string) *T {
	if v, ok := c.body[name].(T); ok {
		return &v
	}
	return nil
}

func count(c *call, name string) *int {
	n := member[int64](c, name)
	if n == nil {
		return nil
	}
	// Whatever does not fit is out of bounds anyway.
	i := int(max(min(*n, 1<<30), -1))
	return &i
}

// refused tells why the replay service did not do something.
func refused(err error) error {
	var refusal *replay.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	status := http.StatusBadRequest
	switch refusal {
	case replay.ErrNotFound, replay.ErrNotLive, replay.ErrNoSession:
		status = http.StatusNotFound
	case replay.ErrNotOwn:
		status = http.StatusForbidden
	case replay.ErrBusy:
		status = http.StatusServiceUnavailable
	}
	return fail(status, err.Error())
}
