package storetest_test

import (
	"testing"

	"github.com/poolscope/poolscope/internal/abuse"
	"github.com/poolscope/poolscope/internal/abuse/abusetest"
	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/ledger/ledgertest"
	"github.com/poolscope/poolscope/internal/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) ledger.Store { return ledgertest.NewMemory() })
}

func TestBansInMemory(t *testing.T) {
	storetest.RunBans(t, func(*testing.T) abuse.Store { return abusetest.NewMemory() })
}
