// Package config is poolscope's configuration: one commented struct with its
// defaults, a strict TOML file, environment variables, validation that reports
// every problem at once, and printing with secrets redacted.
//
// Three sources are laid over each other, the later winning:
//
//	defaults  →  file (--config)  →  environment (POOLSCOPE_SECTION_KEY)  →  flags
//
// The comments on the fields below are the documentation of the keys: the
// annotated example (example.toml, Example) is generated from them. The tag
// reload says what a running pool does with a changed value: a "live" key comes
// into force on reload, a "restart" key with the next start.
package config

import "time"

// Config is everything that can be set. Get one from Default, Load or Parse;
// a Config built by hand has no record of where its values came from.
type Config struct {
	// Folder for everything that poolscope keeps: database, found blocks,
	// certificate, ports.json. Made when missing. Relative paths start at the
	// working directory.
	DataDir string `toml:"data_dir" reload:"restart"`

	// The web page, the JSON API and the metrics.
	HTTP HTTP `toml:"http"`

	// Who may sign in on the web page, and for how long. Accounts are in the
	// database; poolscope account makes and changes them.
	Auth Auth `toml:"auth"`

	// OpenID Connect providers that people sign in with, such as Keycloak, Authentik
	// or Google. Repeat the section for more.
	OIDC []OIDC `toml:"oidc"`

	// What miners connect to.
	Stratum Stratum `toml:"stratum"`

	// More addresses for miners, each with rules of its own: one for large miners
	// with a high difficulty, one behind a proxy. Repeat the section for more.
	Listeners []Listener `toml:"listener"`

	// How hard the shares are that miners are asked for. One unit of difficulty
	// is 2^32 hashes on average.
	Difficulty Difficulty `toml:"difficulty"`

	// What is done against connections that send junk, and against addresses
	// that do so again and again. Private networks and this machine are never
	// banned; an address with an honest miner at it is not either. 0 switches
	// off.
	Abuse Abuse `toml:"abuse"`

	// Bitcoin nodes, in order of preference. Templates come from the first
	// healthy one, found blocks go to all of them. Repeat the section for more.
	Nodes []Node `toml:"node"`

	// The Bitcoin network.
	Network Network `toml:"network"`

	// What is taken from a found block before the rest goes to the miner who
	// found it.
	Payout Payout `toml:"payout"`

	// The coinbase transaction of our blocks.
	Coinbase Coinbase `toml:"coinbase"`

	// Version rolling (BIP 310).
	Version Version `toml:"version"`

	// The database.
	Store Store `toml:"store"`

	// The microscope: a proxy in front of any pool that shows, keeps and checks
	// every line (poolscope scope; in a pool when scope.listen is set), and the
	// tap on this pool's own miners.
	Scope Scope `toml:"scope"`

	// Agents in other places that put load on pools of yours, and tell how that
	// went, by way of Nostr relays (poolscope agent).
	Fleet Fleet `toml:"fleet"`

	// Messages to people about what happens: workers offline, blocks, nodes in
	// trouble. Who wants to know what, and where, is set on the page.
	Alerts Alerts `toml:"alerts"`

	// Notifications at Discord, by a bot of yours: needs the first three keys and
	// the bot's token.
	Discord Discord `toml:"discord"`

	// The price of a bitcoin, for the page. Nobody is asked unless feed is set.
	Price Price `toml:"price"`

	// Copies of the books, found blocks and accounts, made while the pool runs. With
	// a key they are encrypted, and hold settings and keys, too.
	Backup Backup `toml:"backup"`

	// Messages of the program.
	Log Log `toml:"log"`

	scopeOnly bool // there is no pool: its keys are not looked at

	file     string // that was read; "" without one
	origins  map[string]Origin
	sections map[string]Origin // where the file has each section, and what it should not have
	warnings []string
}

// HTTP is section [http].
type HTTP struct {
	// Address as host:port. An empty host listens on every address; what is
	// not public pool statistics is then for operators who sign in, and for who
	// knows the token below.
	Listen string `toml:"listen" reload:"restart"`

	// Address for HTTPS, as host:port, with the certificate of [stratum]. What
	// asks on the plain address is then sent here. Empty: no HTTPS.
	TLSListen string `toml:"tls_listen" reload:"restart"`

	// Addresses and networks of reverse proxies, such as "10.0.0.2" or
	// "10.0.0.0/24", that tell in X-Forwarded-For whose requests they pass on. Limits
	// on guessing passwords and the audit trail go by that; nobody gets in by it.
	TrustedProxies []string `toml:"trusted_proxies" reload:"restart"`

	// Access token for what is not public, sent as "Authorization: Bearer …".
	// Empty: operators who sign in and whoever is at this machine get in. With a
	// token, being at this machine is not enough.
	Token Secret `toml:"token" reload:"live"`

	// File with the token, instead of writing it here.
	TokenFile string `toml:"token_file" reload:"live"`

	// Address of the page as people know it, such as "https://pool.example"; to be
	// set behind a proxy. Identity providers send people back there. With https,
	// cookies are for HTTPS alone; and unless it is this machine's, being at this
	// machine is not enough, which a proxy on it makes everybody seem to be. Empty:
	// as each request says.
	PublicURL string `toml:"public_url" reload:"restart"`
}

// Stratum is section [stratum].
type Stratum struct {
	// Addresses for plain Stratum V1, as host:port. An empty host listens on
	// every address.
	Listen []string `toml:"listen" reload:"restart"`

	// Addresses for Stratum V1 over TLS. Empty list: no TLS.
	TLSListen []string `toml:"tls_listen" reload:"restart"`

	// Certificate chain in PEM, read again when it changes. Empty: a self-signed
	// one is made in the data folder on first run.
	CertFile string `toml:"cert_file" reload:"live"`

	// Private key in PEM that belongs to cert_file.
	KeyFile string `toml:"key_file" reload:"live"`

	// Start on a new tip at once with a block without transactions, until the
	// node has put the full one together some tens of milliseconds later.
	TipFirst bool `toml:"tip_first" reload:"live"`

	// Seconds that the node may be of no use before miners are told, disconnected
	// and turned away, so that they mine at their backup pool until it is well
	// again. 0: they stay, on the last job.
	FailoverAfter int `toml:"failover_after" reload:"live"`

	// Give a miner that connects, but does not sign in within a second, work that
	// pays payout.fee_address until it does: rental markets and monitors judge a
	// pool by that. Without a fee_address there is none.
	Provisional bool `toml:"provisional" reload:"live"`

	// Most miners connected at the same time; more are turned away.
	MaxConnections int `toml:"max_connections" reload:"live"`

	// Most connections from one IP address. 0: no limit.
	MaxConnectionsPerAddress int `toml:"max_connections_per_address" reload:"live"`
}

// Listener is one section [[listener]].
type Listener struct {
	// Name on the page and in the log. Empty: the address.
	Name string `toml:"name" reload:"restart"`

	// Address as host:port. An empty host listens on every address.
	Listen string `toml:"listen" reload:"restart"`

	// Speak TLS, with the certificate of [stratum].
	TLS bool `toml:"tls" reload:"restart"`

	// Every connection starts with a PROXY protocol header (version 1 or 2) that
	// tells the miner's own address, as HAProxy and others send it.
	ProxyProtocol bool `toml:"proxy_protocol" reload:"restart"`

	// Addresses and networks of the proxies, such as "10.0.0.2" or "10.0.0.0/24".
	// Nobody else can connect here when proxy_protocol is on.
	TrustedProxies []string `toml:"trusted_proxies" reload:"restart"`

	// Difficulty of a new miner that does not ask for one, whatever its kind.
	// 0: as everywhere.
	DifficultyStart float64 `toml:"difficulty_start" reload:"restart"`

	// Easiest difficulty of this address. 0: as in [difficulty].
	DifficultyMin float64 `toml:"difficulty_min" reload:"restart"`

	// Hardest difficulty of this address. 0: as in [difficulty].
	DifficultyMax float64 `toml:"difficulty_max" reload:"restart"`

	// Most miners connected here at the same time. 0: no limit but the one of
	// [stratum].
	MaxConnections int `toml:"max_connections" reload:"restart"`
}

// Difficulty is section [difficulty].
type Difficulty struct {
	// Difficulty of a new miner that does not suggest one itself and whose kind
	// has no usual one.
	Start float64 `toml:"start" reload:"live"`

	// Easiest difficulty that a miner can get.
	Min float64 `toml:"min" reload:"live"`

	// Hardest difficulty that a miner can get. 0: no limit.
	Max float64 `toml:"max" reload:"live"`

	// Shares per minute that each miner's difficulty is adjusted towards.
	SharesPerMinute float64 `toml:"shares_per_minute" reload:"live"`

	// Adjust the difficulty to each miner's speed. false: everybody keeps the
	// start difficulty.
	Vardiff bool `toml:"vardiff" reload:"live"`
}

// Abuse is section [abuse].
type Abuse struct {
	// A connection that collects this many points is dropped. A share that
	// cannot be right has 1 point, a late, weak or repeated one 0.1, an unknown
	// method 0.25, any other line 0.02. An accepted share takes a point away, a
	// minute a twentieth of the limit.
	StrikeLimit float64 `toml:"strike_limit" reload:"live"`

	// An address is banned after this many dropped connections. Ten minutes
	// make up for one.
	BanAfter int `toml:"ban_after" reload:"live"`

	// How long a first ban lasts. Each further one lasts twice as long, and a
	// day without one takes that back.
	BanTime time.Duration `toml:"ban_time" reload:"live"`

	// How long a ban lasts at most. 0: no end to the doubling.
	MaxBanTime time.Duration `toml:"max_ban_time" reload:"live"`

	// Connections that one address may open at once, so that a farm behind one
	// address can come back after a restart.
	ConnectBurst int `toml:"connect_burst" reload:"live"`

	// Connections per second that one address may open beyond connect_burst.
	ConnectsPerSecond float64 `toml:"connects_per_second" reload:"live"`

	// Most connections of one address that have not signed in yet.
	MaxUnauthorizedPerAddress int `toml:"max_unauthorized_per_address" reload:"live"`

	// Networks of friends, such as "203.0.113.0/24", that are treated like
	// private ones: neither counted nor banned.
	Trusted []string `toml:"trusted" reload:"live"`
}

// Node is one section [[node]].
type Node struct {
	// Name on the page and in the log. Empty: the host and port of the url.
	Name string `toml:"name" reload:"restart"`

	// Address of the node's JSON-RPC server. A path is kept. No user and
	// password in here, they have their own keys.
	URL string `toml:"url" reload:"restart"`

	// User for the RPC server. Use either user and password, or cookie_file.
	User string `toml:"user" reload:"restart"`

	// Password for the RPC server.
	Password Secret `toml:"password" reload:"restart"`

	// File with the password, instead of writing it here.
	PasswordFile string `toml:"password_file" reload:"restart"`

	// The node's .cookie file, usually in its data folder. It is read again
	// whenever the node makes a new one.
	CookieFile string `toml:"cookie_file" reload:"restart"`

	// The node's zmqpubhashblock address, such as tcp://127.0.0.1:28332. Empty:
	// new blocks are noticed by long polling alone.
	ZMQHashBlock string `toml:"zmq_hashblock" reload:"restart"`

	// The node's zmqpubrawblock address. Empty: none.
	ZMQRawBlock string `toml:"zmq_rawblock" reload:"restart"`
}

// Network is section [network].
type Network struct {
	// Network that the node must be on: main, test, testnet4, signet or regtest.
	// Empty: learn it from the node.
	Chain string `toml:"chain" reload:"restart"`

	// Hash of the first block that the node must have, 64 hex digits. Empty: the
	// network's own. For private signets and test networks.
	Genesis string `toml:"genesis" reload:"restart"`
}

// Payout is section [payout].
type Payout struct {
	// Part of a block's value that goes to fee_address, in percent.
	FeePercent float64 `toml:"fee_percent" reload:"live"`

	// Bitcoin address of the pool's owner. Needed when fee_percent is above 0.
	FeeAddress string `toml:"fee_address" reload:"live"`

	// Part of the fee (not of the block) that is passed on to donation_address,
	// in percent.
	DonationPercent float64 `toml:"donation_percent" reload:"live"`

	// Bitcoin address for donations. Needed when donation_percent is above 0.
	DonationAddress string `toml:"donation_address" reload:"live"`
}

// Coinbase is section [coinbase].
type Coinbase struct {
	// Text that the pool writes into the blocks that it finds. ASCII, at most
	// 76 characters.
	Tag string `toml:"tag" reload:"live"`

	// Largest coinbase transaction, in bytes without its witness. Old firmware
	// fails above 250 or so.
	MaxSize int `toml:"max_size" reload:"live"`
}

// Version is section [version].
type Version struct {
	// Bits of the block version that miners may roll, as 8 hex digits. 00000000
	// or "": no version rolling.
	Mask string `toml:"mask" reload:"restart"`
}

// Store is section [store].
type Store struct {
	// The SQLite file. Empty: poolscope.db in data_dir.
	Path string `toml:"path" reload:"restart"`
}

// Log is section [log].
type Log struct {
	// Least important messages that are shown: debug, info, warn or error.
	Level string `toml:"level" reload:"live"`

	// text for people, json for machines.
	Format string `toml:"format" reload:"live"`

	// File that messages are appended to, instead of standard error. Empty:
	// standard error.
	File string `toml:"file" reload:"live"`

	// Size in megabytes at which the file is put aside, with the time in its
	// name, and a new one begins. 0: whatever its size.
	RotateMegabytes int `toml:"rotate_megabytes" reload:"live"`

	// Time after which a new file begins; "24h" is at midnight UTC. "": never.
	RotateEvery time.Duration `toml:"rotate_every" reload:"live"`

	// Number of files put aside that are kept. 0: all.
	KeepFiles int `toml:"keep_files" reload:"live"`

	// Age at which files put aside are deleted. "": never.
	KeepFor time.Duration `toml:"keep_for" reload:"live"`

	// Compress files put aside with gzip.
	Compress bool `toml:"compress" reload:"live"`
}

// Scope is section [scope].
type Scope struct {
	// Addresses that miners connect to instead of to the pool, as host:port.
	// Empty list: poolscope scope takes :3333, and a pool runs no proxy.
	Listen []string `toml:"listen" reload:"restart"`

	// The same over TLS, with the certificate of [stratum].
	TLSListen []string `toml:"tls_listen" reload:"restart"`

	// Pools that miners are passed on to, such as "stratum+tcp://pool.example:3333"
	// or "stratum+ssl://pool.example:4333". The first one that answers is taken.
	// Empty list, in a pool: this pool.
	Pools []string `toml:"pools" reload:"restart"`

	// Pools that are yours. Load tests (automatic replay) are for these only.
	OwnPools []string `toml:"own_pools" reload:"restart"`

	// How long a pool may take to accept a connection before the next one is
	// tried.
	ConnectTimeout time.Duration `toml:"connect_timeout" reload:"restart"`

	// Accept any certificate of a pool over TLS.
	Insecure bool `toml:"insecure" reload:"restart"`

	// Tell the pool each miner's own address with a PROXY protocol header of this
	// version: 1 or 2. 0: no header.
	SendProxy int `toml:"send_proxy" reload:"restart"`

	// Every miner's connection starts with a PROXY protocol header, as HAProxy
	// and others send it, and comes from one of trusted_proxies.
	AcceptProxy bool `toml:"accept_proxy" reload:"restart"`

	// Addresses or networks of those whose PROXY protocol headers are believed.
	TrustedProxies []string `toml:"trusted_proxies" reload:"restart"`

	// What is done when a pool tells a miner to connect elsewhere
	// (client.reconnect). hold: the miner is made to connect to the scope again,
	// which goes where the pool said when that is the same pool's. pass: the miner
	// is told, and may leave.
	Reconnect string `toml:"reconnect" reload:"restart"`

	// Most miners connected through the proxy at the same time.
	MaxConnections int `toml:"max_connections" reload:"restart"`

	// Messages of all sessions that are kept in memory. The other two limits hold, too.
	CaptureMaxMessages int `toml:"capture_max_messages" reload:"restart"`

	// Messages of one session that are kept in memory.
	CaptureMaxPerSession int `toml:"capture_max_per_session" reload:"restart"`

	// Megabytes of all messages that are kept in memory.
	CaptureMaxMegabytes int `toml:"capture_max_megabytes" reload:"restart"`

	// Bytes of a line that are recorded. Longer lines are passed on whole and
	// marked as cut.
	CaptureMaxLine int `toml:"capture_max_line" reload:"restart"`

	// Keep the passwords that miners sign in with. false: they are masked.
	KeepPasswords bool `toml:"keep_passwords" reload:"restart"`

	// Which miners of this pool are watched without a proxy: off, all, or one
	// worker as worker:NAME. Can be changed on the page while the pool runs.
	Tap string `toml:"tap" reload:"live"`

	// Write the messages to disk, in data_dir/capture, one file a day.
	Journal bool `toml:"journal" reload:"restart"`

	// Age at which the journal's files are deleted. "": never.
	JournalKeepFor time.Duration `toml:"journal_keep_for" reload:"restart"`

	// Megabytes of all the journal's files. The oldest are deleted above it.
	JournalMaxMegabytes int `toml:"journal_max_megabytes" reload:"restart"`

	// Megabytes that the journal leaves free on its disk.
	JournalMinFreeMegabytes int `toml:"journal_min_free_megabytes" reload:"restart"`

	// Payout addresses that the coinbase must pay. Empty list: a worker's name
	// that begins with an address must be paid there if it ever was.
	PayoutAddresses []string `toml:"payout_addresses" reload:"restart"`

	// Time without a new job after which a pool's silence is an alarm.
	SilenceAfter time.Duration `toml:"silence_after" reload:"restart"`

	// Name of this run, told to agents. Empty: a new one at each start.
	RunID string `toml:"run_id" reload:"restart"`
}

// Fleet is section [fleet].
type Fleet struct {
	// Nostr relays that the scope and its agents meet at, such as
	// "wss://relay.example". poolscope relay is one. Empty list: no fleet.
	Relays []string `toml:"relays" reload:"restart"`

	// Public keys of the agents, as npub or 64 hex digits: only their telemetry is
	// taken. "any": everybody's who knows the run. Empty list: that of the holders
	// of group_key; without one the relays must all be on this machine.
	Authors []string `toml:"authors" reload:"restart"`

	// File with the scope's own secret key, as nsec or 64 hex digits; made when
	// missing. Empty: fleet-key in data_dir.
	KeyFile string `toml:"key_file" reload:"restart"`

	// Secret key, nsec or 64 hex digits, that the scope and all agents share. With it
	// everything that they say is encrypted. Empty: it is public on the relays.
	GroupKey Secret `toml:"group_key" reload:"restart"`

	// File with the group key, instead of writing it here.
	GroupKeyFile string `toml:"group_key_file" reload:"restart"`

	// Publish names and addresses of miners although there is no group_key. false:
	// shares are published without them.
	Names bool `toml:"names" reload:"restart"`

	// Workers whose sessions at the scope's proxy are broadcast from their first
	// share on. Others are switched on by hand.
	Workers []string `toml:"workers" reload:"restart"`

	// Also take what HashScope's agents send. They need its kinds below: 30080 and
	// 30079, of which relays keep the newest event of each key only.
	HashScope bool `toml:"hashscope" reload:"restart"`

	// Nostr kind of the events that carry shares.
	ShareKind int `toml:"share_kind" reload:"restart"`

	// Nostr kind of the events that carry telemetry.
	TelemetryKind int `toml:"telemetry_kind" reload:"restart"`

	// Nostr kind of the events that carry orders for load.
	OrderKind int `toml:"order_kind" reload:"restart"`

	// Silence after which an agent leaves the list.
	ExpireAfter time.Duration `toml:"expire_after" reload:"restart"`

	// Age at which telemetry is deleted.
	KeepFor time.Duration `toml:"keep_for" reload:"restart"`

	// Megabytes of telemetry on disk. The oldest is deleted above it.
	MaxMegabytes int `toml:"max_megabytes" reload:"restart"`
}

// Default is the configuration of somebody who has set nothing: a pool on the
// usual ports and a node on this machine.
func Default() *Config {
	c := &Config{
		DataDir: "data",
		HTTP:    HTTP{Listen: "127.0.0.1:8000", TrustedProxies: []string{"127.0.0.0/8", "::1"}},
		Auth:    Auth{Registration: RegistrationClosed, SessionIdle: 7 * 24 * time.Hour, SessionMax: 30 * 24 * time.Hour, ClerkCallbackPath: "/clerk/callback", ClerkSessionCookieName: "__session"},
		Stratum: Stratum{
			Listen:         []string{":3333"},
			TLSListen:      []string{":4333"},
			TipFirst:       true,
			Provisional:    true,
			FailoverAfter:  300,
			MaxConnections: 50_000,
		},
		Difficulty: Difficulty{Start: 1024, Min: 0.0001, SharesPerMinute: 15, Vardiff: true},
		Abuse: Abuse{
			StrikeLimit: 100, BanAfter: 5, BanTime: 15 * time.Minute, MaxBanTime: 24 * time.Hour,
			ConnectBurst: 10_000, ConnectsPerSecond: 20, MaxUnauthorizedPerAddress: 8192,
		},
		Nodes:    []Node{{URL: "http://127.0.0.1:8332"}},
		Coinbase: Coinbase{Tag: "/poolscope/", MaxSize: 250},
		Version:  Version{Mask: "1fffe000"},
		Scope: Scope{
			ConnectTimeout: 5 * time.Second, Reconnect: "hold", MaxConnections: 10_000,
			CaptureMaxMessages: 50_000, CaptureMaxPerSession: 10_000, CaptureMaxMegabytes: 128, CaptureMaxLine: 256 << 10,
			Tap: "off", Journal: true, JournalKeepFor: 14 * 24 * time.Hour, JournalMaxMegabytes: 4096, JournalMinFreeMegabytes: 512,
			SilenceAfter: 5 * time.Minute,
		},
		Fleet: Fleet{
			ShareKind: 3080, TelemetryKind: 3079, OrderKind: 3081,
			ExpireAfter: time.Hour, KeepFor: 7 * 24 * time.Hour, MaxMegabytes: 256,
		},
		Alerts: defaultAlerts(),
		Price:  Price{Currency: "usd", Refresh: 30 * time.Minute, Timeout: 5 * time.Second},
		Backup: Backup{Every: 24 * time.Hour, KeepLast: 3, KeepDaily: 7, KeepWeekly: 4, KeepMonthly: 6},
		Log:    Log{Level: "info", Format: "text", RotateMegabytes: 100, KeepFiles: 20, Compress: true},
	}
	c.complete()
	return c
}

// defaultScope is the configuration of a scope without a pool.
func defaultScope(dataDir string) *Config {
	c := Default()
	c.scopeOnly = true
	c.DataDir = dataDir
	c.Scope.Listen = []string{":3333"}
	return c
}
