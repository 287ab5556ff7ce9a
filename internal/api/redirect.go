package api

import (
	"net"
	"net/http"
)

// defaultHTTPSPort is left out of URLs.
const defaultHTTPSPort = "443"

// redirectToHTTPS answers everything with the same URL under https, on another
// port of the host that was asked.
func redirectToHTTPS(port string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if host == "" {
			http.Error(w, "host missing", http.StatusBadRequest)
			return
		}
		if port != defaultHTTPSPort {
			host = net.JoinHostPort(trimBrackets(host), port)
		}
		http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	})
}

// trimBrackets takes the brackets off an IPv6 address without a port.
func trimBrackets(host string) string {
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}
