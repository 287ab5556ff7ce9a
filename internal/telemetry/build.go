package telemetry

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// Build says which program this is.
type Build struct {
	Version   string // "v1.2.3", or "dev" when nobody said
	Commit    string // git commit, with "+dirty" after it when the tree had changes; may be empty
	Date      string // RFC 3339, of the build or of the commit; may be empty
	GoVersion string // such as "go1.26.0"
}

// ReadBuild returns what the linker flags say (-X main.version=…, passed in by
// main; each may be empty), completed by what the Go tool chain recorded in
// the binary.
func ReadBuild(version, commit, date string) Build {
	info, _ := debug.ReadBuildInfo()
	return completeBuild(Build{Version: version, Commit: commit, Date: date}, info)
}

// completeBuild fills the empty fields of b from info, which may be nil.
func completeBuild(b Build, info *debug.BuildInfo) Build {
	b.GoVersion = runtime.Version()
	if info != nil {
		if v := info.Main.Version; b.Version == "" && v != "" && v != "(devel)" {
			b.Version = v
		}
		if info.GoVersion != "" {
			b.GoVersion = info.GoVersion
		}
		var revision, at string
		var dirty bool
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				revision = s.Value
			case "vcs.time":
				at = s.Value
			case "vcs.modified":
				dirty = s.Value == "true"
			}
		}
		if b.Commit == "" && revision != "" {
			b.Commit = revision
			if dirty {
				b.Commit += "+dirty"
			}
		}
		if b.Date == "" {
			b.Date = at
		}
	}
	if b.Version == "" {
		b.Version = "dev"
	}
	return b
}

// String is one line for `version`, logs and the page.
func (b Build) String() string {
	parts := []string{"poolscope " + b.Version}
	if c := b.Commit; c != "" {
		hash, dirty, _ := strings.Cut(c, "+")
		c = hash[:min(12, len(hash))]
		if dirty != "" {
			c += "+" + dirty
		}
		parts = append(parts, c)
	}
	if b.Date != "" {
		parts = append(parts, b.Date)
	}
	return strings.Join(append(parts, b.GoVersion), " ")
}
