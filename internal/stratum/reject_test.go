package stratum

import "testing"

func TestRejectTable(t *testing.T) {
	names := map[string]Reject{}
	for _, r := range Rejects() {
		if r.Code() < 20 || r.Code() > 25 {
			t.Errorf("%v has the code %d", r, r.Code())
		}
		if r.Text() == "" || r.Name() == "" || r.Advice() == "" {
			t.Errorf("reject %d lacks a text: %q %q %q", r, r.Text(), r.Name(), r.Advice())
		}
		if other, taken := names[r.Name()]; taken {
			t.Errorf("%d and %d are both called %s", other, r, r.Name())
		}
		names[r.Name()] = r
		decode(t, AppendReject(nil, []byte("1"), r), "id", "result", "error")
	}
	if len(names) != int(numRejects)-1 {
		t.Errorf("%d rejects are listed, %d exist", len(names), numRejects-1)
	}
	if got := Reject(200); got.Name() != RejectInternal.Name() {
		t.Errorf("a reject out of range is %v", got)
	}
}

// AxeOS explains these texts to its users, and nothing else (R-U8).
func TestRejectTextsThatAxeOSKnows(t *testing.T) {
	for r, want := range map[Reject]struct {
		code int
		text string
	}{
		RejectLowDifficulty: {23, "Above target"}, RejectDuplicate: {22, "Duplicate"}, RejectStale: {21, "Stale"},
		RejectUnknownJob: {21, "Invalid JobID"}, RejectExtranonce2: {20, "Invalid nonce2 length"}, RejectNTime: {20, "Ntime out of range"},
		RejectVersionMask: {20, "Invalid version mask"}, RejectNotSubscribed: {25, "Not subscribed"}, RejectUnauthorized: {24, "Unauthorized worker"},
		RejectUnknownMethod: {20, "Unknown method"},
	} {
		if r.Code() != want.code || r.Text() != want.text {
			t.Errorf("%v is [%d, %q], want %v", r, r.Code(), r.Text(), want)
		}
	}
}

func TestCloseReasons(t *testing.T) {
	names := map[string]bool{}
	for _, r := range CloseReasons() {
		if r.String() == "" || names[r.String()] {
			t.Errorf("reason %d has the name %q", r, r)
		}
		names[r.String()] = true
	}
	if CloseReason(200).String() != CloseUnknown.String() {
		t.Error("a reason out of range has a name")
	}
}
