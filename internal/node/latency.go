package node

import "time"

// latency collects the durations of one kind of call: totals since start, and
// a ring of minutes for the last hour.
type latency struct {
	count     uint64
	last, max time.Duration
	minutes   [60]latencyMinute
}

// latencyMinute is one slot of the ring, valid for one minute only.
type latencyMinute struct {
	minute        int64 // Unix time / 60
	count         int64
	sum, min, max time.Duration
}

func (l *latency) add(d time.Duration, now time.Time) {
	l.count++
	l.last = d
	l.max = max(l.max, d)

	minute := now.Unix() / 60
	slot := &l.minutes[minute%int64(len(l.minutes))]
	if slot.minute != minute || slot.count == 0 {
		*slot = latencyMinute{minute: minute, min: d}
	}
	slot.count++
	slot.sum += d
	slot.min = min(slot.min, d)
	slot.max = max(slot.max, d)
}

func (l *latency) stats(now time.Time) LatencyStats {
	s := LatencyStats{Count: l.count, Last: l.last, Max: l.max}
	oldest := now.Unix()/60 - int64(len(l.minutes))
	var (
		count int64
		sum   time.Duration
	)
	for i := range l.minutes {
		slot := &l.minutes[i]
		if slot.count == 0 || slot.minute <= oldest {
			continue
		}
		if count == 0 || slot.min < s.Min1h {
			s.Min1h = slot.min
		}
		s.Max1h = max(s.Max1h, slot.max)
		sum += slot.sum
		count += slot.count
	}
	if count > 0 {
		s.Avg1h = sum / time.Duration(count)
	}
	return s
}
