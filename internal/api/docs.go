package api

import "net/http"

// docsPath is the page of the build that shows the API's description.
const docsPath = "/docs/index.html"

// serveDocs answers GET /docs. The page's own router knows nothing of it.
func (s *Server) serveDocs(w http.ResponseWriter, r *http.Request) {
	if s.static.files[docsPath] == nil {
		http.Error(w, "This program was built without the pages; `make ui` builds them. The description itself is at /openapi.json.", http.StatusNotFound)
		return
	}
	s.static.serveFile(w, r, s.static.files[docsPath])
}
