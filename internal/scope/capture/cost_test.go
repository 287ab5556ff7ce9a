package capture

import (
	"encoding/json"
	"strings"
	"testing"
)

// A line full of numbers that no double holds costs no more memory than twice
// its size: it is written once.
func TestManyTooBigNumbers(t *testing.T) {
	const n = 30_000
	raw := []byte(`{"id":1,"params":[` + strings.TrimSuffix(strings.Repeat("1e999,", n), ",") + "]}\n")
	m := ParseLine(raw)
	var decoded json.RawMessage
	allocations := testing.AllocsPerRun(1, func() { decoded = m.Decoded() })
	if allocations > 4 {
		t.Errorf("%v allocations", allocations)
	}
	var got struct{ Params []string }
	if err := json.Unmarshal(decoded, &got); err != nil || len(got.Params) != n || got.Params[n-1] != "1e999" {
		t.Errorf("%d numbers, %v", len(got.Params), err)
	}
	plain := ParseLine([]byte(`{"id":1,"params":[1e5,-2.5E-3,"1e999"]}` + "\n"))
	if allocations := testing.AllocsPerRun(10, func() { plain.Decoded() }); allocations > 0 {
		t.Errorf("%v allocations where nothing has to change", allocations)
	}
}

// Numbers beyond a double's range are told from those within.
func TestTooBig(t *testing.T) {
	for _, number := range []string{
		"0", "-0", "1", "0e999999999999999999999", "0.000e400", "1e308", "1.7976931348623157e308", "1.7976931348623159e308", "-1e309", "1e309", "1E+400", "1e-400",
		"0.1e309", "0.0001e312", "0.0001e313", "17976931348623157e292", "17976931348623159e292", "1e99999999999999999999", "1e-99999999999999999999",
		strings.Repeat("9", 308), strings.Repeat("9", 309), "1" + strings.Repeat("0", 308), "1" + strings.Repeat("0", 309), "0." + strings.Repeat("0", 400) + "1",
		strings.Repeat("9", 400) + "e-200", strings.Repeat("9", 400) + ".5e-91", strings.Repeat("9", 400) + ".5e-92",
	} {
		var v float64
		want := json.Unmarshal([]byte(number), &v) != nil
		if got := tooBig([]byte(number)); got != want {
			t.Errorf("%.40s (%d bytes): too big %t, encoding/json says %t", number, len(number), got, want)
		}
	}
}
