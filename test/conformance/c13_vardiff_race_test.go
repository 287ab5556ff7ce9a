package conformance

import (
	"strconv"
	"testing"
	"time"
)

// case   C13 shares on their way while the difficulty changes
// device any miner at the moment of a difficulty change
// source public-pool issue 114, ESP-Miner issues 203 and 212, c2pool issue 762; dossier R-J4, R-J5, 7 no. 1
// proves R-J4 R-J5 R-J7 R-U7
func TestC13VardiffRace(t *testing.T) {
	t.Parallel()
	p := onMainnet(t, settings{"difficulty.min": "0.000001", "difficulty.shares_per_minute": "6"})
	p.awaitWork(t)
	d := p.connect(t)
	user := p.addressOf("miner") + ".race"
	old := d.start("racer/1.0", user, "d=0.000005")
	if d.difficulty != "0.000005" {
		d.fatalf("the first difficulty is %s", d.difficulty)
	}

	// One share comes too late on purpose, and one is hurried too much.
	late, weak := d.mine(wish{}), d.mine(wish{weak: true})
	raised := func() bool { return d.newest.difficulty != old.difficulty }
	for id, end := 10, time.Now().Add(patience); !raised(); id++ {
		if time.Now().After(end) {
			d.fatalf("shares came as fast as the machine finds them, and the difficulty stayed")
		}
		if m := d.submit(id, user, d.mineOn(old, wish{})); string(m.Result) != "true" {
			d.fatalf("share %d: %s", id, m.Error)
		}
		if d.alone { // the notify of the pair is still to come
			d.awaitJob()
		}
	}
	before, _ := strconv.ParseFloat(old.difficulty, 64)
	after, _ := strconv.ParseFloat(d.newest.difficulty, 64)
	if after <= before || d.newest.clean {
		d.fatalf("the difficulty went from %g to %g, clean_jobs %t", before, after, d.newest.clean)
	}

	// The old job keeps its difficulty; the new job has the new one only.
	if m := d.submit(500, user, late); string(m.Result) != "true" {
		d.fault("R-J5", "a share of the old job at the old difficulty: %s", m.Error)
	}
	if m := d.submit(501, user, weak); m.refusal() != "23 Above target" {
		d.fault("R-J5", "a share of the old job below the old difficulty: %s %s", m.Result, m.Error)
	}
	easy := *d.newest
	easy.difficulty = old.difficulty
	if after > 4*before { // so that a share at the old difficulty most likely misses the new one
		s := d.mineOn(&easy, wish{})
		m := d.submit(502, user, s)
		if meets := hashMeets(t, s, d.jobs[s.job.id].difficulty); (string(m.Result) == "true") != meets {
			d.fault("R-J5", "a share of the new job: %s %s; it meets the new difficulty: %t", m.Result, m.Error, meets)
		}
	}
}
