package store_test

import (
	"path/filepath"
	"testing"

	"github.com/poolscope/poolscope/internal/alert"
	"github.com/poolscope/poolscope/internal/store/storetest"
)

func TestAlertsConformance(t *testing.T) {
	storetest.RunAlerts(t, func(t *testing.T) alert.Store {
		return openStore(t, filepath.Join(t.TempDir(), "books.db")).Alerts()
	})
}
