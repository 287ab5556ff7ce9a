package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

type captureCommand struct {
	HTTP       string        `name:"http" help:"Address of the pool's web page (${default})." default:"http://127.0.0.1:8000" placeholder:"URL"`
	TokenFile  string        `help:"File with the token of section [http], if the pool has one." type:"path" env:"POOLSCOPE_HTTP_TOKEN_FILE" placeholder:"FILE"`
	Worker     string        `help:"Worker to record, from its authorization on." placeholder:"ADDRESS.NAME" xor:"whom" required:""`
	Connection string        `help:"Connection to record: its number, session in the log." placeholder:"ID" xor:"whom" required:""`
	Address    string        `help:"IP address whose connections to record, from their first line on." placeholder:"IP" xor:"whom" required:""`
	Duration   time.Duration `help:"How long to record; up to an hour (${default})." default:"60s"`
	MaxBytes   int64         `help:"Size at which to end (${default})." default:"16777216"`
}

// Run asks a pool to record, waits until that is done, and prints where the
// file is. Interrupted, it ends the recording.
func (c *captureCommand) Run(env *environment) error {
	order, err := json.Marshal(map[string]any{
		"worker": c.Worker, "connection": c.Connection, "address": c.Address,
		"duration_sec": int(c.Duration / time.Second), "max_bytes": c.MaxBytes,
	})
	if err != nil {
		return err
	}
	state, err := c.ask(env.ctx, http.MethodPost, order)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stderr, "Recording into %s; Ctrl-C ends it.\n", state.File)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for state.Running {
		select {
		case <-tick.C:
			state, err = c.ask(env.ctx, http.MethodGet, nil)
		case <-env.ctx.Done():
			state, err = c.ask(context.WithoutCancel(env.ctx), http.MethodDelete, nil)
		}
		if err != nil && env.ctx.Err() == nil {
			return err
		}
	}
	_, err = fmt.Fprintf(env.stdout, "%s\n%d lines, %d dropped, ended by: %s\n", state.File, state.Lines, state.Dropped, state.End)
	return err
}

// captureState is the pool's answer, as far as it is shown.
type captureState struct {
	File    string `json:"file"`
	Running bool   `json:"running"`
	Lines   uint64 `json:"lines"`
	Dropped uint64 `json:"dropped"`
	End     string `json:"end"`
}

func (c *captureCommand) ask(ctx context.Context, method string, body []byte) (state captureState, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.HTTP, "/")+"/api/debug/capture", bytes.NewReader(body))
	if err != nil {
		return state, usage("--http: " + err.Error())
	}
	request.Header.Set("Content-Type", "application/json")
	if c.TokenFile != "" {
		token, err := os.ReadFile(c.TokenFile)
		if err != nil {
			return state, fmt.Errorf("--token-file: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return state, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return state, err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return state, errors.New("the pool says: " + strings.TrimSpace(string(text)))
	}
	err = json.Unmarshal(text, &state)
	return state, err
}
