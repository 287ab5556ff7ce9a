package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/poolscope/poolscope/internal/top"
)

type topCommand struct {
	URL       string `name:"url" help:"Address of the page of a running poolscope (${default})." default:"http://127.0.0.1:8000" placeholder:"URL"`
	Token     string `help:"Access token of section [http], for servers that want it. Others on this machine can see it: better in a file, or in the environment as $$POOLSCOPE_HTTP_TOKEN." placeholder:"TEXT" xor:"token"`
	TokenFile string `help:"File with the access token, also as $$POOLSCOPE_HTTP_TOKEN_FILE." type:"path" placeholder:"FILE" xor:"token"`
	Insecure  bool   `help:"Take any TLS certificate."`
	Once      bool   `help:"Print one frame as plain text and end, as also when the output is no terminal."`
}

// Run shows a running poolscope in the terminal.
func (c *topCommand) Run(env *environment) error {
	token, err := c.token(os.Getenv)
	if err != nil {
		return err
	}
	client, err := top.NewClient(top.Config{URL: c.URL, Token: token, Insecure: c.Insecure})
	if errors.Is(err, top.ErrBadURL) {
		return usage("--url: " + err.Error())
	}
	if err != nil {
		return err
	}
	switch err := client.Check(env.ctx); {
	case errors.Is(err, top.ErrUnreachable):
		return fmt.Errorf("%w\nIs a poolscope running there? --url says where its page is", err)
	case err != nil:
		return err
	}
	options := top.OptionsFromEnvironment(os.Getenv)
	screen, why := top.IsScreen(env.stdout, os.Getenv("TERM"))
	if screen && !c.Once {
		return top.Run(env.ctx, client, options)
	}
	if !c.Once {
		fmt.Fprintf(env.stderr, "poolscope: %s: one frame only, as with --once.\n", why)
	}
	return top.Once(env.ctx, client, env.stdout, options)
}

// token is the access token: that of the command line, else that of the
// environment, which may be set for another program's sake.
func (c *topCommand) token(getenv func(string) string) (string, error) {
	token, file := c.Token, c.TokenFile
	if token == "" && file == "" {
		token, file = getenv("POOLSCOPE_HTTP_TOKEN"), getenv("POOLSCOPE_HTTP_TOKEN_FILE")
	}
	if token != "" || file == "" {
		return token, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("file with the token: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}
