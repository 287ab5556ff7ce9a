package telemetry

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestCompleteBuild(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	vcs := func(modified string) *debug.BuildInfo {
		return &debug.BuildInfo{
			GoVersion: "go1.99",
			Main:      debug.Module{Version: "v0.0.0-20260131195502-0123456789ab"},
			Settings: []debug.BuildSetting{
				{Key: "vcs.revision", Value: commit}, {Key: "vcs.time", Value: "2026-01-31T19:55:02Z"}, {Key: "vcs.modified", Value: modified},
			},
		}
	}
	for _, tc := range []struct {
		name   string
		flags  Build
		info   *debug.BuildInfo
		want   Build
		string string
	}{
		{"nothing known", Build{}, nil, Build{"dev", "", "", runtime.Version()}, "poolscope dev " + runtime.Version()},
		{"devel", Build{}, &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, Build{"dev", "", "", runtime.Version()}, "poolscope dev " + runtime.Version()},
		{
			"tool chain", Build{}, vcs("false"), Build{"v0.0.0-20260131195502-0123456789ab", commit, "2026-01-31T19:55:02Z", "go1.99"},
			"poolscope v0.0.0-20260131195502-0123456789ab 0123456789ab 2026-01-31T19:55:02Z go1.99",
		},
		{
			"dirty", Build{Version: "v1.2.3"}, vcs("true"), Build{"v1.2.3", commit + "+dirty", "2026-01-31T19:55:02Z", "go1.99"},
			"poolscope v1.2.3 0123456789ab+dirty 2026-01-31T19:55:02Z go1.99",
		},
		{"flags win", Build{"v1", "c0ffee", "today", ""}, vcs("true"), Build{"v1", "c0ffee", "today", "go1.99"}, "poolscope v1 c0ffee today go1.99"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := completeBuild(tc.flags, tc.info)
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
			if got.String() != tc.string {
				t.Errorf("got %q, want %q", got.String(), tc.string)
			}
		})
	}
}

func TestReadBuild(t *testing.T) {
	b := ReadBuild("v9", "", "")
	if b.Version != "v9" || b.GoVersion == "" {
		t.Errorf("got %+v", b)
	}
}
