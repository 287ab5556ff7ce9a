package app

import (
	"log/slog"
	"maps"
	"slices"

	"github.com/poolscope/poolscope/internal/api"
	"github.com/poolscope/poolscope/internal/config"
	"github.com/poolscope/poolscope/internal/price"
)

// newPriceFeed makes the feed of the configuration, nil without.
func newPriceFeed(cfg *config.Config, log *slog.Logger) *price.Feed {
	address, path, timePath := cfg.Price.Document()
	return price.New(price.Config{
		URL: address, Path: path, TimePath: timePath,
		Currency: cfg.Price.Currency, Refresh: cfg.Price.Refresh, Timeout: cfg.Price.Timeout,
	}, log.With("part", "price"))
}

// pricePart runs a feed, if there is one.
func pricePart(f *price.Feed, log *slog.Logger) stage {
	if f == nil {
		return nil
	}
	return stage{aside(part{"price feed", f.Run}, log)}
}

// priceFigures are what a feed counts.
func priceFigures(f *price.Feed) []api.Figure {
	if f == nil {
		return nil
	}
	s := f.Status()
	figures := []api.Figure{{Name: "price_fetched_total", Help: "Prices of a bitcoin that the feed told.", Number: float64(s.Fetched), Counter: true}}
	for _, reason := range slices.Sorted(maps.Keys(s.Failed)) {
		figures = append(figures, api.Figure{
			Name: "price_failed_total", Help: "Requests to the price feed that brought no price, by reason.",
			Label: "reason", Value: reason, Number: float64(s.Failed[reason]), Counter: true,
		})
	}
	return figures
}

// figures are the sources of what parts count.
func (p *poolParts) figures() []func() []api.Figure {
	return []func() []api.Figure{
		func() []api.Figure { return priceFigures(p.price) },
		backupFigures(p.backups),
		p.people.figures,
		p.alertFigures,
		p.discord.figures,
		p.savedFigures,
	}
}
