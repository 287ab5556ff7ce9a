package node

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// maxCookieSize is far above what Bitcoin Core writes (75 bytes).
const maxCookieSize = 4096

// credentials yields the Authorization header of a node. It has no method
// that prints it.
type credentials struct {
	static     string // from user and password; empty: none
	cookieFile string // empty: none

	mu     sync.Mutex // guards the rest
	cookie string     // header made from the file; empty: not read yet
	mtime  time.Time  // of the file when it was read
	size   int64
}

func newCredentials(user, password, cookieFile string) *credentials {
	c := &credentials{cookieFile: cookieFile}
	if user != "" || password != "" {
		c.static = basicAuth([]byte(user + ":" + password))
	}
	return c
}

func basicAuth(userPassword []byte) string {
	return "Basic " + base64.StdEncoding.EncodeToString(userPassword)
}

// header returns the value of the Authorization header, "" for none. The
// cookie file is looked at each time, and read when its time or size changed:
// a node writes a new one at each start. Errors are ErrCookie.
func (c *credentials) header() (string, error) {
	if c.cookieFile == "" {
		return c.static, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()

	path, info, err := c.stat()
	if err == nil && (c.cookie == "" || info.Size() != c.size || !info.ModTime().Equal(c.mtime)) {
		err = c.readLocked(path, info)
	}
	switch {
	case err == nil:
		return c.cookie, nil
	case c.static != "":
		return c.static, nil
	default:
		return "", err
	}
}

// renew reads the cookie again after the node refused used, and reports
// whether there is another one now. It catches a file that was rewritten with
// the same size within the resolution of the file system's clock.
func (c *credentials) renew(used string) bool {
	if c.cookieFile == "" {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()

	path, info, err := c.stat()
	if err != nil || c.readLocked(path, info) != nil {
		return false
	}
	return c.cookie != used
}

// stat finds the file: the configured path, or ".cookie" in it.
func (c *credentials) stat() (string, os.FileInfo, error) {
	path := c.cookieFile
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, ".cookie")
		info, err = os.Stat(path)
	}
	if err != nil {
		return "", nil, cookieError(err)
	}
	return path, info, nil
}

func (c *credentials) readLocked(path string, info os.FileInfo) error {
	if info.Size() > maxCookieSize || !info.Mode().IsRegular() {
		return fmt.Errorf("%w: not a cookie", ErrCookie)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return cookieError(err)
	}
	content = bytes.TrimRight(content, "\r\n")
	if !bytes.Contains(content, []byte(":")) || bytes.ContainsAny(content, "\r\n") {
		return fmt.Errorf("%w: not a cookie", ErrCookie)
	}
	c.cookie, c.mtime, c.size = basicAuth(content), info.ModTime(), info.Size()
	return nil
}

// cookieError wraps what went wrong without the path, which is nobody else's
// business; New logs it once.
func cookieError(err error) error {
	var withPath *os.PathError
	if errors.As(err, &withPath) {
		err = withPath.Err
	}
	return fmt.Errorf("%w: %w", ErrCookie, err)
}

// String keeps the credentials out of any formatted output.
func (c *credentials) String() string {
	var kinds []string
	if c.cookieFile != "" {
		kinds = append(kinds, "cookie file")
	}
	if c.static != "" {
		kinds = append(kinds, "user and password")
	}
	if kinds == nil {
		return "none"
	}
	return strings.Join(kinds, ", ")
}
