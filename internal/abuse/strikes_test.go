package abuse

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestStepsComeOnceAndInOrder(t *testing.T) {
	var s Strikes
	var got []Step
	for range 100 {
		if step := s.Add(1, 100, noon); step != Nothing {
			got = append(got, step)
			if s.Clean(100) {
				t.Error("clean after a step")
			}
		}
	}
	if len(got) != 3 || got[0] != Resend || got[1] != Warn || got[2] != Drop {
		t.Errorf("steps %v", got)
	}
	// One great fault goes straight to the end.
	s = Strikes{}
	if step := s.Add(100, 100, noon); step != Drop {
		t.Errorf("step %v", step)
	}
}

func TestStrikesAreForgiven(t *testing.T) {
	var s Strikes
	for range 60 {
		s.Add(1, 100, noon)
	}
	if step := s.Add(0, 100, noon.Add(12*time.Minute)); step != Nothing || !s.Clean(100) {
		t.Errorf("after 12 minutes: step %v, %v points", step, s.points)
	}
	// It climbs again from there, and is told again.
	var got []Step
	for range 60 {
		if step := s.Add(1, 100, noon.Add(12*time.Minute)); step != Nothing {
			got = append(got, step)
		}
	}
	if len(got) != 2 || got[0] != Resend || got[1] != Warn {
		t.Errorf("steps %v", got)
	}

	// As much good as bad is never too much.
	s = Strikes{}
	for range 10_000 {
		if s.Add(1, 100, noon) != Nothing {
			t.Fatal("a step although half of it was right")
		}
		s.Forgive(1)
	}
}

// A clock that is set back forgives nothing, and takes nothing.
func TestStrikesWhenTheClockGoesBack(t *testing.T) {
	var s Strikes
	for range 20 {
		s.Add(1, 100, noon)
	}
	s.Add(1, 100, noon.Add(-time.Hour))
	if s.points != 21 {
		t.Errorf("%v points", s.points)
	}
}

func TestZeroLimitMeansNone(t *testing.T) {
	var s Strikes
	for range 1000 {
		if s.Add(1000, 0, noon) != Nothing || !s.Clean(0) {
			t.Fatal("a step without a limit")
		}
	}
}
