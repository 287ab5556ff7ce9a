package app

import (
	"cmp"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"

	"github.com/poolscope/poolscope/internal/config"
)

// role is what a listening socket is for. The names are those that systemd's
// FileDescriptorName= gives them.
type role string

// The roles.
const (
	roleStratum    role = "stratum"
	roleStratumTLS role = "stratum_tls"
	roleHTTP       role = "http"
	roleHTTPS      role = "https"
	roleScope      role = "scope"
	roleScopeTLS   role = "scope_tls"
)

// what and flag are for people: the role in words, and what sets its address.
func (r role) words() (what, flag string) {
	switch r {
	case roleStratum:
		return "Stratum", "--stratum"
	case roleStratumTLS:
		return "Stratum over TLS", "--stratum-tls"
	case roleHTTPS:
		return "HTTPS", "http.tls_listen"
	case roleScope:
		return "the scope", "--listen or scope.listen"
	case roleScopeTLS:
		return "the scope over TLS", "--tls-listen or scope.tls_listen"
	}
	return "HTTP", "--http"
}

// Sockets are listening sockets on their way from one process to another. A nil
// *Sockets is none.
type Sockets struct{ list []socket }

// socket is one listening socket of another process.
type socket struct {
	role    role   // "" fits all
	address string // as configured, "" when it is not known
	file    *os.File
}

// fits says whether a socket is the one to use for a configured address.
func (s *socket) fits(r role, address string, bound net.Addr) bool {
	if s.role != "" && s.role != r {
		return false
	}
	if s.address != "" {
		return s.address == address
	}
	return sameAddress(address, bound)
}

// sameAddress compares a configured address with that of a socket. A socket on
// every address is what an empty host asks for.
func sameAddress(configured string, bound net.Addr) bool {
	host, port, err := net.SplitHostPort(configured)
	if err != nil {
		return false
	}
	at, err := netip.ParseAddrPort(bound.String())
	if err != nil || strconv.Itoa(int(at.Port())) != port {
		return false
	}
	if host == "" {
		return at.Addr().IsUnspecified()
	}
	want, err := netip.ParseAddr(host)
	return err == nil && want.Unmap() == at.Addr().Unmap()
}

// listen gives the inherited socket for an address, or else binds it.
func (s *Sockets) listen(r role, address string) (net.Listener, error) {
	what, flag := r.words()
	return s.listenFor(r, what, flag, address)
}

// listenFor is listen with words of its own, see the function listen.
func (s *Sockets) listenFor(r role, what, setting, address string) (net.Listener, error) {
	if s != nil {
		for i := range s.list {
			if l := s.take(i, r, address); l != nil {
				return l, nil
			}
		}
	}
	l, err := listen(what, setting, address)
	if err != nil && s.yield(address) {
		l, err = listen(what, setting, address)
	}
	return l, err
}

// yield closes the sockets on the port of an address that nobody took so far,
// and says whether there was one. Such a socket is what keeps an address from
// being bound that only widens or respells the old one, such as ":8000" after
// "127.0.0.1:8000".
func (s *Sockets) yield(address string) (closed bool) {
	if s == nil {
		return false
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	for i := range s.list {
		candidate := &s.list[i]
		if candidate.file == nil || candidate.port() != port {
			continue
		}
		_ = candidate.file.Close()
		candidate.file, closed = nil, true
	}
	return closed
}

// port is the port that a socket is bound to, "" when it has none.
func (s *socket) port() string {
	l, err := net.FileListener(s.file)
	if err != nil {
		return ""
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return ""
	}
	return port
}

// take returns a listener on the socket if that fits, and nil otherwise.
func (s *Sockets) take(i int, r role, address string) net.Listener {
	candidate := &s.list[i]
	if candidate.file == nil {
		return nil
	}
	l, err := net.FileListener(candidate.file)
	if err != nil {
		return nil // no listening stream socket
	}
	if _, tcp := l.(*net.TCPListener); !tcp || !candidate.fits(r, address, l.Addr()) {
		_ = l.Close()
		return nil
	}
	_ = candidate.file.Close()
	candidate.file = nil
	return l
}

// dropRest closes the sockets that nobody took, and says so: whoever passed
// them meant them for something.
func (s *Sockets) dropRest(log *slog.Logger) {
	if s == nil {
		return
	}
	for i := range s.list {
		if c := &s.list[i]; c.file != nil {
			log.Warn("passed socket is for no configured address and is closed", "role", string(c.role), "address", c.address)
		}
	}
	_ = s.drop()
}

// drop closes what is left.
func (s *Sockets) drop() error {
	if s == nil {
		return nil
	}
	var failed error
	for i := range s.list {
		if c := &s.list[i]; c.file != nil {
			failed = errors.Join(failed, c.file.Close())
			c.file = nil
		}
	}
	return failed
}

// vacant fails with the first address of a configuration that could not be bound
// by the program that gets these sockets. One on a port of theirs that is in use is
// taken for theirs, respelt.
func (s *Sockets) vacant(cfg *config.Config) error {
	held := make(map[string]bool)
	for i := range s.list {
		held[s.list[i].port()] = true
	}
	try := func(r role, addresses ...string) error {
		for _, address := range addresses {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				continue // "", which is none
			}
			l, err := net.Listen("tcp", address)
			if held[port] && errors.Is(err, syscall.EADDRINUSE) {
				continue
			}
			if err != nil {
				what, setting := r.words()
				return notBound(what, setting, address, err)
			}
			if err := l.Close(); err != nil {
				return err
			}
		}
		return nil
	}
	err := cmp.Or(try(roleStratum, cfg.Stratum.Listen...), try(roleStratumTLS, cfg.Stratum.TLSListen...),
		try(roleHTTP, cfg.HTTP.Listen), try(roleHTTPS, cfg.HTTP.TLSListen),
		try(roleScope, cfg.Scope.Listen...), try(roleScopeTLS, cfg.Scope.TLSListen...))
	for i := range cfg.Listeners {
		err = cmp.Or(err, try(listenerRole(&cfg.Listeners[i]), cfg.Listeners[i].Listen))
	}
	return err
}

// shareSockets makes a second handle of each listening socket, which keeps it
// open beyond this pool.
func (p *poolParts) shareSockets() (*Sockets, error) {
	out := &Sockets{}
	add := func(r role, address string, l net.Listener) error {
		tcp, ok := l.(*net.TCPListener)
		if !ok {
			return errors.New("a listener is no TCP socket and cannot be handed over")
		}
		file, err := tcp.File()
		if err != nil {
			return err
		}
		out.list = append(out.list, socket{r, address, file})
		return nil
	}
	var err error
	for i, l := range p.stratum {
		err = errors.Join(err, add(roleStratum, p.cfg.Stratum.Listen[i], l))
	}
	for i, l := range p.stratumTLS {
		err = errors.Join(err, add(roleStratumTLS, p.cfg.Stratum.TLSListen[i], l))
	}
	for i, l := range p.listeners {
		configured := &p.cfg.Listeners[i]
		err = errors.Join(err, add(listenerRole(configured), configured.Listen, l))
	}
	for i, l := range p.scope.listeners {
		err = errors.Join(err, add(roleScope, p.cfg.Scope.Listen[i], l))
	}
	for i, l := range p.scope.secure {
		err = errors.Join(err, add(roleScopeTLS, p.cfg.Scope.TLSListen[i], l))
	}
	err = errors.Join(err, add(roleHTTP, p.cfg.HTTP.Listen, p.http))
	if p.https != nil {
		err = errors.Join(err, add(roleHTTPS, p.cfg.HTTP.TLSListen, p.https))
	}
	if err != nil {
		return nil, errors.Join(err, out.drop())
	}
	return out, nil
}
