package alertapi

import (
	"net/http"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/api/access"
	"github.com/poolscope/poolscope/internal/notify"
)

// channelBody is what POST and PATCH of a channel take. What is left out stays as
// it is; "" removes a setting, and quiet hours without times end.
type channelBody struct {
	Kind     string            `json:"kind"` // POST only
	Name     *string           `json:"name"`
	Enabled  *bool             `json:"enabled"`
	Settings map[string]string `json:"settings"`
	Quiet    *quietView        `json:"quiet"`
}

func (b *channelBody) change() notify.ChannelChange {
	change := notify.ChannelChange{Kind: b.Kind, Name: b.Name, Enabled: b.Enabled, Settings: b.Settings}
	if q := b.Quiet; q != nil {
		change.Quiet = &alert.Quiet{From: q.From, To: q.To, Zone: q.Zone, Blocks: q.Blocks}
	}
	return change
}

// addChannel answers 201 with the channel. One that is not confirmed yet waits
// for the code that was sent to it.
func (a *API) addChannel(w http.ResponseWriter, r *http.Request, c caller) {
	var body channelBody
	if !access.ReadJSON(w, r, &body) {
		return
	}
	ch, err := a.alerts.AddChannel(r.Context(), c.owner, body.change())
	a.record(r, c, "alert_channel.add", ch.ID, ch.Kind+" "+ch.Name, err)
	a.tellChannel(w, r, c, ch, err, http.StatusCreated)
}

func (a *API) changeChannel(w http.ResponseWriter, r *http.Request, c caller) {
	var body channelBody
	if !access.ReadJSON(w, r, &body) {
		return
	}
	if body.Kind != "" {
		http.Error(w, "the kind of a channel cannot be changed", http.StatusBadRequest)
		return
	}
	ch, err := a.alerts.ChangeChannel(r.Context(), c.owner, r.PathValue("id"), body.change())
	a.record(r, c, "alert_channel.change", r.PathValue("id"), ch.Kind+" "+ch.Name, err)
	a.tellChannel(w, r, c, ch, err, http.StatusOK)
}

func (a *API) deleteChannel(w http.ResponseWriter, r *http.Request, c caller) {
	ch, err := a.alerts.DeleteChannel(r.Context(), c.owner, r.PathValue("id"))
	a.record(r, c, "alert_channel.delete", r.PathValue("id"), ch.Kind+" "+ch.Name, err)
	a.tellDone(w, r, err)
}

// test sends a message at once and tells what came of it.
func (a *API) test(w http.ResponseWriter, r *http.Request, c caller) {
	ch, err := a.alerts.Test(r.Context(), c.owner, r.PathValue("id"))
	a.record(r, c, "alert_channel.test", r.PathValue("id"), ch.Kind+" "+ch.Name, err)
	a.tellDone(w, r, err)
}

// sendCode sends another code.
func (a *API) sendCode(w http.ResponseWriter, r *http.Request, c caller) {
	_, err := a.alerts.SendCode(r.Context(), c.owner, r.PathValue("id"))
	a.record(r, c, "alert_channel.send_code", r.PathValue("id"), "", err)
	a.tellDone(w, r, err)
}

// confirm takes the code that was sent.
func (a *API) confirm(w http.ResponseWriter, r *http.Request, c caller) {
	var body struct {
		Code string `json:"code"`
	}
	if !access.ReadJSON(w, r, &body) {
		return
	}
	ch, err := a.alerts.Confirm(r.Context(), c.owner, r.PathValue("id"), body.Code)
	a.record(r, c, "alert_channel.confirm", r.PathValue("id"), "", err)
	a.tellChannel(w, r, c, ch, err, http.StatusOK)
}

func (a *API) tellChannel(w http.ResponseWriter, r *http.Request, c caller, ch alert.Channel, err error, code int) {
	if err != nil {
		a.fail(w, r, err)
		return
	}
	access.SendJSON(w, a.log, code, a.channelView(ch, c))
}

func (a *API) tellDone(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		a.fail(w, r, err)
		return
	}
	access.SendJSON(w, a.log, http.StatusOK, map[string]bool{"ok": true})
}
