package config

import (
	"strings"
	"testing"
)

func TestPriceFeed(t *testing.T) {
	tests := []struct{ name, toml, wrong string }{
		{"off", ``, ""},
		{"CoinGecko", `feed = "coingecko"`, ""},
		{"CoinGecko in euro", "feed = \"CoinGecko\"\ncurrency = \"EUR\"", ""},
		{"own", "feed = \"http://127.0.0.1:1/p?c={currency}\"\npath = \"a.{currency}\"", ""},
		{"own without path", `feed = "https://prices.example/"`, "price.path"},
		{"no URL", "feed = \"prices\"\npath = \"a\"", "price.feed"},
		{"password in it", "feed = \"https://me:secret@prices.example/\"\npath = \"a\"", "price.feed"},
		{"no currency", `currency = "dollar"`, "price.currency"},
		{"impatient", `refresh = "1s"`, "price.refresh"},
		{"no time", `timeout = "0"`, "price.timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Parse("p.toml", []byte("[price]\n"+tt.toml), nil)
			if tt.wrong == "" {
				if err != nil {
					t.Fatal(err)
				}
				if feed, path, _ := c.Price.Document(); (feed == "") != (tt.toml == "") || (path == "") != (feed == "") {
					t.Errorf("%s: feed %q, path %q", tt.name, feed, path)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%v, want a complaint about %s", err, tt.wrong)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("repeats the address: %v", err)
			}
		})
	}
}
