package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/poolscope/poolscope/internal/files"
)

// portsName is the file in the data folder that tells other programs where
// everything listens.
const portsName = "ports.json"

// Ports says where the running parts are reached, as host:port. A part that
// does not run is empty and left out of the file.
type Ports struct {
	HTTP       string            `json:"http,omitempty"`
	Stratum    string            `json:"stratum,omitempty"`
	StratumTLS string            `json:"stratum_tls,omitempty"`
	Listeners  map[string]string `json:"listeners,omitempty"` // those of [[listener]], by name
	Scope      string            `json:"scope,omitempty"`
	NodeRPC    string            `json:"node_rpc,omitempty"`
	NodeCookie string            `json:"node_cookie,omitempty"` // path of the node's cookie file
	NodeZMQ    string            `json:"node_zmq,omitempty"`
	Relay      string            `json:"relay,omitempty"`
}

// write puts the addresses into the data folder.
func (p *Ports) write(dataDir string) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := files.WriteDurably(filepath.Join(dataDir, portsName), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", portsName, err)
	}
	return nil
}

// removePorts takes the file away, so that it never tells of a program that is
// not running.
func removePorts(dataDir string) error {
	err := os.Remove(filepath.Join(dataDir, portsName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
