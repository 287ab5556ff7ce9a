package pool

import (
	"fmt"
	"time"

	"github.com/poolscope/poolscope/internal/bitcoin"
)

// settings are what is in force at one moment. They never change: a reload or a
// network that became known puts others in their place, all at once, and who
// reads them pays one atomic load.
type settings struct {
	Config
	rules *ruleSet // nil until the network is known
}

// ruleSet is what follows from the network.
type ruleSet struct {
	network bitcoin.Network
	payout  payoutRules
}

// config is the configuration in force. Who needs several values that belong
// together takes it once.
func (p *Pool) config() *Config { return &p.settings.Load().Config }

// rules follow from the network; nil until it is known.
func (p *Pool) rules() *ruleSet { return p.settings.Load().rules }

// Reconfigure puts another configuration in force while miners are at work: the
// limits of connections and addresses count from the next connection on,
// difficulties from a miner's next work on, tag and payouts from the next job
// on. The tap keeps the mode of SetTap unless this changes Config.Tap.
//
// BlockDir, CaptureDir, TapSink, Authorized, Watch, VersionMask and Version stay as New got
// them. An error means that the configuration cannot pay whom it should, and
// nothing has changed.
func (p *Pool) Reconfigure(cfg Config) error {
	cfg.setDefaults()
	p.settingsMu.Lock()
	defer p.settingsMu.Unlock()
	old := p.settings.Load()
	cfg.BlockDir, cfg.CaptureDir, cfg.TapSink = old.BlockDir, old.CaptureDir, old.TapSink
	cfg.Watch, cfg.VersionMask, cfg.Version = old.Watch, old.VersionMask, old.Version
	cfg.Authorized = old.Authorized
	next := &settings{Config: cfg}
	if old.rules != nil {
		if err := p.resolve(next, old.rules.network); err != nil {
			return err
		}
	}
	p.settings.Store(next)
	p.watch.SetConfig(cfg.Abuse)
	p.blocks.node.Refresh()
	if cfg.TapSink != nil && cfg.Tap != old.Tap {
		return p.SetTap(cfg.Tap)
	}
	return nil
}

// Check says why Reconfigure would fail with a configuration, and changes nothing.
func (p *Pool) Check(cfg Config) error {
	rules := p.rules()
	if rules == nil {
		return nil // the network is not known yet
	}
	_, err := newPayoutRules(cfg.Payout, rules.network)
	return err
}

// learnNetwork fixes the network once it is known.
func (p *Pool) learnNetwork(n bitcoin.Network) error {
	p.settingsMu.Lock()
	defer p.settingsMu.Unlock()
	old := p.settings.Load()
	if old.rules != nil {
		if old.rules.network != n {
			return fmt.Errorf("template is for network %q, the pool mines on %q", n, old.rules.network)
		}
		return nil
	}
	next := &settings{Config: old.Config}
	if err := p.resolve(next, n); err != nil {
		return err
	}
	p.settings.Store(next)
	return nil
}

// resolve fills in what follows from the network, and says so when not every
// miner can be paid.
func (p *Pool) resolve(s *settings, n bitcoin.Network) error {
	rules, err := newPayoutRules(s.Payout, n)
	if err != nil {
		return err
	}
	if s.Provisional && s.Payout.FeeAddress != "" && rules.operator.script == nil {
		p.events.add(time.Now(), "job", "no work before authorize: the fee address cannot be paid on this network")
	}
	if err := rules.fit(&s.Config, payee{script: longestScript}); err != nil {
		p.log.Warn("miners with long addresses will get no work", "err", err)
		p.events.add(time.Now(), "job", "miners with long addresses will get no work: "+err.Error())
	}
	s.rules = &ruleSet{n, rules}
	return nil
}

// Note shows the operator something that went wrong outside of the pool, among
// the errors of its Status.
func (p *Pool) Note(kind, message string) { p.events.add(time.Now(), kind, message) }
