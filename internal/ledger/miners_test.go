package ledger

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitAgent(t *testing.T) {
	for _, c := range []struct{ agent, name, version string }{
		{"", "(unknown)", ""},
		{"  ", "(unknown)", ""},
		{"bitaxe/BM1370/v2.4", "bitaxe", "BM1370/v2.4"},
		{"cgminer/4.12.1", "cgminer", "4.12.1"},
		{"NerdMiner V1.6.3", "NerdMiner", "V1.6.3"},
		{"Antminer S19j Pro 1.2", "Antminer S19j Pro", "1.2"},
		{"Antminer S19", "Antminer S19", ""},
		{"miner 2024", "miner 2024", ""},
		{"miner v.beta", "miner v.beta", ""},
		{"/odd", "/odd", ""},
		{"odd/", "odd/", ""},
		{"1.0", "1.0", ""},
	} {
		if name, version := SplitAgent(c.agent); name != c.name || version != c.version {
			t.Errorf("%q: %q, %q; want %q, %q", c.agent, name, version, c.name, c.version)
		}
	}
}

func TestMinerTypes(t *testing.T) {
	got := minerTypes(map[string]int{"a/1": 2, "a/2": 3, "b/1": 5, "": 1, "c": 5})
	want := []MinerType{
		{"a", 5, []MinerVersion{{"2", 3}, {"1", 2}}},
		{"b", 5, []MinerVersion{{"1", 5}}},
		{"c", 5, []MinerVersion{{"", 5}}},
		{"(unknown)", 1, []MinerVersion{{"", 1}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Strangers who call themselves something new each time do not fill the page.
func TestMinerTypesAreBounded(t *testing.T) {
	agents := map[string]int{"real/1": 100}
	for i := range 1000 {
		agents[fmt.Sprint("type", i)] = 1
		agents[fmt.Sprint("real/1.", i)] = 1
	}
	types := minerTypes(agents)
	total := 0
	for _, mt := range types {
		total += mt.Total
		sum := 0
		for _, v := range mt.Versions {
			sum += v.Total
		}
		if len(mt.Versions) > maxMinerTypes || sum != mt.Total {
			t.Errorf("%s has %d versions that add up to %d of %d", mt.Name, len(mt.Versions), sum, mt.Total)
		}
	}
	if len(types) != maxMinerTypes || total != 2100 || types[0].Name != "real" || types[0].Versions[0].Total != 100 {
		t.Errorf("%d types, %d miners, first %s", len(types), total, types[0].Name)
	}
}
