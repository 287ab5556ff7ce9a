package relay

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bounds of what a pool can ask for with client.reconnect.
const (
	reconnectSoonest = 100 * time.Millisecond // lets answers through that are on their way
	reconnectLatest  = 5 * time.Second

	maxRedirects  = 4096            // miners that are expected somewhere else
	redirectsLast = 2 * time.Minute // until a miner is not expected any more
)

// reconnect ends the session after a client.reconnect that the miner did not
// get, so that it connects again, to us. The line is nil when it is too long
// to be looked at. The session ends at the earliest after the time given.
func (s *Session) reconnect(line []byte, atLeast time.Duration) {
	s.server.reconnects.Add(1)
	if s.leaving.Swap(true) {
		return
	}
	asked := parseReconnect(line)
	configured := s.upstream.Upstream
	target, safe := asked.target(configured, s.target, addrPort(s.pool.RemoteAddr()).Addr())
	if safe && target != configured {
		s.server.redirect.put(s.ends.miner.Addr(), target, s.upstream, time.Now())
	}
	s.server.note("pool sent client.reconnect, which was held back", "session", s.id, "miner", s.minerText,
		"pool", configured.String(), "target", target.String(), "followed", safe)

	wait := max(atLeast, min(asked.wait, reconnectLatest))
	if atLeast == 0 {
		s.end(ReasonClientReconnect, false)
		return
	}
	s.leave = time.AfterFunc(wait, func() { s.end(ReasonClientReconnect, false) })
}

// reconnection is what a client.reconnect asks for. Host and port are zero
// when they are to stay.
type reconnection struct {
	host string
	port uint16
	wait time.Duration
	bad  bool // it names something that is no host or no port
}

// parseReconnect reads the parameters: host, port and seconds, all of them
// optional, numbers also as strings.
func parseReconnect(line []byte) (r reconnection) {
	var message struct {
		Params []json.RawMessage `json:"params"`
	}
	if json.Unmarshal(line, &message) != nil {
		r.bad = true
		return r
	}
	param := func(i int) string {
		if i >= len(message.Params) || string(message.Params[i]) == "null" {
			return ""
		}
		var text string
		if json.Unmarshal(message.Params[i], &text) != nil {
			return string(message.Params[i])
		}
		return strings.TrimSpace(text)
	}
	if host := param(0); host != "" {
		u, err := ParseUpstream(host)
		r.host, r.bad = u.Host, err != nil
	}
	if port := param(1); port != "" && port != "0" {
		n, err := strconv.ParseUint(port, 10, 16)
		r.port, r.bad = uint16(n), r.bad || err != nil
	}
	if seconds, err := strconv.ParseFloat(param(2), 64); err == nil && seconds > 0 {
		r.wait = time.Duration(min(seconds, reconnectLatest.Seconds()) * float64(time.Second))
	}
	return r
}

// target is the upstream that is asked for, and whether it is safe to follow:
// it is then the same operator's by all appearances. Everything but host and
// port stays as it is now, TLS above all.
func (r reconnection) target(configured, now Upstream, peer netip.Addr) (target Upstream, safe bool) {
	target = now
	if r.bad {
		return target, false
	}
	if r.port != 0 {
		target.Port = r.port
	}
	if r.host == "" || r.host == now.Host {
		return target, true
	}
	if ip, err := netip.ParseAddr(r.host); err == nil {
		// The address that the name stands for; the certificate stays that of
		// the name.
		if ip.Unmap() != peer || !peer.IsValid() {
			target.Host = r.host
			return target, false
		}
		target.ServerName = now.serverName()
		target.Host = r.host
		return target, true
	}
	target.Host = r.host
	target.ServerName = ""
	if r.host == configured.Host {
		target.ServerName = configured.ServerName
		return target, true
	}
	if _, err := netip.ParseAddr(configured.Host); err == nil {
		return target, false // a name says nothing about an address
	}
	if strings.HasSuffix(r.host, "."+configured.Host) {
		return target, true // who has a name gives out those below it
	}
	domain := registrable(configured.Host)
	return target, domain != "" && registrable(r.host) == domain
}

// sharedDomains are some under which anybody gets a name of his own.
var sharedDomains = []string{
	"duckdns.org", "ddns.net", "no-ip.org", "no-ip.com", "hopto.org", "zapto.org", "sytes.net", "dyndns.org", "dynu.net", "freeddns.org", "mooo.com",
	"github.io", "herokuapp.com", "azurewebsites.net", "cloudapp.net", "azure.com", "amazonaws.com", "cloudfront.net", "googleusercontent.com",
	"ngrok.io", "ngrok.app", "ngrok.dev", "trycloudflare.com", "workers.dev", "fly.dev", "onion.to", "myqnapcloud.com", "synology.me",
}

// secondLevels are labels of more than three letters that countries register
// names below.
var secondLevels = []string{"info", "name", "firm", "gouv", "asso", "press", "store", "shop", "presse", "priv"}

// registrable is the part of a name that somebody registered, as far as that
// can be told without a list of all registries: the last two labels; three
// where the last but one is short below a country (co.uk, com.br) or one of
// secondLevels. It is "" for names of a single label, and of domains that
// anybody shares.
func registrable(host string) string {
	labels := strings.Split(host, ".")
	n := len(labels)
	take := 2
	if n >= 2 && len(labels[n-1]) == 2 && (len(labels[n-2]) <= 3 || slices.Contains(secondLevels, labels[n-2])) {
		take = 3
	}
	if n < take {
		return ""
	}
	domain := strings.Join(labels[n-take:], ".")
	if slices.Contains(sharedDomains, domain) {
		return ""
	}
	return domain
}

// redirects are the upstreams that pools sent miners to, for their next
// session.
type redirects struct {
	mu      sync.Mutex
	byMiner map[netip.Addr][]redirect
	count   int
}

type redirect struct {
	target Upstream
	from   *pool
	until  time.Time
}

// put expects a miner of that address at a target.
func (r *redirects) put(miner netip.Addr, target Upstream, from *pool, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count >= maxRedirects {
		r.expireLocked(now)
	}
	if r.count >= maxRedirects {
		return
	}
	if r.byMiner == nil {
		r.byMiner = make(map[netip.Addr][]redirect)
	}
	r.byMiner[miner] = append(r.byMiner[miner], redirect{target, from, now.Add(redirectsLast)})
	r.count++
}

func (r *redirects) expireLocked(now time.Time) {
	for miner, list := range r.byMiner {
		list = slices.DeleteFunc(list, func(one redirect) bool { return now.After(one.until) })
		if r.count += len(list) - len(r.byMiner[miner]); len(list) == 0 {
			delete(r.byMiner, miner)
		} else {
			r.byMiner[miner] = list
		}
	}
}

// take gives where a miner of that address is expected, once; nil when
// nowhere.
func (r *redirects) take(miner netip.Addr, now time.Time) (Upstream, *pool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.byMiner[miner]
	for len(list) > 0 {
		one := list[0]
		list = list[1:]
		r.count--
		if len(list) == 0 {
			delete(r.byMiner, miner)
		} else {
			r.byMiner[miner] = list
		}
		if now.Before(one.until) {
			return one.target, one.from
		}
	}
	return Upstream{}, nil
}
