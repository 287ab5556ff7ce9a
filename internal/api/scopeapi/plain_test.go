package scopeapi

import (
	"fmt"
	"testing"
	"time"
)

// TestPlain brings what other parts tell into one form.
func TestPlain(t *testing.T) {
	type inner struct {
		BytesToPool uint64
		ServerTLS   bool
	}
	status := struct {
		inner
		LastErrorAt time.Time
		Raised      []map[string]any
		Nested      map[string]inner `json:"nested_parts"`
		Many        []int
	}{
		inner: inner{7, true}, Nested: map[string]inner{"first": {BytesToPool: 9}}, Many: []int{1, 2, 3},
		Raised: []map[string]any{{"kind": "block_found", "count": 2}, {"peer": "x", "count": 3}},
	}
	got := plain(status)
	if text := fmt.Sprint(got); text != "map[bytes_to_pool:7 last_error_at:<nil> many:[1 2 3] nested_parts:map[first:map[bytes_to_pool:9 server_tls:false]] raised:[map[count:2 kind:block_found] map[count:3 peer:x]] server_tls:true]" {
		t.Errorf("got %s", text)
	}
	numbers := map[string]float64{}
	flatten("", got, maxPartDepth, func(name string, v float64) { numbers[name] = v })
	if text := fmt.Sprint(numbers); text != "map[bytes_to_pool:7 nested_parts_first_bytes_to_pool:9 nested_parts_first_server_tls:0 raised_block_found:2 server_tls:1]" {
		t.Errorf("numbers are %s", text)
	}
}
