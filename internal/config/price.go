package config

import (
	"net/url"
	"strings"
	"time"
)

// Price is section [price].
type Price struct {
	// Where the price of a bitcoin is asked for: "coingecko", or the URL of any
	// JSON document, in which {currency} stands for the currency below. Empty:
	// nobody is asked, and no price is shown.
	Feed string `toml:"feed" reload:"restart"`

	// Where the price is in the document: names, and numbers from 0 in arrays, with
	// dots between. Of "coingecko" it is known.
	Path string `toml:"path" reload:"restart"`

	// Where the price's own time is, in Unix seconds. Empty: the time of the answer.
	TimePath string `toml:"time_path" reload:"restart"`

	// Currency, as an ISO 4217 code.
	Currency string `toml:"currency" reload:"restart"`

	// Time between two requests. A failure is tried again sooner, in growing steps.
	Refresh time.Duration `toml:"refresh" reload:"restart"`

	// How long the feed may take to answer.
	Timeout time.Duration `toml:"timeout" reload:"restart"`
}

// CoinGecko is the feed that is known by name.
const CoinGecko = "coingecko"

// coinGecko is CoinGecko's "simple price" request: {"bitcoin":{"usd":67187.3,
// "last_updated_at":1711356300}}.
const (
	coinGeckoURL  = "https://api.coingecko.com/api/v3/simple/price?ids=bitcoin&vs_currencies={currency}&include_last_updated_at=true"
	coinGeckoPath = "bitcoin.{currency}"
	coinGeckoTime = "bitcoin.last_updated_at"
)

// Document is where prices are asked for and what is taken of the answer; ""
// for no feed.
func (p *Price) Document() (feed, path, timePath string) {
	if strings.EqualFold(p.Feed, CoinGecko) {
		return coinGeckoURL, coinGeckoPath, coinGeckoTime
	}
	return p.Feed, p.Path, p.TimePath
}

// price checks section [price].
func (v *validator) price() {
	p := v.config.Price
	if feed, path, _ := p.Document(); feed != "" {
		// The value is not repeated: there may be a key in it.
		u, err := url.Parse(strings.ReplaceAll(feed, "{currency}", "usd"))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			v.complain("price.feed", `must be "coingecko" or a URL such as "https://prices.example/bitcoin?in={currency}", without user and password`)
		}
		if path == "" {
			v.complainSince("price.path", "price.feed", `must say where in the answer the price is, such as "bitcoin.{currency}"`)
		}
	}
	if !isCurrency(p.Currency) {
		v.complain("price.currency", `must be an ISO 4217 code of three letters, such as "usd"`)
	}
	if p.Refresh < time.Minute {
		v.complain("price.refresh", "must be at least 1m")
	}
	if p.Timeout < time.Second || p.Timeout > time.Minute {
		v.complain("price.timeout", "must be from 1s to 1m")
	}
}

func isCurrency(code string) bool {
	if len(code) != 3 {
		return false
	}
	for _, b := range []byte(strings.ToLower(code)) {
		if b < 'a' || b > 'z' {
			return false
		}
	}
	return true
}
