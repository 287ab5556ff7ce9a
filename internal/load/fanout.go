package load

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Times of the fan-out.
const (
	calm         = 200 * time.Millisecond // before each block
	maxFanoutGap = 20 * time.Second       // until the last miner must have heard of a block
)

// fanout mines blocks through the node and lets each reach all miners.
func (r *runner) fanout(ctx context.Context) error {
	r.net.timestamps(true)
	defer r.net.timestamps(false)
	cpu := r.process.cpu()
	for k := range r.cfg.Blocks {
		block, err := await(ctx, r, r.source.mine)
		if err != nil {
			return fmt.Errorf("mine block %d: %w", k+1, err)
		}
		if err := r.idle(ctx, calm); err != nil {
			return err
		}
		begin := r.now()
		sent, err := await(ctx, r, func(ctx context.Context) (submitted, error) {
			from := r.now()
			err := r.source.submit(ctx, block)
			return submitted{from: from, took: r.now() - from}, err
		})
		if err != nil {
			return fmt.Errorf("submit block %d: %w", k+1, err)
		}
		reached := func() bool {
			tip := r.tips.find(block.hash)
			return tip != nil && len(tip.at) >= r.alive
		}
		for !reached() && r.now()-begin < maxFanoutGap {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			r.net.wait(step)
		}
		if tip := r.tips.find(block.hash); tip != nil {
			tip.block = &sent
		} else {
			r.note("a block that no miner was told of")
		}
		r.say("block %d of %d reached the miners", k+1, r.cfg.Blocks)
		if err := r.idle(ctx, r.cfg.BlockGap); err != nil {
			return err
		}
	}
	if r.process != nil && r.cfg.Blocks > 0 {
		r.blockCPU = (r.process.cpu() - cpu) / time.Duration(r.cfg.Blocks)
	}
	return nil
}

// await serves the connections while f runs.
func await[T any](ctx context.Context, r *runner, f func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f(ctx)
		done <- result{v, err}
	}()
	for {
		select {
		case got := <-done:
			if ctx.Err() != nil {
				got.err = context.Cause(ctx)
			}
			return got.value, got.err
		default:
			r.net.wait(5 * time.Millisecond)
		}
	}
}

// submitted is when a block was handed to the node.
type submitted struct {
	from, took time.Duration
}

// Fanout tells how new tips reached the miners. Times are in milliseconds; the
// totals are medians over the tips that reached all miners.
type Fanout struct {
	Tips       int     `json:"tips"`
	Incomplete int     `json:"incomplete"` // tips that some miners never heard of
	P50        float64 `json:"p50_ms"`     // from the first miner's notify to the median miner's
	P99        float64 `json:"p99_ms"`
	Last       float64 `json:"last_ms"`
	// From the submission of the block to the node, where this program mined it.
	BlockToFirst float64     `json:"block_to_first_ms,omitempty"`
	BlockToLast  float64     `json:"block_to_last_ms,omitempty"`
	CPUMillis    float64     `json:"server_cpu_ms_per_block,omitempty"`
	Each         []FanoutTip `json:"each"`
}

// FanoutTip is one new tip.
type FanoutTip struct {
	Hash         string  `json:"hash"`
	Miners       int     `json:"miners"`  // connected
	Reached      int     `json:"reached"` // given work on it
	P50          float64 `json:"p50_ms"`
	P99          float64 `json:"p99_ms"`
	Last         float64 `json:"last_ms"`
	BlockToFirst float64 `json:"block_to_first_ms,omitempty"`
	BlockToLast  float64 `json:"block_to_last_ms,omitempty"`
	Submit       float64 `json:"submitblock_ms,omitempty"` // how long the node took to answer
}

// fanoutOf works the report out; nil if there was no new tip.
func (r *runner) fanoutOf() *Fanout {
	if len(r.tips.seen) == 0 {
		return nil
	}
	f := &Fanout{Tips: len(r.tips.seen), CPUMillis: millis(r.blockCPU)}
	var p50, p99, last, toFirst, toLast []float64
	for _, t := range r.tips.seen {
		slices.Sort(t.at)
		first, final := t.at[0], t.at[len(t.at)-1]
		e := FanoutTip{
			Hash: t.hash.String(), Miners: t.miners, Reached: len(t.at),
			P50: millis(rank(t.at, 0.50) - first), P99: millis(rank(t.at, 0.99) - first), Last: millis(final - first),
		}
		if b := t.block; b != nil {
			e.BlockToFirst, e.BlockToLast, e.Submit = millis(first-b.from), millis(final-b.from), millis(b.took)
		}
		f.Each = append(f.Each, e)
		if e.Reached < e.Miners {
			f.Incomplete++
			continue
		}
		p50, p99, last = append(p50, e.P50), append(p99, e.P99), append(last, e.Last)
		if t.block != nil {
			toFirst, toLast = append(toFirst, e.BlockToFirst), append(toLast, e.BlockToLast)
		}
	}
	f.P50, f.P99, f.Last = median(p50), median(p99), median(last)
	f.BlockToFirst, f.BlockToLast = median(toFirst), median(toLast)
	return f
}

// print renders the report for people.
func (f *Fanout) print(b *strings.Builder) {
	for k, e := range f.Each {
		fmt.Fprintf(b, "new tip %-3d %d of %d miners; from the first: p50 %.2f ms, p99 %.2f ms, last %.2f ms", k+1, e.Reached, e.Miners, e.P50, e.P99, e.Last)
		if e.BlockToLast > 0 {
			fmt.Fprintf(b, "; from the block: first %.2f ms, last %.2f ms (the node took %.2f ms)", e.BlockToFirst, e.BlockToLast, e.Submit)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(b, "fan-out     %d tips, %d incomplete; medians from the first miner: p50 %.2f ms, p99 %.2f ms, last %.2f ms\n", f.Tips, f.Incomplete, f.P50, f.P99, f.Last)
	if f.BlockToLast > 0 {
		fmt.Fprintf(b, "            from the block: first %.2f ms, last %.2f ms; server %.1f ms of processor time per block\n", f.BlockToFirst, f.BlockToLast, f.CPUMillis)
	}
}

// median returns the lower median, 0 of nothing.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[(len(v)-1)/2]
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
