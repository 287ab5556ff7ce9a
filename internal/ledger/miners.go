package ledger

import (
	"cmp"
	"slices"
	"strings"
)

// minerTypes groups user agents into types and versions, the most frequent
// first. Agents are words of strangers, so what is beyond a bound is summed up.
func minerTypes(agents map[string]int) []MinerType {
	versions := map[string]map[string]int{}
	for agent, n := range agents {
		name, version := SplitAgent(agent)
		if versions[name] == nil {
			versions[name] = map[string]int{}
		}
		versions[name][version] += n
	}

	types := make([]MinerType, 0, len(versions))
	for name, counts := range versions {
		t := MinerType{Name: name}
		for version, n := range counts {
			t.Total += n
			t.Versions = append(t.Versions, MinerVersion{version, n})
		}
		slices.SortFunc(t.Versions, func(a, b MinerVersion) int {
			return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Version, b.Version))
		})
		if len(t.Versions) > maxMinerTypes {
			rest := 0
			for _, v := range t.Versions[maxMinerTypes-1:] {
				rest += v.Total
			}
			t.Versions = append(t.Versions[:maxMinerTypes-1:maxMinerTypes-1], MinerVersion{"(other)", rest})
		}
		types = append(types, t)
	}

	slices.SortFunc(types, func(a, b MinerType) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Name, b.Name))
	})
	if len(types) > maxMinerTypes {
		other := MinerType{Name: "(other)"}
		for _, t := range types[maxMinerTypes-1:] {
			other.Total += t.Total
		}
		other.Versions = []MinerVersion{{"", other.Total}}
		types = append(types[:maxMinerTypes-1:maxMinerTypes-1], other)
	}
	return types
}

// SplitAgent splits what a miner calls itself into name and version: at the
// first slash ("bitaxe/BM1370/v2.4" is a bitaxe, version BM1370/v2.4), else
// before a last word that looks like a version, having a digit and a dot
// ("NerdMiner V1.6.3"). An empty agent is "(unknown)".
func SplitAgent(agent string) (name, version string) {
	agent = strings.TrimSpace(agent)
	if agent == "" {
		return "(unknown)", ""
	}
	if i := strings.IndexByte(agent, '/'); i > 0 && i < len(agent)-1 {
		return agent[:i], agent[i+1:]
	}
	if i := strings.LastIndexAny(agent, " \t"); i > 0 {
		last := agent[i+1:]
		if strings.Contains(last, ".") && strings.ContainsAny(last, "0123456789") {
			return strings.TrimSpace(agent[:i]), last
		}
	}
	return agent, ""
}
