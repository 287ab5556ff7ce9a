package account

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// try makes an attempt that fails, and says why it was not let through and for
// how long.
func try(t *testing.T, l *limiter, account, address string) (reason string, wait time.Duration) {
	t.Helper()
	_, err := l.begin(account, address)
	var busy *BusyError
	switch {
	case err == nil:
		return "", 0
	case errors.As(err, &busy):
		return busy.Reason, busy.Wait
	}
	t.Fatal(err)
	return "", 0
}

// TestGuessingSlowsDown guesses as fast as it is let for a day.
func TestGuessingSlowsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(time.Now)
		guesses, began := 0, time.Now()
		var waits []time.Duration
		for time.Since(began) < 24*time.Hour {
			if _, wait := try(t, l, "operator", "192.0.2.1"); wait > 0 {
				waits = append(waits, wait)
				time.Sleep(wait)
				continue
			}
			guesses++
		}
		if guesses > 120 {
			t.Errorf("%d guesses in a day", guesses)
		}
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 32} {
			if waits[i] != want*time.Second {
				t.Fatalf("waits begin with %v", waits[:6])
			}
		}
		if last := waits[len(waits)-1]; last != longestWait {
			t.Errorf("at the end the wait is %v", last)
		}
	})
}

// TestAttemptsAtOnce: who sends many attempts before the first is answered gets
// no more of them.
func TestAttemptsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, through := newLimiter(time.Now), 0
		for range 100 {
			if reason, _ := try(t, l, "operator", "192.0.2.1"); reason == "" {
				through++
			}
		}
		if through != freeFailures {
			t.Errorf("%d attempts were let through", through)
		}
	})
}

// TestStrangersDoNotLockOut: while a thousand addresses guess, the operator signs
// in from where that was done before, and from elsewhere after a short wait.
func TestStrangersDoNotLockOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(time.Now)
		home, err := l.begin("operator", "203.0.113.7")
		if err != nil {
			t.Fatal(err)
		}
		home.succeeded()
		through := 0
		attack := func() {
			for i := range 1000 {
				if reason, _ := try(t, l, "operator", fmt.Sprintf("198.51.%d.%d", i/250, i%250)); reason == "" {
					through++
				}
			}
		}
		attack()
		if through > accountBurst+reservedBurst {
			t.Errorf("%d guesses at one account", through)
		}
		if reason, _ := try(t, l, "operator", "203.0.113.7"); reason != "" {
			t.Errorf("the operator at home: %s", reason)
		}
		if reason, _ := try(t, l, "operator", "192.0.2.8"); reason != "" {
			t.Errorf("the operator elsewhere: %q", reason)
		}
		if reason, _ := try(t, l, "jane", "203.0.113.8"); reason != "" {
			t.Errorf("somebody else: %s", reason)
		}
		time.Sleep(time.Hour)
		through = 0
		attack()
		if through > accountBurst+reservedBurst {
			t.Errorf("%d more guesses after an hour", through)
		}
	})
}

// TestOneAddressManyAccounts: trying one password with many names is limited, too.
func TestOneAddressManyAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, through := newLimiter(time.Now), 0
		var last string
		for i := range 1000 {
			// The addresses of one /64 are one.
			reason, _ := try(t, l, fmt.Sprintf("user%d", i), fmt.Sprintf("2001:db8::%x", i+1))
			if reason == "" {
				through++
			}
			last = reason
		}
		if through != addressBurst || last != reasonAddress {
			t.Errorf("%d attempts, then %q", through, last)
		}
		if reason, _ := try(t, l, "user0", "2001:db8:0:1::1"); reason != "" {
			t.Errorf("the next /64: %s", reason)
		}
		if reason, _ := try(t, l, "user0", "::ffff:192.0.2.1"); reason != "" {
			t.Errorf("IPv4 in IPv6: %s", reason)
		}
	})
}

// TestSuccessForgivesThePair, and no more than that: an attacker with an account
// of their own must not buy more guesses at others' with it.
func TestSuccessForgivesThePair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(time.Now)
		for range freeFailures - 1 {
			try(t, l, "operator", "192.0.2.1")
		}
		for range 3 {
			own, err := l.begin("mallory", "192.0.2.1")
			if err != nil {
				t.Fatal(err)
			}
			own.succeeded()
		}
		if reason, _ := try(t, l, "operator", "192.0.2.1"); reason != "" {
			t.Fatal(reason)
		}
		if reason, _ := try(t, l, "operator", "192.0.2.1"); reason != reasonPair {
			t.Errorf("one's own success made room for others' passwords: %q", reason)
		}
		time.Sleep(firstWait)
		right, err := l.begin("operator", "192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		right.succeeded()
		for range freeFailures {
			if reason, _ := try(t, l, "operator", "192.0.2.1"); reason != "" {
				t.Errorf("after the right password: %s", reason)
			}
		}
	})
}

// TestUndoneAttempts count for nothing.
func TestUndoneAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(time.Now)
		for range 1000 {
			a, err := l.begin("operator", "192.0.2.1")
			if err != nil {
				t.Fatal(err)
			}
			a.undo()
		}
	})
}

// TestLimiterIsBounded: made-up names and addresses cost no more than so much
// memory.
func TestLimiterIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(time.Now)
		for i := range maxPairs + 2000 {
			address := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
			a, err := l.begin(fmt.Sprintf("user%d", i), address)
			if err != nil {
				t.Fatal(err)
			}
			if i >= maxPairs && i < maxPairs+200 {
				a.succeeded()
			}
			_ = l.register(address)
		}
		for i := range maxKnown - 100 {
			a, err := l.begin(fmt.Sprintf("operator%d", i>>4), fmt.Sprintf("10.200.%d.%d", i>>8, i&255))
			if err != nil {
				t.Fatal(err)
			}
			a.succeeded()
		}
		if n := l.size(); n > 6*maxPairs {
			t.Errorf("%d entries", n)
		}
		if n := len(l.known); n != maxKnown {
			t.Errorf("%d known addresses", n)
		}
	})
}

// TestRegistrations from one address, and from everywhere, are few.
func TestRegistrations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(time.Now)
		made := func(address string) (n int) {
			for range 100 {
				if l.register(address) == nil {
					n++
				}
			}
			return n
		}
		if n := made("192.0.2.1"); n != registerBurst {
			t.Errorf("%d accounts from one address", n)
		}
		all := 0
		for i := range 250 {
			all += made(fmt.Sprintf("198.51.100.%d", i))
		}
		if all > registerAll {
			t.Errorf("%d accounts from everywhere", all)
		}
		time.Sleep(registerEvery)
		if made("192.0.2.1") == 0 {
			t.Error("none later")
		}
	})
}

// TestCancelledAttempts: who cancels one attempt does not wipe out those that were
// begun since.
func TestCancelledAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, through := newLimiter(time.Now), 0
		home, err := l.begin("operator", "192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		home.succeeded()
		for range 1000 {
			decoy, err := l.begin("operator", "192.0.2.1")
			if err != nil {
				break
			}
			for range freeFailures - 1 {
				if reason, _ := try(t, l, "operator", "192.0.2.1"); reason == "" {
					through++
				}
			}
			decoy.undo()
		}
		if through > freeFailures {
			t.Errorf("%d guesses without a wait", through)
		}
		// Later, too: an attempt that was not made buys none.
		began := time.Now()
		for through = 0; time.Since(began) < 24*time.Hour; {
			a, err := l.begin("operator", "192.0.2.1")
			var busy *BusyError
			if errors.As(err, &busy) {
				time.Sleep(busy.Wait)
				continue
			}
			if reason, _ := try(t, l, "operator", "192.0.2.1"); reason == "" {
				through++
			}
			a.undo()
			if reason, _ := try(t, l, "operator", "192.0.2.1"); reason == "" {
				through++
			}
		}
		if through > 120 {
			t.Errorf("%d guesses in a day", through)
		}
	})
}

// TestSteadyAttack: one who has a /48 to himself and never stops does not keep the
// operator out, neither at home, of which the books know, nor elsewhere.
func TestSteadyAttack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(time.Now)
		l.know([]Origin{{"operator", "203.0.113.7", time.Now().Add(-29 * 24 * time.Hour)}, {"operator", "203.0.113.9", time.Now().Add(-31 * 24 * time.Hour)}})
		refused, guesses := 0, 0
		for second := range 24 * 3600 {
			time.Sleep(time.Second)
			if reason, _ := try(t, l, "operator", fmt.Sprintf("2001:db8:1:%x::1", second&0xffff)); reason == "" {
				guesses++
			}
			if second%60 != 59 {
				continue
			}
			for _, from := range []string{"203.0.113.7", fmt.Sprintf("198.51.100.%d", second/60%250)} {
				a, err := l.begin("operator", from)
				if err != nil {
					refused++
					continue
				}
				a.undo()
			}
		}
		if refused > 0 {
			t.Errorf("the operator was refused %d times", refused)
		}
		if most := accountBurst + 24*3600/int(accountEvery/time.Second) + 1; guesses > most {
			t.Errorf("%d guesses in a day, more than %d", guesses, most)
		}
	})
}

// TestOneAccountKeepsToItsRoom: who signs in from everywhere does not make the
// program forget where others did.
func TestOneAccountKeepsToItsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(time.Now)
		l.know([]Origin{{"operator", "203.0.113.7", time.Now().Add(-time.Hour)}})
		for i := range 2 * maxKnown {
			a, err := l.begin("mallory", fmt.Sprintf("2001:db8:%x::1", i))
			if err != nil {
				t.Fatal(err)
			}
			a.succeeded()
		}
		if _, known := l.known[pair{"operator", "203.0.113.7"}]; !known || len(l.known) != 1+maxKnownOf {
			t.Errorf("%d known, the operator's among them: %v", len(l.known), known)
		}
	})
}

// remembering is a store that knows where an account was signed in, and nothing else.
type remembering struct{ Store }

func (remembering) Origins(_ context.Context, since time.Time, _ int) ([]Origin, error) {
	return []Origin{{"operator", "203.0.113.7", since.Add(time.Hour)}}, nil
}
func (remembering) PruneSessions(context.Context, time.Time, time.Time) error   { return nil }
func (remembering) PruneActions(context.Context, time.Time, ActionLimits) error { return nil }
func (remembering) PruneUnused(context.Context, time.Time, time.Duration) (int64, error) {
	return 0, nil
}

// TestHomeIsKnownAfterARestart: a program that was started anew lets the operator
// in from where that was done before, while strangers guess from everywhere.
func TestHomeIsKnownAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{}, remembering{}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = s.Run(ctx) }()
		synctest.Wait()
		for i := range 1000 {
			try(t, s.limits, "operator", fmt.Sprintf("2001:db8:%x::1", i))
		}
		if reason, _ := try(t, s.limits, "operator", "192.0.2.8"); reason != reasonAccount {
			t.Errorf("elsewhere, during an attack from a thousand networks: %q", reason)
		}
		if reason, _ := try(t, s.limits, "operator", "203.0.113.7"); reason != "" {
			t.Errorf("at home: %q", reason)
		}
		cancel()
		synctest.Wait()
	})
}

// TestRegistrationsNeverFillTheBooks: accounts that a program makes and never uses are
// gone before they are so many that nobody can register.
func TestRegistrationsNeverFillTheBooks(t *testing.T) {
	// They stay a week, and are looked for every hour.
	most := registerAll + int((forgetUnused+pruneEvery)/registerAllFor)
	if most >= maxRegistered || maxRegistered > maxUsers*2/3 {
		t.Errorf("up to %d accounts are there before the first ones are forgotten; registration ends at %d, accounts at %d", most, maxRegistered, maxUsers)
	}
}
