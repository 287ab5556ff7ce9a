// Signing in with identity providers, in a real browser: against a pool of its
// own, with oidc-provider as the provider; see identity.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, until } from './browser.mjs';
import { bring, sessionToken, startHouse } from './identity.mjs';

let browser;
let house;

before(async () => {
  [browser, house] = await Promise.all([launch(), startHouse()]);
});

after(async () => {
  await browser?.close();
  await house?.stop();
});

/** Opens a page of the pool in a browser profile of its own. */
async function visit(path) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(40_000);
  const faults = [];
  page.on('console', (m) => {
    if (m.type() === 'error' && /Content.Security|Refused/i.test(m.text())) faults.push(m.text());
  });
  page.on('pageerror', (error) => faults.push(error.stack));
  const addresses = [];
  page.on('request', (r) => addresses.push(r.url()));
  await page.goto(house.pool + path);
  return { context, page, faults, addresses };
}

/** Who is signed in, as the page's own requests would find out. */
const session = (page) =>
  page.evaluate(async () => (await fetch('/api/auth/session', { cache: 'no-store' })).json());

/** Signs in at the provider's own pages, the second of which asks for consent the first time. */
async function signInAtProvider(page, name, end = `${house.pool}/**`) {
  await page.waitForURL(`${house.issuer}/**`);
  await page.locator('input[name=login]').fill(name);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  const consent = page.getByRole('button', { name: 'Continue', exact: true });
  await Promise.race([consent.click(), page.waitForURL(end)]);
  await page.waitForURL(end);
}

const poolCookies = async (context, name) =>
  (await context.cookies(house.pool)).filter((c) => c.name.includes(name));

test('a pool that is up before its providers says so, and asks them again', async () => {
  assert.equal(house.waited.status, 503);
  assert.match(await house.waited.text(), /has not answered yet/);
});

test('signing in with OpenID Connect, and out', { timeout: 180_000 }, async () => {
  const { context, page, faults, addresses } = await visit('/sign-in?return_to=/account');
  await page.getByRole('button', { name: 'Continue with Corp' }).click();
  await signInAtProvider(page, 'boss');
  await page.waitForURL(`${house.pool}/account`);

  const who = await session(page);
  assert.equal(who.signed_in, true);
  assert.deepEqual(
    { provider: who.user.provider, role: who.user.role, name: who.user.name },
    { provider: 'corp', role: 'operator', name: 'The boss' },
  );
  const [cookie, ...others] = await poolCookies(context, 'poolscope_session');
  assert.equal(others.length, 0);
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, 'Lax');
  assert.deepEqual(await poolCookies(context, 'flow'), []);
  const started = new URL(addresses.find((a) => a.startsWith(`${house.issuer}/auth?`)));
  assert.equal(started.searchParams.get('code_challenge_method'), 'S256');
  for (const address of addresses) {
    assert.doesNotMatch(address, /token=|id_token|client_secret|code_verifier/, address);
  }

  // The answer of the provider is good once.
  const answer = addresses.find((a) => a.includes('/callback?'));
  await page.goto(answer);
  await page.waitForURL(/\/account|\/sign-in/);
  assert.equal((await session(page)).session_id, who.session_id);

  // What is dangerous wants the person to sign in there once more.
  await page.goto(`${house.pool}/account`);
  const { location } = await page.evaluate(async () => {
    const answer = await fetch('/api/auth/oidc/corp/start', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ return_to: '/account', confirm: true }),
    });
    return answer.json();
  });
  await page.goto(location);
  await signInAtProvider(page, 'boss');
  await page.waitForURL(`${house.pool}/account`);
  const confirmed = await session(page);
  assert.ok(Date.parse(confirmed.confirmed_until) > Date.now(), JSON.stringify(confirmed));

  // Signing out ends the session, not only the cookie.
  const [kept] = await poolCookies(context, 'poolscope_session');
  await page.getByRole('button', { name: /^Account: / }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  // … here, and at the provider, whose own page asks for it and leads back.
  await page.waitForURL(`${house.issuer}/**`);
  assert.deepEqual(await poolCookies(context, 'poolscope_session'), []);
  await page.getByRole('button', { name: /^Yes/ }).click();
  await page.waitForURL(`${house.pool}/`);
  const replayed = await fetch(`${house.pool}/api/auth/session`, {
    headers: { Cookie: `${kept.name}=${kept.value}` },
  });
  assert.equal((await replayed.json()).signed_in, false);
  // Whoever comes next in this browser has to sign in there anew.
  await page.goto(`${house.pool}/sign-in`);
  await page.getByRole('button', { name: 'Continue with Corp' }).click();
  await page.waitForURL(`${house.issuer}/**`);
  await page.locator('input[name=password]').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test(
  'settings that were entered are there again after the way to the provider, but for secrets',
  { timeout: 180_000 },
  async () => {
    const { context, page } = await visit('/sign-in?return_to=/admin/settings');
    await page.getByRole('button', { name: 'Continue with Corp' }).click();
    await signInAtProvider(page, 'boss');
    await page.waitForURL(`${house.pool}/admin/settings`);
    const field = (section, name) =>
      page.getByRole('region', { name: section, exact: true }).getByLabel(name, { exact: true });
    await field('[difficulty]', 'start').fill('4096');
    await page.getByRole('button', { name: 'Review and save' }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Sign in with Corp again' }).click();
    await signInAtProvider(page, 'boss');
    await page.waitForURL(`${house.pool}/admin/settings`);
    await page.getByText('1 change not saved').waitFor();
    assert.equal(await field('[difficulty]', 'start').inputValue(), '4096');
    // Now it is confirmed, and saved for good: nothing comes back a second time.
    await page.getByRole('button', { name: 'Review and save' }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText(/^Saved: 1 setting/).waitFor();
    assert.equal(
      await page.evaluate(() => sessionStorage.getItem('poolscope.settings-draft')),
      null,
    );
    await context.close();
  },
);

test('a session can be ended from another browser', { timeout: 180_000 }, async () => {
  const first = await visit('/sign-in');
  await first.page.getByRole('button', { name: 'Continue with Corp' }).click();
  await signInAtProvider(first.page, 'ada');
  const second = await visit('/sign-in');
  await second.page.getByRole('button', { name: 'Continue with Corp' }).click();
  await signInAtProvider(second.page, 'ada');
  assert.equal((await session(first.page)).user.role, 'viewer');
  assert.equal((await session(first.page)).user.id, (await session(second.page)).user.id);
  const status = await second.page.evaluate(
    async () => (await fetch('/api/auth/sessions', { method: 'DELETE' })).status,
  );
  assert.equal(status, 200);
  assert.equal((await session(first.page)).signed_in, false);
  assert.equal((await session(second.page)).signed_in, true);
  await Promise.all([first.context.close(), second.context.close()]);
});

test('an address that is not verified makes nobody an operator', { timeout: 120_000 }, async () => {
  for (const verified of [false, true]) {
    house.people.set('chief', { verified });
    const { context, page } = await visit('/sign-in');
    await page.getByRole('button', { name: 'Continue with Corp' }).click();
    await signInAtProvider(page, 'chief');
    assert.equal((await session(page)).user.role, verified ? 'operator' : 'viewer');
    await context.close();
  }
});

test(
  'declining at the provider leads back with a word about it',
  { timeout: 120_000 },
  async () => {
    const { context, page } = await visit('/sign-in?return_to=/account');
    await page.getByRole('button', { name: 'Continue with Corp' }).click();
    await page.waitForURL(`${house.issuer}/**`);
    await page.getByRole('link', { name: /cancel/i }).click();
    await page.waitForURL(`${house.pool}/sign-in?**`);
    await page.getByRole('alert').getByText('It was declined there').waitFor();
    assert.equal((await session(page)).signed_in, false);
    await context.close();
  },
);

test('an answer that another browser asked for signs nobody in', { timeout: 120_000 }, async () => {
  const attacker = await visit('/sign-in');
  house.hold = true;
  await attacker.page.getByRole('button', { name: 'Continue with Corp' }).click();
  await signInAtProvider(attacker.page, 'mallory', `${house.issuer}/held`);
  house.hold = false;
  const victim = await visit('/');
  await victim.page.goto(house.held);
  await victim.page.waitForURL(/\/sign-in\?error=expired/);
  assert.equal((await session(victim.page)).signed_in, false);
  await Promise.all([attacker.context.close(), victim.context.close()]);
});

test('the provider’s keys verify session tokens of Clerk’s kind', async () => {
  const right = sessionToken(house, 'program');
  const taken = await bring(house, right);
  assert.equal(taken.status, 200);
  const { ok, expires_at: expires } = await taken.json();
  assert.equal(ok, true);
  assert.ok(Date.parse(expires) > Date.now());
  assert.match(taken.headers.get('set-cookie'), /^__session=.*; HttpOnly; SameSite=Lax$/);
  const asked = await fetch(`${house.pool}/api/saved-workers`, {
    headers: { Cookie: `__session=${right}` },
  });
  assert.equal(asked.status, 200);

  const [head, body, signature] = right.split('.');
  const none = Buffer.from('{"alg":"none","kid":"key-1"}').toString('base64url');
  for (const [name, token] of Object.entries({
    expired: sessionToken(house, 'program', { exp: Math.floor(Date.now() / 1000) - 100 }),
    'without an end': sessionToken(house, 'program', { exp: undefined }),
    'of another issuer': sessionToken(house, 'program', { iss: 'https://evil.example' }),
    unsigned: `${none}.${body}.`,
    changed: `${head}.${Buffer.from('{}').toString('base64url')}.${signature}`,
  })) {
    const refused = await bring(house, token);
    assert.equal(refused.status, 401, name);
    assert.equal((await refused.text()).trim(), 'invalid token', name);
  }
});

test('signing in with Clerk, staying so, and out', { timeout: 180_000 }, async () => {
  house.clerk.tokenLife = 22; // the keeper renews 20 seconds before the end
  const { context, page, faults, addresses } = await visit('/sign-in?return_to=/account');
  await page.getByRole('button', { name: 'Continue with Clerk' }).click();
  await page.getByRole('link', { name: 'Sign in at Clerk' }).click();
  await page.waitForURL(`${house.pool}/account`);
  const who = await session(page);
  assert.equal(who.signed_in, true);
  assert.equal(who.user.provider, 'clerk');
  assert.ok(who.confirmed_until, 'the factor was given just now');
  for (const address of addresses) assert.doesNotMatch(address, /eyJ/, 'a token is in an address');

  // The frame renews the cookie while the page is open.
  const [before] = await poolCookies(context, '__session');
  assert.equal(before.httpOnly, true);
  const renewed = await until(async () => {
    const [now] = await poolCookies(context, '__session');
    return now && now.value !== before.value && now;
  }, 'a new token in the cookie');
  assert.ok(renewed.expires > before.expires);

  // Signing out ends it here and at Clerk.
  await page.getByRole('button', { name: /^Account: / }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await until(() => [...house.clerk.sessions.values()].every((alive) => !alive), 'an end at Clerk');
  await page.waitForURL(`${house.pool}/`);
  assert.equal((await session(page)).signed_in, false);
  const replayed = await fetch(`${house.pool}/api/auth/session`, {
    headers: { Cookie: `__session=${renewed.value}` },
  });
  assert.equal((await replayed.json()).signed_in, false);

  // A link to the page that ends Clerk's session signs nobody out.
  await page.goto(`${house.pool}/sign-in/clerk?return_to=/account`);
  await page.getByRole('link', { name: 'Sign in at Clerk' }).click();
  await page.waitForURL(`${house.pool}/account`);
  await page.goto(`${house.pool}/sign-in/clerk/out?return_to=/`);
  await page.waitForURL(`${house.pool}/`);
  assert.ok(
    [...house.clerk.sessions.values()].some((alive) => alive),
    'a link ended the session',
  );
  assert.deepEqual(faults, []);
  await context.close();
});
