// The pages of blocks, node, server and bans in a real browser, against a
// running `poolscope demo`; see overview.test.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, copied, launch, open, serverURL, until } from './browser.mjs';

let browser;

before(async () => {
  serverURL();
  browser = await launch();
});

after(() => browser?.close());

/** 5000.5 as the page writes it: 5,000.5. */
const grouped = (n) => n.toLocaleString('en-US');

test('blocks: the API’s list, live, and copied with full figures', async () => {
  const { page, faults } = await open(browser, {
    path: '/blocks',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await page.getByRole('heading', { name: 'Blocks', level: 1 }).waitFor();
  const table = page.getByRole('table', { name: 'Blocks found by this pool' });
  await until(async () => {
    const known = await api('/api/blocks?limit=100');
    const shown = await table
      .locator('tbody tr')
      .evaluateAll((rows) => rows.map((r) => r.innerText));
    return (
      known.length > 0 &&
      shown.length === known.length &&
      known.every((b, i) => shown[i].includes(`#${b.height.toLocaleString('en-US')}`)) &&
      known.every((b, i) => shown[i].includes(b.worker_payout_sats.toLocaleString('en-US')))
    );
  }, 'a list like the API’s');

  await page.getByRole('button', { name: /^Copy as TSV: Blocks/ }).click();
  const [names, ...rows] = await copied(page);
  const known = new Map((await api('/api/blocks?limit=100')).map((b) => [b.hash, b]));
  const [hash, payout] = [names.indexOf('Hash'), names.findIndex((n) => n.startsWith('Payout'))];
  const matched = rows.filter((row) => known.has(row[hash]));
  assert.ok(matched.length > 0, names.join());
  for (const row of matched) {
    assert.equal(Number(row[payout]), known.get(row[hash]).worker_payout_sats);
  }
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('node: the API’s figures', async () => {
  const { page, faults } = await open(browser, { path: '/node' });
  await page.getByRole('heading', { level: 1 }).waitFor();
  const chain = page.getByRole('region', { name: 'Its chain' });
  const node = await until(async () => {
    const answer = await api('/api/node');
    const text = await chain.innerText();
    return (
      answer.node_blocks > 0 &&
      text.includes(grouped(answer.node_blocks)) &&
      text.includes(answer.best_block_hash.slice(-8)) &&
      answer
    );
  }, 'the height of the API on the page');
  const text = await page.locator('main').innerText();
  assert.match(text, /Regtest/i);
  assert.ok(text.includes(node.node_subversion.replaceAll('/', '')), 'its version');
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('server: the API’s figures', async () => {
  const { page, faults } = await open(browser, { path: '/server' });
  await page.getByRole('heading', { level: 1 }).waitFor();
  const main = page.locator('main');
  await until(async () => {
    const [server, status] = await Promise.all([api('/api/server'), api('/api/status')]);
    const text = await main.innerText();
    return (
      text.includes(`${grouped(status.authorized)} signed in`) &&
      text.includes(grouped(server.process_goroutines)) &&
      status.stratum.every(({ url }) => text.includes(url.slice(url.lastIndexOf(':'))))
    );
  }, 'the figures of the API on the page');
  assert.doesNotMatch(await main.innerText(), /NaN|undefined|\[object/);
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('bans: made and lifted', async () => {
  const { page, faults } = await open(browser, { path: '/bans' });
  const address = '203.0.113.7';
  const banned = async () => (await api('/api/bans')).bans.find((ban) => ban.address === address);
  const form = page.getByRole('region', { name: 'Ban an address' });
  const field = form.getByLabel('IP address or network');
  await field.fill('not an address');
  await form.getByRole('button', { name: 'Ban', exact: true }).click();
  await form.getByRole('alert').waitFor();

  await field.fill(address);
  await form.getByRole('combobox', { name: 'Duration' }).selectOption({ value: '86400' });
  await form.getByLabel('Reason').fill('a test of the page');
  await form.getByRole('button', { name: 'Ban', exact: true }).click();
  const row = page
    .getByRole('table', { name: 'Banned addresses and networks' })
    .getByRole('row')
    .filter({ hasText: address });
  await row.getByText('a test of the page').waitFor();
  const ban = await banned();
  assert.equal(ban.manual, true);
  assert.equal(Date.parse(ban.until) - Date.parse(ban.since), 86_400_000);

  await row.getByRole('button', { name: `Lift the ban of ${address}` }).click();
  const sure = page.getByRole('dialog', { name: `Lift the ban of ${address}?` });
  await sure.getByRole('button', { name: 'Cancel' }).click();
  assert.ok(await banned(), 'it was not lifted before it was confirmed');
  await row.getByRole('button', { name: `Lift the ban of ${address}` }).click();
  await sure.getByRole('button', { name: 'Lift the ban' }).click();
  await row.waitFor({ state: 'detached' });
  assert.equal(await banned(), undefined);
  assert.deepEqual(
    faults.filter((f) => !f.includes('400')),
    [],
  );
  await page.context().close();
});
