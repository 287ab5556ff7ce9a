package config

import (
	"errors"
	"strings"
	"testing"
)

// A scope without a pool may use the pool's usual port, needs a pool to pass
// miners on to, and does not care about mistakes in a pool's keys.
func TestScopeAlone(t *testing.T) {
	t.Parallel()
	_, err := LoadScope("", "folder")
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "scope.pools") {
		t.Errorf("without a pool: %v", err)
	}
	c, err := LoadScope("", "folder", Flag{Name: "--pool", Key: "scope.pools", Value: "pool.example:3333,stratum+ssl://b.example"})
	if err != nil {
		t.Fatal(err)
	}
	if c.DataDir != "folder" || len(c.Scope.Listen) != 1 || c.Scope.Listen[0] != ":3333" || len(c.Scope.Pools) != 2 || c.NodeConfigured() {
		t.Errorf("%+v", c.Scope)
	}
	file := "[difficulty]\nstart = -1\n[scope]\npools = [\"a\"]\nreconnect = \"maybe\"\ntap = \"worker:\"\nsend_proxy = 3\n"
	_, err = overlay(defaultScope("d"), "file", []byte(file), nil, nil)
	var invalid *InvalidError
	if !errors.As(err, &invalid) || len(invalid.Problems) != 3 {
		t.Errorf("mistakes: %v", err)
	}
}
