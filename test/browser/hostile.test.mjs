// Script in every text that somebody else chooses and a page shows: names of
// workers, miners and browsers, notes, reasons of bans, channels, rules, lines of
// the log. None of it may run, on any page; see scope.test.mjs for how to run it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, serverURL, until } from './browser.mjs';
import { asked, household, makeAccount, ports, saveWorker, signedIn } from './people.mjs';
import { address, Miner } from './stratum.mjs';

const IMAGE = '<img src=x onerror=window.hacked=1>';
const SCRIPT = '"><script>window.hacked=1</script>';
const TURNED = '\u202egnp.exe\u2066';

let house;
let page;
let faults;

before(async () => {
  serverURL();
  house = await household();
});

after(() => house?.stop());

const send = (method, path, data) => asked(page, path, { method, data });

/** Goes to a page and waits until it shows `text`. */
async function shown(path, text) {
  await page.goto(new URL(path, serverURL()).href);
  await page.getByText(text).filter({ visible: true }).first().waitFor();
  await harmless(path);
}

/** What a text must not have done to the page that is open. */
async function harmless(where) {
  const found = await page.evaluate(() => ({
    hacked: window.hacked,
    images: document.querySelectorAll('main img, dialog img').length,
    turned: [...document.body.innerText.matchAll(/.*\u202e.*/g)].map(([line]) => line),
  }));
  assert.deepEqual(found, { hacked: undefined, images: 0, turned: [] }, where);
}

test('no text that others choose runs in a page', { timeout: 240_000 }, async () => {
  const who = await makeAccount(`target${process.pid}`, 'operator');
  // What is chosen here is what the list of sessions shows of a browser.
  ({ page, faults } = await signedIn(house.browser, who, '/account', {
    userAgent: `Mozilla/5.0 ${IMAGE}${SCRIPT}`,
  }));
  await send('POST', '/api/auth/confirm', { password: who.password });
  await send('PUT', '/api/admin/logs/level', { level: 'debug', minutes: 5 });

  const worker = `${address}.${IMAGE}${process.pid}`;
  const { stratum, scope } = await ports();
  const port = (listen) => Number(new URL(`http://${listen}`).port);
  const agent = `${SCRIPT}${TURNED}`;
  const miner = await Miner.start(port(stratum), worker, agent);
  house.keep({ stop: () => miner.close() });
  const { result } = await miner.request('mining.submit', await miner.share());
  assert.equal(result, true);
  const watched = await Miner.start(port(scope), worker, agent);
  house.keep({ stop: () => watched.close() });

  const { hash } = await saveWorker(page, worker);
  await send('PUT', `/api/admin/notes/${hash}`, { note: `${IMAGE}${TURNED}` });
  await send('POST', '/api/bans', {
    address: '203.0.113.77',
    duration_sec: 600,
    reason: `${IMAGE}${TURNED}`,
  });
  const channel = await send('POST', '/api/alerts/channels', {
    kind: 'webhook',
    name: IMAGE,
    settings: { webhook: `http://127.0.0.1:9/${SCRIPT}` },
  });
  const tried = await page.request.post(
    new URL(`/api/alerts/channels/${channel.id}/test`, serverURL()).href,
  );
  assert.equal(tried.status(), 502);
  const rule = await send('POST', '/api/alerts/rules', {
    name: SCRIPT,
    scope: 'saved',
    events: ['worker_offline'],
    workers: [hash],
    channels: [channel.id],
  });
  for (const account of [
    { name: IMAGE },
    { name: `guest${process.pid}`, email: '"<img/src=x/onerror=window.hacked=1>"@pool.example' },
  ]) {
    const refused = await page.request.post(new URL('/api/admin/accounts', serverURL()).href, {
      data: { role: 'viewer', ...account },
    });
    assert.equal(refused.status(), 400, JSON.stringify(account));
  }
  const listed = await until(
    async () => (await api('/api/workers')).workers.find((w) => w.name === worker),
    'the worker in the list',
  );

  await shown('/', 'onerror');
  await shown('/workers', 'onerror');
  await shown(`/workers/${listed.id}`, 'onerror');
  await shown('/bans', 'onerror');
  await shown('/scope/sessions', 'onerror');
  await shown('/account', 'This one');
  await shown('/saved', 'onerror');
  await page.getByRole('button', { name: `Details of ${worker}` }).click();
  await page.getByText('Is it yours?').waitFor();
  await harmless('/saved, details');
  await shown('/alerts', '<script>');
  await page.getByRole('button', { name: /^Edit "><script>/ }).click();
  await page
    .getByRole('dialog', { name: 'Change the rule' })
    .getByText('onerror')
    .first()
    .waitFor();
  await harmless('/alerts, a rule');
  await shown('/admin', 'State');
  await shown('/admin/miners', 'onerror');
  await page.getByRole('searchbox', { name: 'Search connections' }).fill(String(process.pid));
  const row = page.getByRole('row').filter({ hasText: '<script>' }).first();
  await row.getByRole('button', { name: /^Disconnect/ }).click();
  await page.getByRole('dialog', { name: 'Disconnect this miner?' }).getByText('onerror').waitFor();
  await harmless('/admin/miners, a dialog');
  await shown('/admin/logs', 'onerror');
  await page.getByText('onerror').first().click();
  await harmless('/admin/logs, a line');
  await shown('/admin/audit', 'onerror');
  assert.deepEqual(faults, []);

  for (const path of [
    `/api/alerts/rules/${rule.id}`,
    `/api/alerts/channels/${channel.id}`,
    '/api/bans/203.0.113.77',
  ]) {
    const gone = await page.request.delete(new URL(path, serverURL()).href);
    assert.ok(gone.ok(), path);
  }
  await page.context().close();
});
