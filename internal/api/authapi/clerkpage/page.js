// Brings Clerk's session token to the pool, by POST and never in an address.
// Clerk's own script, which is loaded before this one, keeps the session.
'use strict';
(() => {
  const { mode, returnTo, signInUrl, callback } = document.documentElement.dataset;
  const tries = 'poolscope-clerk-tries';
  const outMarker = 'poolscope_clerk_out';

  function say(text) {
    document.getElementById('state').textContent = text;
    document.getElementById('again').hidden = false;
  }

  /** Tells the page that this one is a frame of. */
  function tell(state) {
    if (window.parent !== window) {
      window.parent.postMessage({ type: 'poolscope-clerk', state }, location.origin);
    }
  }

  /** Gives the pool a token of now; the answer has the time when it is over. */
  async function hand(clerk) {
    const token = await clerk.session.getToken({ skipCache: true });
    if (!token) throw new Error('no token');
    const answer = await fetch('/api/auth/session-refresh', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    const body = answer.ok ? await answer.json() : { text: (await answer.text()).trim() };
    return { status: answer.status, ...body };
  }

  /** Goes to where one signs in at Clerk, which leads back here. */
  async function goToClerk(clerk) {
    const count = Number(sessionStorage.getItem(tries) ?? 0);
    if (count >= 2) {
      sessionStorage.removeItem(tries);
      say('Clerk did not bring a session back. Please try again.');
      return;
    }
    sessionStorage.setItem(tries, String(count + 1));
    const back = `${location.origin}${callback}?return_to=${encodeURIComponent(returnTo)}`;
    if (signInUrl) {
      const target = new URL(signInUrl);
      target.searchParams.set('redirect_url', back);
      location.assign(target.href);
    } else {
      await clerk.redirectToSignIn({
        signInForceRedirectUrl: back,
        signUpForceRedirectUrl: back,
      });
    }
  }

  async function signIn(clerk) {
    if (!clerk.session) {
      await goToClerk(clerk);
      return;
    }
    const answer = await hand(clerk);
    if (answer.status === 200) {
      sessionStorage.removeItem(tries);
      location.replace(returnTo);
    } else if (answer.status === 401) {
      // This session was ended here: a new one is needed.
      await clerk.signOut(() => undefined);
      await goToClerk(clerk);
    } else {
      say(`The pool did not take it: ${answer.text}`);
    }
  }

  /** Stays in a frame of an open page and renews the cookie before it is over. */
  async function keep(clerk) {
    for (;;) {
      if (!clerk.session) {
        tell('signed-out');
        return;
      }
      let wait = 15_000;
      try {
        const answer = await hand(clerk);
        if (answer.status === 401) {
          tell('signed-out');
          return;
        }
        if (answer.status === 200) {
          tell('signed-in');
          const left = Date.parse(answer.expires_at) - Date.now();
          wait = Math.min(Math.max(left - 20_000, 5_000), 600_000) || wait;
        }
      } catch {
        // The pool or Clerk is away for a moment: the next round tries again.
      }
      await new Promise((done) => setTimeout(done, wait));
    }
  }

  /** Ends Clerk's session, but only of who has just signed out here by POST. */
  async function signOut(clerk) {
    const marked = document.cookie.split('; ').includes(`${outMarker}=1`);
    document.cookie = `${outMarker}=; Path=/sign-in/clerk; Max-Age=0; SameSite=Strict`;
    if (marked && clerk.session) await clerk.signOut(() => undefined);
    location.replace(returnTo);
  }

  async function run() {
    try {
      if (!window.Clerk) throw new Error('its script was not loaded');
      await window.Clerk.load();
      await { in: signIn, keep, out: signOut }[mode](window.Clerk);
    } catch (error) {
      tell('failed');
      say(
        `Clerk cannot be used now: ${error instanceof Error ? error.message : 'unknown reason'}.`,
      );
    }
  }

  // Deferred scripts have run, in their order, when this fires.
  document.addEventListener('DOMContentLoaded', run);
})();
