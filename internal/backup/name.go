package backup

import (
	"strings"
	"time"
)

const (
	namePrefix = "poolscope-"
	nameTime   = "20060102T150405Z"
	plainEnd   = ".tar.zst"
	secretEnd  = ".tar.zst.age"
	// sumEnd is at the end of the file that says that an archive was verified.
	sumEnd = ".sha256"
	// maxSum bounds the size of such a file in bytes.
	maxSum = 1024
)

// nameOf is the file name of an archive made at a time.
func nameOf(at time.Time, encrypted bool) string {
	end := plainEnd
	if encrypted {
		end = secretEnd
	}
	return namePrefix + at.UTC().Format(nameTime) + end
}

// ParseName tells from a file name when an archive was made, to the second, and
// whether it is encrypted; false when it is not the name of an archive.
func ParseName(name string) (at time.Time, encrypted, ok bool) {
	rest, ok := strings.CutPrefix(name, namePrefix)
	if !ok {
		return time.Time{}, false, false
	}
	stamp, encrypted := strings.CutSuffix(rest, secretEnd)
	if !encrypted {
		if stamp, ok = strings.CutSuffix(rest, plainEnd); !ok {
			return time.Time{}, false, false
		}
	}
	at, err := time.Parse(nameTime, stamp)
	if err != nil || at.Format(nameTime) != stamp {
		return time.Time{}, false, false
	}
	return at.UTC(), encrypted, true
}
