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
