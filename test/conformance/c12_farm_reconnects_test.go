package conformance

import (
	"fmt"
	"sync"
	"testing"
)

// case   C12 a farm behind one address connects all at once, and again after a power cut
// device 200 miners behind one router
// source dossier 6 (reconnect storms), Appendix B; ckpool's extranonce collisions
// proves R-S2 R-X3
func TestC12FarmReconnects(t *testing.T) {
	t.Parallel()
	p := onDevnet(t, nil)
	p.awaitWork(t)
	const miners = 200
	address := p.addressOf("farm")

	seen := make(map[string]int) // extranonce1: two miners with the same would do the same work
	for round := range 2 {
		devices := make([]*device, miners)
		for i := range devices {
			devices[i] = p.connect(t)
		}
		var wg sync.WaitGroup
		failed := make([]string, miners)
		for i, d := range devices {
			wg.Go(func() { failed[i] = comeIn(d, fmt.Sprintf("%s.rig%03d", address, i)) })
		}
		wg.Wait()

		now := make(map[string]int)
		for i, d := range devices {
			if failed[i] != "" {
				t.Fatalf("round %d, miner %d: %s%s", round, i, failed[i], d.conversation())
			}
			extranonce1 := string(d.extranonce1)
			if other, taken := now[extranonce1]; taken {
				t.Fatalf("R-S2: miners %d and %d have the extranonce1 %x at the same time", other, i, extranonce1)
			}
			now[extranonce1] = i
			if before, taken := seen[extranonce1]; taken {
				t.Errorf("R-S2: miner %d has the extranonce1 %x that miner %d had before, and did not ask for it", i, extranonce1, before)
			}
			d.conn.Close()
		}
		seen = now
	}
}

// comeIn does a handshake in one segment and waits for work. It says what went
// wrong: many do it at once, and only the test itself may fail the test.
func comeIn(d *device, user string) string {
	subscribe := `{"id":1,"method":"mining.subscribe","params":["cgminer/4.11.1"]}`
	authorize := fmt.Sprintf(`{"id":2,"method":"mining.authorize","params":[%q,"x"]}`, user)
	d.note(subscribe)
	d.note(authorize)
	if _, err := d.conn.Write([]byte(subscribe + "\n" + authorize + "\n")); err != nil {
		return fmt.Sprintf("send: %v", err)
	}
	for d.newest == nil {
		if _, err := d.line(patience); err != nil {
			return fmt.Sprintf("waiting for work: %v", err)
		}
	}
	return ""
}
