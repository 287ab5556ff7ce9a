package fleet

import (
	"fmt"
	"slices"
	"time"
)

// Bounds of an order.
const (
	// OrderLease is how long an order holds unless it is said again: who hears
	// nothing more of the scope goes back to his own flags.
	OrderLease = 90 * time.Second
	// OrderRepeat is how often the scope says it.
	OrderRepeat = 30 * time.Second

	MaxOrderRate   = 1000 // shares per second of one agent
	maxOrderAgents = 1000
)

// Order is the load that a scope asks of its agents in mine mode.
type Order struct {
	Schema     string   `json:"schema"` // poolscope.order.v1
	RunID      string   `json:"run_id"`
	Time       string   `json:"ts"`
	Until      string   `json:"until"`      // when it lapses
	Rate       float64  `json:"rate"`       // shares per second of each agent; 0: rest
	Difficulty float64  `json:"difficulty"` // least difficulty of the shares; 0: that of the pool
	Agents     []string `json:"agents"`     // ids of those that it is for; empty: all
}

// Encode writes the content.
func (o *Order) Encode() ([]byte, error) {
	c := *o
	c.Schema = OrderSchema
	if c.Agents == nil {
		c.Agents = []string{}
	}
	return encode(&c)
}

// Check says whether an order can be carried out. The error says why not.
func (o *Order) Check() error {
	switch {
	case !(o.Rate >= 0 && o.Rate <= MaxOrderRate):
		return fmt.Errorf("%w: rate must be from 0 to %d shares per second", ErrContent, MaxOrderRate)
	case !(o.Difficulty >= 0 && o.Difficulty <= 1e15):
		return fmt.Errorf("%w: difficulty must be from 0 to 1e15", ErrContent)
	case len(o.Agents) > maxOrderAgents:
		return fmt.Errorf("%w: at most %d agents", ErrContent, maxOrderAgents)
	}
	return nil
}

// For says whether an agent is meant.
func (o *Order) For(agent string) bool { return len(o.Agents) == 0 || slices.Contains(o.Agents, agent) }

// ParseOrder reads the content of an order of a run, and when it was given and
// lapses. It never holds longer than OrderLease. It fails with ErrContent.
func ParseOrder(content []byte, run string) (o *Order, at, until time.Time, err error) {
	o = &Order{}
	if err := decode(content, o); err != nil {
		return nil, at, until, err
	}
	at, ok1 := ParseTime(o.Time)
	until, ok2 := ParseTime(o.Until)
	switch {
	case o.Schema != OrderSchema || o.RunID != run:
		return nil, at, until, fmt.Errorf("%w: schema or run_id", ErrContent)
	case !ok1 || !ok2:
		return nil, at, until, fmt.Errorf("%w: ts or until", ErrContent)
	}
	if err := o.Check(); err != nil {
		return nil, at, until, err
	}
	if latest := at.Add(OrderLease); until.After(latest) {
		until = latest
	}
	return o, at, until, nil
}
