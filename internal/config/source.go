package config

import "os"

// Source is where a configuration comes from: a file, the environment of the
// process, and flags.
type Source struct {
	Path  string // of the file, "" without one
	Flags []Flag
}

// Load is the function Load for the source.
func (s Source) Load() (*Config, error) { return Load(s.Path, s.Flags...) }

// Check is Load as if the file had other contents. It reads nothing of the file,
// but what it names: secrets and certificates.
func (s Source) Check(data []byte) (*Config, error) {
	return overlay(Default(), s.Path, data, os.Environ(), s.Flags)
}

// ReadValues takes from a file's contents what can be understood, without
// environment and flags: OriginOf tells which keys the file has. It is for showing;
// what is wrong with the file is Check's to say.
func ReadValues(path string, data []byte) *Config {
	c := Default()
	for i := range c.Nodes {
		c.Nodes[i].Name = ""
	}
	c.origins = make(map[string]Origin)
	_ = c.applyFile(path, data) // what cannot be understood is left out
	return c
}
