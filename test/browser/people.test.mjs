// People and what is theirs, by clicking: signing in and out, saved workers that
// are proven to be one's own, alerts; see scope.test.mjs for how to run it.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { accessibilityFaults, api, open, serverURL, until } from './browser.mjs';
import {
  asked,
  changeAccount,
  fillSignIn,
  household,
  makeAccount,
  signedIn,
  startLockedPool,
  startMiner,
  startSink,
  unexpected,
} from './people.mjs';
import { address } from './stratum.mjs';

let house;
let browser;
let viewer;
let operator;

before(async () => {
  serverURL();
  house = await household();
  browser = house.browser;
  viewer = await makeAccount(`viewer${process.pid}`);
  operator = await makeAccount(`operator${process.pid}`, 'operator');
});

after(() => house?.stop());

const sessionCookies = async (page) =>
  (await page.context().cookies()).filter((c) => c.name.startsWith('poolscope_session'));

test('signing in and out', { timeout: 120_000 }, async () => {
  const { page, faults } = await open(browser, { path: '/sign-in?return_to=/saved' });
  await fillSignIn(page, { name: viewer.name, password: 'not it' });
  await page.getByRole('alert').getByText('Wrong name or password').waitFor();
  assert.deepEqual(await sessionCookies(page), []);
  assert.deepEqual(await accessibilityFaults(page), []);

  await fillSignIn(page, viewer);
  await page.waitForURL((url) => url.pathname === '/saved');
  const [cookie] = await sessionCookies(page);
  assert.equal(cookie.httpOnly, true);
  assert.equal(await page.evaluate(() => document.cookie), '');

  const menu = page.getByRole('button', { name: `Account: ${viewer.name}` });
  await menu.click();
  await page.getByRole('link', { name: 'Account', exact: true }).first().click();
  await page.waitForURL((url) => url.pathname === '/account');
  await menu.click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await until(async () => (await sessionCookies(page)).length === 0, 'no cookie');
  // The session is over, not only forgotten by this browser.
  const answer = await fetch(new URL('/api/auth/session', serverURL()), {
    headers: { Cookie: `${cookie.name}=${cookie.value}` },
  });
  assert.equal((await answer.json()).signed_in, false);
  assert.deepEqual(unexpected(faults, /^401 for .*\/api\/auth\/sign-in$/), []);
  await page.context().close();
});

test(
  'a session that is ended elsewhere is out without loading anew',
  { timeout: 120_000 },
  async () => {
    const first = await signedIn(browser, viewer, '/saved');
    await first.page.getByRole('heading', { name: 'Save workers' }).waitFor();
    const second = await signedIn(browser, viewer, '/account');
    await second.page.getByRole('button', { name: 'End all others' }).click();
    await first.page.getByText('Your miners on one page').waitFor();
    assert.deepEqual(second.faults, []);
    assert.deepEqual(unexpected(first.faults, /^401 for /), []);
    await Promise.all([first.page.context().close(), second.page.context().close()]);
  },
);

test('signing in leads to no other site', { timeout: 180_000 }, async () => {
  const { host } = serverURL();
  for (const to of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example/',
    '/\t/evil.example',
    'javascript:window.hacked=1',
    `//${host}@evil.example`,
    '/.//evil.example',
  ]) {
    const { page, faults } = await open(browser, {
      path: `/sign-in?${new URLSearchParams({ return_to: to })}`,
    });
    await page.context().addCookies([...(await cookiesOf(viewer))]);
    await page.reload();
    await page.waitForURL((url) => url.pathname === '/');
    assert.equal(new URL(page.url()).host, host, to);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.deepEqual(faults, [], to);
    await page.context().close();
  }
});

const jars = new Map();

/** The cookies of somebody who has signed in once. */
async function cookiesOf(who) {
  if (!jars.has(who)) {
    const { page } = await signedIn(browser, who);
    jars.set(who, await page.context().cookies());
    await page.context().close();
  }
  return jars.get(who);
}

/** A page of somebody who is signed in. */
const as = async (who, path) =>
  open(browser, { path, storageState: { cookies: await cookiesOf(who), origins: [] } });

test('a viewer is told kindly that the administration is for operators', async () => {
  const pool = house.keep(await startLockedPool());
  const ada = await makeAccount('ada', 'viewer', pool.data);
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(40_000);
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.stack));
  await page.goto(`${pool.url}/sign-in?return_to=/saved`);
  await fillSignIn(page, ada);
  await page.getByRole('button', { name: 'Account: ada' }).click();
  await page.getByRole('link', { name: 'Alerts', exact: true }).first().waitFor();
  assert.equal(await page.locator('a[href^="/admin"]').count(), 0);
  for (const path of ['/admin', '/admin/miners', '/admin/settings', '/admin/audit']) {
    await page.goto(pool.url + path);
    await page.getByText('You are signed in as ada, who is no operator.').waitFor();
    assert.equal((await page.request.get(`${pool.url}/api/admin/miners`)).status(), 403);
  }
  assert.deepEqual(await accessibilityFaults(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});

test(
  'who is no operator any more loses the administration in an open page',
  { timeout: 180_000 },
  async () => {
    const pool = house.keep(await startLockedPool());
    const eve = await makeAccount('eve', 'operator', pool.data);
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    // This page asks for nothing that only operators may: nothing refuses it.
    await page.goto(`${pool.url}/sign-in?return_to=/blocks`);
    await fillSignIn(page, eve);
    await page.waitForURL((url) => url.pathname === '/blocks');
    await page.evaluate(() => (window.notLoadedAnew = true));
    const administration = page.locator('a[href^="/admin"]');
    await page.getByRole('button', { name: 'Account: eve' }).click();
    await administration.filter({ visible: true }).first().waitFor();
    // Another role ends the sessions: nobody is signed in there any more.
    await changeAccount(['role', 'eve', 'viewer'], pool.data);
    await page.getByRole('link', { name: 'Sign in', exact: true }).waitFor();
    assert.equal(await administration.count(), 0);
    assert.equal(await page.evaluate(() => window.notLoadedAnew), true);

    // A page of the administration is closed to whoever is disabled while it is open.
    await changeAccount(['role', 'eve', 'operator'], pool.data);
    await page.goto(`${pool.url}/sign-in?return_to=/admin/accounts`);
    await fillSignIn(page, eve);
    await page.getByRole('row').filter({ hasText: 'eve' }).first().waitFor();
    await changeAccount(['disable', 'eve'], pool.data);
    await page.getByRole('heading', { name: 'For operators' }).waitFor();
    assert.equal(await page.getByRole('row').count(), 0);
    await context.close();
  },
);

test('a worker is saved by its star, watched and removed', { timeout: 120_000 }, async () => {
  const { page, faults } = await as(viewer, '/workers');
  const { workers } = await api('/api/workers');
  const { id, name } = workers.find((w) => w.online && w.accepted > 2);
  await page.goto(new URL(`/workers/${id}`, serverURL()).href);
  // Who is signed in as a viewer sees what the public does, and gives the whole name.
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const whole = page.getByRole('dialog', { name: 'Save this worker' });
  await whole.getByLabel(/^Full name/).fill(name);
  await whole.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Saved', exact: true }).waitFor();

  await page.goto(new URL('/saved', serverURL()).href);
  const row = page.getByRole('row').filter({ hasText: name.slice(-6) });
  await row.getByText('Online').waitFor();
  await row.getByRole('img', { name: /^The last 24 hours/ }).waitFor();
  const tell = row.getByRole('switch', { name: `Tell me about ${name}` });
  const before = await tell.getAttribute('aria-checked');
  await tell.click();
  await until(async () => {
    const { online_workers: online } = await asked(page, '/api/saved-workers');
    return String(online.find((w) => w.name === name)?.notify_enabled) !== before;
  }, 'a changed switch');
  await page.reload();
  assert.notEqual(await tell.getAttribute('aria-checked'), before);

  await row.getByRole('button', { name: `Details of ${name}` }).click();
  const details = page.getByRole('dialog').filter({ hasText: 'Is it yours?' });
  await details.getByText('Best share ever').waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);
  await details.getByRole('button', { name: 'Remove' }).click();
  await page
    .getByRole('dialog', { name: 'Remove this worker from your list?' })
    .getByRole('button', { name: 'Remove' })
    .click();
  await page.getByText('No worker saved yet').waitFor();
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('a worker is proven to be one’s own, and steered', { timeout: 240_000 }, async () => {
  const name = `${address}.own${process.pid}`;
  const { page, faults } = await as(viewer, '/saved');
  await page.getByLabel('Full name of the worker').fill(name);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: `Details of ${name}` }).click();
  const dialog = page.getByRole('dialog').filter({ hasText: name });
  await dialog.getByRole('button', { name: 'Prove that it is mine' }).click();
  const code = await dialog.getByTestId('claim-code').innerText();
  await dialog.getByText('Waiting for the miner…').waitFor();

  // Another one's worker with the code proves nothing about this one.
  const other = house.keep(await startMiner(`${address}.other${process.pid}`, code));
  await until(() => other.lines.some((line) => /work|job|connected|signed/i.test(line)), 'work');
  await other.stop();
  const miner = house.keep(await startMiner(name, code));
  await dialog.getByText('Yours to steer').waitFor();
  await dialog.getByText('Yours', { exact: true }).waitFor();

  const connections = async () => {
    const { online_workers: online } = await asked(page, '/api/saved-workers');
    return online.filter((w) => w.name === name).map((w) => w.connection_seq);
  };
  const [seq] = await until(async () => {
    const all = await connections();
    return all.length === 1 && all;
  }, 'one connection');
  await dialog.getByRole('button', { name: 'Restart its connection' }).click();
  await page
    .getByRole('dialog', { name: 'Restart its connection?' })
    .getByRole('button', { name: 'Restart', exact: true })
    .click();
  await until(async () => {
    const all = await connections();
    return all.length === 1 && all[0] !== seq;
  }, 'another connection of the same miner');

  await dialog.getByLabel(/^Difficulty/).fill('0.0003');
  await dialog.getByRole('button', { name: 'Set', exact: true }).click();
  await dialog.getByText(/^Its difficulty is/).waitFor();
  await dialog.getByText(/ordered: /).waitFor();
  await until(async () => {
    const { workers } = await api('/api/workers');
    return workers.find((w) => w.name === name)?.difficulty === 0.0003;
  }, 'the difficulty that was ordered');
  await dialog.getByRole('button', { name: 'Automatic' }).click();
  await dialog.getByText('The pool chooses its difficulty again.').waitFor();

  await dialog.getByRole('button', { name: 'Show its wire' }).click();
  await dialog
    .getByText(/mining\.(submit|notify|set_difficulty)/)
    .first()
    .waitFor();
  assert.deepEqual(await accessibilityFaults(page), []);
  assert.deepEqual(faults, []);
  await miner.stop();
  await page.context().close();
});

test(
  'alerts: a webhook is tried, signed and told; its secrets are never shown',
  {
    timeout: 240_000,
  },
  async () => {
    const sink = house.keep(await startSink());
    const secret = `secret-${process.pid}`;
    const { page, faults } = await as(operator, '/alerts');
    const answers = [];
    page.on('response', (r) => {
      if (r.url().includes('/api/alerts')) answers.push(r.text().catch(() => ''));
    });
    await page.getByRole('button', { name: 'Add a channel' }).click();
    const add = page.getByRole('dialog', { name: 'Add a channel' });
    await add.getByLabel('Kind').selectOption({ label: 'Webhook' });
    await add.getByLabel('Name', { exact: true }).fill('my program');
    await add.getByLabel('URL').fill(sink.url);
    await add.getByLabel(/^Secret/).fill(secret);
    assert.deepEqual(await accessibilityFaults(page), []);
    await add.getByRole('button', { name: 'Add', exact: true }).click();
    await add.waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Test my program' }).click();
    await page.getByText('It arrived.').waitFor();
    const [tried] = sink.received;
    const stamp = tried.headers['x-poolscope-timestamp'];
    assert.ok(Math.abs(Number(stamp) - Date.now() / 1000) < 300, stamp);
    const expected = createHmac('sha256', secret).update(`${stamp}.${tried.body}`).digest('hex');
    assert.equal(tried.headers['x-poolscope-signature'], `sha256=${expected}`);

    await page.getByRole('button', { name: 'Add a rule' }).click();
    const rule = page.getByRole('dialog', { name: 'Add a rule' });
    await rule.getByLabel('Name', { exact: true }).fill('blocks');
    await rule.getByText('The whole pool').click();
    for (const box of await rule
      .getByRole('group', { name: 'Tell me when' })
      .getByRole('checkbox')
      .all()) {
      await box.uncheck();
    }
    await rule.getByLabel('A block was found').check();
    assert.deepEqual(await accessibilityFaults(page), []);
    await rule.getByRole('button', { name: 'Add', exact: true }).click();
    await rule.waitFor({ state: 'detached' });
    // The demo finds one every few seconds.
    const told = await until(
      () =>
        sink.received
          .flatMap((r) => JSON.parse(r.body).events)
          .find((event) => event.kind === 'block_found'),
      'a block told',
    );
    assert.match(told.text, /^Block found: height \d+/);
    await page.getByRole('row').filter({ hasText: 'A block was found' }).first().waitFor();

    await page.getByRole('button', { name: 'Edit my program' }).click();
    const edit = page.getByRole('dialog', { name: 'Change the channel' });
    assert.equal(await edit.getByLabel('URL').inputValue(), '');
    assert.equal(await edit.getByLabel(/^Secret/).inputValue(), '');
    await edit.getByRole('button', { name: 'Cancel' }).click();
    for (const text of [await page.content(), ...(await Promise.all(answers))]) {
      assert.ok(!text.includes(secret), 'the secret is in an answer');
      assert.ok(!text.includes(sink.url), 'the address is in an answer');
    }

    await page.getByRole('button', { name: 'Delete blocks' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No rule yet').waitFor();
    await page.getByRole('button', { name: 'Delete my program' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No channel yet').waitFor();
    assert.deepEqual(faults, []);
    await page.context().close();
  },
);
