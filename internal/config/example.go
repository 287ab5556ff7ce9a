package config

import _ "embed" // for the example

//go:embed example.toml
var example string

// Example is an annotated configuration file that sets every key to its
// default. It is generated from the comments on Config; a test keeps it so
// (go test ./internal/config -update).
func Example() string { return example }
