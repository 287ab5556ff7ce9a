package devnet

import (
	"context"
	"encoding/hex"
	"sort"
	"strings"
	"time"
)

// rpcAPI holds what the methods work on.
type rpcAPI struct {
	engine    *engine
	templates *templates
	poll      pollTimes
	startedAt time.Time
	zmqAddr   string // "" when off
	stop      func() // ends Run
	byName    map[string]*method
}

// pollTimes say when a long poll returns for a changed mempool.
type pollTimes struct {
	first time.Duration // not before this long
	again time.Duration // then looked at this often
}

// corePollTimes are Bitcoin Core's.
func corePollTimes() pollTimes { return pollTimes{first: time.Minute, again: 10 * time.Second} }

// methods returns all methods by name, and keeps them for help.
func (r *rpcAPI) methods() map[string]*method {
	r.byName = make(map[string]*method)
	for _, group := range [][]*method{
		r.miningMethods(), r.chainMethods(), r.txMethods(), r.networkMethods(), r.controlMethods(),
	} {
		for _, m := range group {
			r.byName[m.name] = m
		}
	}
	return r.byName
}

// controlMethods are about the process.
func (r *rpcAPI) controlMethods() []*method {
	return []*method{
		{name: "uptime", about: "Seconds since the node was started.", run: r.uptime},
		{name: "stop", about: "Ends the node.", run: r.shutdown},
		{name: "help", params: []string{"command?"}, about: "Lists the methods, or describes one.", run: r.help},
		{name: "getzmqnotifications", about: "Lists the ZMQ topics and their address.", run: r.zmqNotifications},
	}
}

func (r *rpcAPI) uptime(context.Context, *args) (any, error) {
	return int64(r.engine.clock.now().Sub(r.startedAt).Seconds()), nil
}

func (r *rpcAPI) shutdown(context.Context, *args) (any, error) {
	r.stop()
	return "Bitcoin Core stopping", nil
}

func (r *rpcAPI) help(_ context.Context, a *args) (any, error) {
	if !a.has(0) {
		lines := make([]string, 0, len(r.byName))
		for _, m := range r.byName {
			lines = append(lines, m.usage())
		}
		sort.Strings(lines)
		return strings.Join(lines, "\n"), nil
	}
	name, err := a.text(0)
	if err != nil {
		return nil, err
	}
	if m, ok := r.byName[name]; ok {
		return m.usage() + "\n\n" + m.about, nil
	}
	return "help: unknown command: " + name, nil
}

// zmqTopic is a row of getzmqnotifications.
type zmqTopic struct {
	Type    string `json:"type"`
	Address string `json:"address"`
	HWM     int    `json:"hwm"`
}

func (r *rpcAPI) zmqNotifications(context.Context, *args) (any, error) {
	rows := []zmqTopic{}
	if r.zmqAddr == "" {
		return rows, nil
	}
	for _, t := range []topic{topicHashBlock, topicHashTx, topicRawBlock, topicRawTx, topicSequence} {
		rows = append(rows, zmqTopic{Type: "pub" + string(t), Address: "tcp://" + r.zmqAddr, HWM: zmqQueueMessages})
	}
	return rows, nil
}

// hexOf is short for what nearly every method does.
func hexOf(b []byte) string { return hex.EncodeToString(b) }
