package saved

import "time"

// minutesOfDay is the number of minutes that are looked back on.
const minutesOfDay = 24 * 60

// Day has a bit for each of the last 24 hours' minutes: that of minute m since
// 1970 is bit m modulo 1440.
type Day [minutesOfDay / 8]byte

// minuteOf is a time's minute since 1970.
func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

// set notes a minute that comes after last; those between are cleared.
func (d *Day) set(last, minute int64, on bool) {
	for m := max(last+1, minute-minutesOfDay+1); m < minute; m++ {
		d.put(m, false)
	}
	d.put(minute, on)
}

func (d *Day) put(minute int64, on bool) {
	i := minute % minutesOfDay
	if on {
		d[i/8] |= 1 << (i % 8)
	} else {
		d[i/8] &^= 1 << (i % 8)
	}
}

func (d *Day) has(minute int64) bool {
	i := minute % minutesOfDay
	return d[i/8]&(1<<(i%8)) != 0
}

// uptime is the part of the minutes that somebody looked at, from since to last,
// in which a worker was online, in percent; false when there were none.
func uptime(online, looked *Day, since, last int64) (percent float64, ok bool) {
	var there, all int
	for m := max(since, last-minutesOfDay+1); m <= last; m++ {
		if looked.has(m) {
			all++
			if online.has(m) {
				there++
			}
		}
	}
	if all == 0 {
		return 0, false
	}
	return 100 * float64(there) / float64(all), true
}
