package pool

import (
	"fmt"
	"strings"
	"testing"
)

// A new miner waits for other new miners, not for thousands that leave or ask
// again; those are not forgotten either.
func TestClerksServeNewMinersFirst(t *testing.T) {
	c := &clerks{busy: maxClerks} // nobody takes anything but the test
	var done []string
	add := func(first bool, name string) { c.do(first, func() { done = append(done, name) }) }
	for i := range 1000 {
		add(false, fmt.Sprintf("old%d", i))
	}
	for i := range 6 {
		add(true, fmt.Sprintf("new%d", i))
	}
	for range 9 {
		c.take()()
	}
	if got, want := strings.Join(done, " "), "new0 new1 new2 new3 old0 new4 new5 old1 old2"; got != want {
		t.Errorf("done: %s, want %s", got, want)
	}
	for range 997 {
		c.take()()
	}
	if got := done[len(done)-1]; got != "old999" {
		t.Errorf("the last is %s", got)
	}
	for range maxClerks {
		if f := c.take(); f != nil {
			t.Error("there is something left to do")
		}
	}
	if c.busy != 0 {
		t.Errorf("%d clerks stay", c.busy)
	}
}
