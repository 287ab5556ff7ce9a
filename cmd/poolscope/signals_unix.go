//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/poolscope/poolscope/internal/app"
)

// operatorRequests turns signals into requests: SIGHUP reloads, SIGUSR2
// upgrades.
func operatorRequests() (<-chan app.Request, func()) {
	signals := make(chan os.Signal, 8) // more at once say nothing new
	requests := make(chan app.Request)
	done := make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR2)
	go func() {
		for {
			var request app.Request
			select {
			case <-done:
				return
			case s := <-signals:
				request = app.RequestReload
				if s == syscall.SIGUSR2 {
					request = app.RequestUpgrade
				}
			}
			select {
			case <-done:
				return
			case requests <- request:
			}
		}
	}()
	return requests, func() {
		signal.Stop(signals)
		close(done)
	}
}
