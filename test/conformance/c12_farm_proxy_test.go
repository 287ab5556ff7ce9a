package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/poolscope/poolscope/test/nodes"
)

// case   C12 a farm's proxy brings a hundred workers over one connection
// device Braiins Farm Proxy, ckproxy: one upstream connection for a whole farm, extranonce2 divided among its miners
// source dossier 1.3; stratifier.c of ckpool for the passthrough's shape
// proves R-S2 R-S6 R-U6 R-U7 R-F1
func TestC12FarmProxy(t *testing.T) {
	t.Parallel()
	p := onDevnet(t, nil)
	p.awaitWork(t)
	d := p.connect(t)
	address := p.addressOf("farm")

	// Authorize may come before subscribe, and a hundred of them at once.
	const workers = 100
	var lines []string
	for i := range workers {
		lines = append(lines, fmt.Sprintf(`{"id":%d,"method":"mining.authorize","params":["%s.s19-%02d","f=0.00001"]}`, 1000+i, address, i))
	}
	d.send(lines...)
	for i := range workers {
		if got, want := d.next(), fmt.Sprintf(`{"id":%d,"result":true,"error":null}`, 1000+i); got != want {
			d.fatalf("worker %d: %s", i, got)
		}
	}
	d.nothingElse()
	if m := d.call(1, "mining.subscribe", "Braiins Farm Proxy/24.06"); m.refusal() != "" {
		d.fatalf("subscribe: %s", m.Error)
	}
	d.awaitJob()

	// The proxy gives each miner a part of extranonce2: here its last bytes.
	for i := range 10 {
		s := d.mine(wish{})
		name := fmt.Sprintf("%s.s19-%02d", address, i*10)
		if m := d.submit(100+i, name, s); string(m.Result) != "true" {
			d.fatalf("share of %s: %s", name, m.Error)
		}
	}
	// A name that never came is the farm's own mistake, and costs it nothing.
	if m := d.submit(200, address+".late-comer", d.mine(wish{})); string(m.Result) != "true" {
		d.fatalf("share under another name: %s", m.Error)
	}
	// Work for another payee would pay this one: that is refused.
	if m := d.call(201, "mining.authorize", p.addressOf("stranger")+".x", "x"); m.refusal() == "" || !strings.HasPrefix(m.refusal(), "24 ") {
		d.fatalf("authorize for another address: %s %s", m.Result, m.Error)
	}

	var seen struct {
		Workers []struct {
			Accepted uint64 `json:"accepted"`
		} `json:"workers"` // those with the newest shares
		MinerTypes []struct {
			TotalWorkers int `json:"total_workers"`
		} `json:"miner_types"`
	}
	nodes.WaitFor(t, patience, "the books show all workers and their 11 shares", func() bool {
		resp, err := http.Get("http://" + p.pool.HTTP + "/api/overview")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(&seen); err != nil {
			t.Fatal(err)
		}
		total, busy, known := uint64(0), 0, 0
		for _, m := range seen.MinerTypes {
			known += m.TotalWorkers
		}
		for _, w := range seen.Workers {
			total += w.Accepted
			if w.Accepted > 0 {
				busy++
			}
		}
		return known == workers && total == 11 && busy == 10
	})
}
