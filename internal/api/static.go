package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"log/slog"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// static serves the built page from memory.
type static struct {
	files map[string]*asset // by URL path; nil without a page
}

// asset is one file of the page.
type asset struct {
	name  string
	ctype string
	cache string // Cache-Control
	etag  string
	body  []byte

	gzOnce sync.Once
	gz     []byte // nil when compression gains nothing
}

// indexPath is the page that every path of the application shows.
const indexPath = "/index.html"

// hashedPrefix is where the build puts files whose names hold a hash of their
// content. They never change under one name.
const hashedPrefix = "/assets/"

// newStatic reads the page into memory. A file "x.gz" beside "x" is its
// compressed form; others are compressed when first asked for.
func newStatic(ui fs.FS, log *slog.Logger) *static {
	s := &static{files: make(map[string]*asset)}
	if ui == nil {
		return s
	}
	packed := make(map[string][]byte)
	err := fs.WalkDir(ui, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(ui, name)
		if err != nil {
			return err
		}
		if plain, ok := strings.CutSuffix(name, ".gz"); ok {
			packed["/"+plain] = body
			return nil
		}
		s.files["/"+name] = newAsset("/"+name, body)
		return nil
	})
	if err != nil {
		log.Error("page not readable", "err", err)
	}
	for name, gz := range packed {
		if a := s.files[name]; a != nil {
			a.gzOnce.Do(func() { a.gz = gz })
		}
	}
	return s
}

func newAsset(name string, body []byte) *asset {
	sum := sha256.Sum256(body)
	a := &asset{
		name:  name,
		ctype: contentType(name),
		cache: "no-cache",
		etag:  `"` + hex.EncodeToString(sum[:12]) + `"`,
		body:  body,
	}
	if strings.HasPrefix(name, hashedPrefix) {
		a.cache = "public, max-age=31536000, immutable"
	}
	return a
}

// contentType names the type of a file by its extension. The types that a page
// is made of are fixed here, since the machine's own table may differ.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

// compressed returns the gzipped file, nil when that is not worth it.
func (a *asset) compressed() []byte {
	a.gzOnce.Do(func() {
		switch {
		case strings.HasPrefix(a.ctype, "text/"), strings.HasPrefix(a.ctype, "application/"), a.ctype == "image/svg+xml":
			a.gz = compress(a.body, gzip.BestCompression)
		}
	})
	return a.gz
}

// serve answers with a file. Paths without an extension belong to the page's
// own routes and get index.html.
func (s *static) serve(w http.ResponseWriter, r *http.Request) {
	a := s.files[r.URL.Path]
	if a == nil && path.Ext(r.URL.Path) == "" {
		a = s.files[indexPath]
	}
	if a == nil {
		notFound(w, r)
		return
	}
	s.serveFile(w, r, a)
}

// serveFile answers with one file.
func (s *static) serveFile(w http.ResponseWriter, r *http.Request, a *asset) {
	h := w.Header()
	h.Set("Content-Type", a.ctype)
	h.Set("Cache-Control", a.cache)
	h.Set("Vary", "Accept-Encoding")
	body, etag := a.body, a.etag
	if acceptsGzip(r) {
		if gz := a.compressed(); gz != nil {
			h.Set("Content-Encoding", "gzip")
			// Another representation needs another tag.
			body, etag = gz, strings.TrimSuffix(etag, `"`)+`-gz"`
		}
	}
	h.Set("ETag", etag)
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(body))
}
