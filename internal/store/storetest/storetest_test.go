package storetest_test

import (
	"testing"

	"github.com/poolscope/poolscope/internal/ledger"
	"github.com/poolscope/poolscope/internal/ledger/ledgertest"
	"github.com/poolscope/poolscope/internal/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) ledger.Store { return ledgertest.NewMemory() })
}
