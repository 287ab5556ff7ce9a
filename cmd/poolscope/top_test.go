package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheTokenOfTheCommandLineWins(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("filed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flag, file string
		env        map[string]string
		want       string
	}{
		{want: ""},
		{flag: "given", env: map[string]string{"POOLSCOPE_HTTP_TOKEN": "env"}, want: "given"},
		{file: file, env: map[string]string{"POOLSCOPE_HTTP_TOKEN": "env"}, want: "filed"},
		{flag: "given", env: map[string]string{"POOLSCOPE_HTTP_TOKEN_FILE": "missing"}, want: "given"},
		{env: map[string]string{"POOLSCOPE_HTTP_TOKEN": "env"}, want: "env"},
		{env: map[string]string{"POOLSCOPE_HTTP_TOKEN_FILE": file}, want: "filed"},
	} {
		command := topCommand{Token: c.flag, TokenFile: c.file}
		got, err := command.token(func(key string) string { return c.env[key] })
		if err != nil || got != c.want {
			t.Errorf("%+v: %q %v", c, got, err)
		}
	}
	if _, err := (&topCommand{TokenFile: file + "x"}).token(os.Getenv); err == nil {
		t.Error("a file that is not there gives no error")
	}
}
