package devnet

import (
	"math/big"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

const (
	// powLimitBits is regtest's limit, the easiest target a block may have.
	powLimitBits = 0x207fffff

	// minDifficultyAfter is the age of the tip from which a block of minimum
	// difficulty is allowed: testnet's 20-minute rule, stretched so that it
	// serves the blocks mined in advance and hardly ever anybody else.
	minDifficultyAfter = 50 * 24 * time.Hour
	// premineSpacing separates blocks mined in advance: just over the rule.
	premineSpacing = minDifficultyAfter + time.Hour
	// premineBlocks is how many there are. Coinbases mature after 100 blocks,
	// so 110 of them are spendable in the next block.
	premineBlocks = 210
	// premineAge is how old the last of them is when the chain is created:
	// old enough that no clock of a miner is behind it, young enough that the
	// chain looks alive.
	premineAge = 10 * time.Minute

	// noRetarget is the number of blocks after which the difficulty would be
	// adjusted: a height that is never reached. With one second per block it
	// stays within btcd's 32-bit arithmetic.
	noRetarget = 1 << 30
)

// powLimit returns regtest's limit as a number: 2^255 - 1 rounded to the
// precision of powLimitBits upwards, as Bitcoin Core and btcd have it.
func powLimit() *big.Int {
	limit := new(big.Int).Lsh(big.NewInt(1), 255)
	return limit.Sub(limit, big.NewInt(1))
}

// params returns the consensus parameters of a chain. Nothing in them is
// shared with another chain: btcd binds the deployments to the chain that
// uses them.
func (s chainSpec) params() *chaincfg.Params {
	p := chaincfg.RegressionNetParams
	p.PowLimit = powLimit()
	p.Deployments = deployments()
	if s.Regtest {
		return &p
	}

	genesis := s.genesis()
	hash := genesis.BlockHash()
	p.GenesisBlock, p.GenesisHash = genesis, &hash

	// The difficulty is the genesis block's, for ever: the retarget height
	// is out of reach, and a block of minimum difficulty is no precedent for
	// the one after it.
	p.PoWNoRetargeting = false
	p.TargetTimePerBlock = time.Second
	p.TargetTimespan = noRetarget * time.Second
	p.ReduceMinDifficulty = true
	p.MinDiffReductionTime = minDifficultyAfter

	p.SubsidyReductionInterval = 210_000
	return &p
}

// genesis returns the first block of a demo chain: regtest's, with the
// chain's own bits and time. It carries no proof of work, since consensus
// takes the genesis block as given; every block after it does.
func (s chainSpec) genesis() *wire.MsgBlock {
	block := *chaincfg.RegressionNetParams.GenesisBlock
	block.Header.Bits = s.Bits
	block.Header.Timestamp = s.premineTime(0)
	return &block
}

// premineTime returns the time of the block mined in advance at a height.
func (s chainSpec) premineTime(height int32) time.Time {
	spacing := premineSpacing
	if s.Regtest {
		spacing = time.Second
	}
	return time.Unix(s.CreatedAt, 0).Add(-time.Duration(s.Premine-height) * spacing)
}

// deployments returns the soft forks: CSV, segwit and taproot active from
// block 1, and the dummy that regtest nodes vote for with bit 28, as Bitcoin
// Core's do. btcd's own further dummies are active from the start, so that
// they never show in a block's version.
func deployments() [chaincfg.DefinedDeployments]chaincfg.ConsensusDeployment {
	var all [chaincfg.DefinedDeployments]chaincfg.ConsensusDeployment
	for id, d := range chaincfg.RegressionNetParams.Deployments {
		d.DeploymentStarter = chaincfg.NewMedianTimeDeploymentStarter(time.Time{})
		d.DeploymentEnder = chaincfg.NewMedianTimeDeploymentEnder(time.Time{})
		if id != chaincfg.DeploymentTestDummy {
			d.AlwaysActiveHeight = 1
		}
		all[id] = d
	}
	return all
}

// clock lets consensus code see the node's clock, in whole seconds. A solo
// node has nobody to take time samples from.
type clock struct{ now func() time.Time }

var _ blockchain.MedianTimeSource = clock{}

// AdjustedTime implements blockchain.MedianTimeSource.
func (c clock) AdjustedTime() time.Time { return time.Unix(c.now().Unix(), 0) }

// AddTimeSample implements blockchain.MedianTimeSource.
func (c clock) AddTimeSample(string, time.Time) {}

// Offset implements blockchain.MedianTimeSource.
func (c clock) Offset() time.Duration { return 0 }

// subsidy returns the block reward without fees at a height, in satoshis.
func subsidy(height int32, p *chaincfg.Params) btcutil.Amount {
	return btcutil.Amount(blockchain.CalcBlockSubsidy(height, p))
}
