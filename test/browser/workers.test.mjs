// The workers in a real browser, against a running `poolscope demo`; see
// overview.test.mjs.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { api, copied, launch, open, serverURL, until } from './browser.mjs';

let browser;
let worker; // a row of /api/workers: online, with shares

before(async () => {
  serverURL();
  browser = await launch();
  worker = await until(
    async () => (await api('/api/workers')).workers.find((w) => w.online && w.accepted > 3),
    'a worker with accepted shares',
  );
});

after(() => browser?.close());

const list = (page) => page.getByRole('grid', { name: /^Workers\./ });

/** The rig of `ADDRESS.rig`. */
const rigOf = (name) => name.slice(name.indexOf('.') + 1);

test('a worker is found by searching, and its chart has points', { timeout: 300_000 }, async () => {
  const { page, faults } = await open(browser, { path: '/workers' });
  const search = page.getByRole('searchbox', { name: 'Search workers' });
  await search.fill('nobody is called this');
  await page.getByText('No worker is like that').waitFor();
  await search.fill(rigOf(worker.name));
  const row = list(page)
    .getByRole('row')
    .filter({ hasText: rigOf(worker.name) });
  await row.first().waitFor();
  assert.equal(await list(page).getAttribute('aria-rowcount'), '2', 'it and the header');
  await row.getByRole('link').click();

  await page.getByRole('heading', { name: rigOf(worker.name), level: 1 }).waitFor();
  await page.waitForURL(`**/workers/${worker.id}`);
  // The figure is not old: the pool's books had it a moment ago, or have it now.
  const hashrate = page.getByTestId('worker-hashrate');
  await until(async () => {
    const shown = Number(await hashrate.getAttribute('data-hashrate'));
    return shown > 0 && shown === (await api(`/api/workers/${worker.id}`)).hashrate;
  }, 'the hashrate of the API on the page');

  // The first point is drawn when the books have a minute of it.
  const chart = page.getByRole('slider', { name: /Hashrate chart/ });
  await chart.waitFor({ timeout: 240_000 });
  await chart.focus();
  await page.keyboard.press('End');
  await page.waitForFunction(
    (e) => /[1-9][\d.,]* [kMGT]?H\/s/.test(e.getAttribute('aria-valuetext')),
    await chart.elementHandle(),
  );
  const { points } = await api(`/api/workers/${worker.id}/history?range=24h`);
  assert.ok(points.some((p) => p.hashrate > 0));
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('its coinbase is verified in the browser, and a wrong one is not', async () => {
  const { page, faults } = await open(browser, { path: `/workers/${worker.id}` });
  const verdict = page.getByTestId('verdict');
  await verdict.getByText(/^Pays you [\d.,]+ BTC: verified in this browser$/).waitFor();
  assert.ok((await verdict.innerText()).includes(worker.name.split('.')[0]), 'to whom');
  const panel = page.getByRole('region', { name: 'What a block would pay' });
  assert.doesNotMatch(await panel.innerText(), /FAILED|NaN|undefined/);
  // Somebody else's address gets nothing.
  await panel.getByRole('button', { name: 'Type mine instead' }).click();
  const field = panel.getByLabel('Checked against');
  await field.fill('bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080');
  await verdict.getByText('Not verified').waitFor();
  await panel.getByRole('button', { name: 'The worker’s own' }).click();
  await verdict.getByText('verified in this browser').waitFor();

  // A server that lies: the reward goes elsewhere, whatever it says beside it.
  await page.route(`**/api/workers/${worker.id}`, async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    const { tx, payout_script: script } = answer.coinbase;
    const other = script.slice(0, -2) + (script.endsWith('00') ? '01' : '00');
    answer.coinbase.tx = tx.replace(script, other);
    await route.fulfill({ response, json: answer });
  });
  await page.reload();
  await verdict.getByText('Not verified').waitFor();
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('its owner finds it by the full name, which is not sent', async () => {
  const { page, faults } = await open(browser, { path: '/workers' });
  const asked = [];
  page.on('request', (request) => asked.push(`${request.url()} ${request.postData() ?? ''}`));
  await page.getByLabel('Find my worker').fill(worker.name);
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  const key = createHash('sha256').update(worker.name).digest('hex');
  await page.waitForURL(`**/workers/${key}`);
  await page.getByTestId('worker-name').getByText(worker.name, { exact: true }).waitFor();
  await page.getByTestId('verdict').getByText('verified in this browser').waitFor();
  assert.ok(asked.some((request) => request.includes(key)));
  const [address] = worker.name.split('.');
  assert.deepEqual(
    asked.filter((request) => request.includes(address)),
    [],
  );

  await page.goto(new URL('/workers/0000000000000000', serverURL()).href);
  await page.getByText('No such worker').waitFor();
  assert.deepEqual(
    faults.filter((f) => !f.includes('404')),
    [],
  );
  await page.context().close();
});

test('10,000 workers scroll, sort, are searched and copied', { timeout: 240_000 }, async (t) => {
  const crowd = Array.from({ length: 10_000 }, (_, i) => ({
    ...worker,
    id: i.toString(16).padStart(16, '0'),
    name: `${worker.name.split('.')[0]}.rig${i}`,
    hashrate: ((i * 7919) % 10_000) * 1e9 + 1e9,
    accepted: i,
  }));
  const answer = JSON.stringify({
    ...(await api('/api/workers')),
    total: crowd.length,
    online: crowd.length,
    workers: crowd,
  });
  const { page, faults } = await open(browser, {
    path: '/',
    permissions: ['clipboard-read', 'clipboard-write'],
    viewport: { width: 1440, height: 6000 },
  });
  await page.route(/\/api\/workers(\?|$)/, (route) =>
    route.fulfill({ contentType: 'application/json', body: answer }),
  );
  await page.getByRole('link', { name: 'Workers', exact: true }).click();
  const grid = list(page);
  await grid.waitFor();
  assert.equal(await grid.getAttribute('aria-rowcount'), '10001');

  // From the top to the end: every row is drawn once, few at a time.
  const { ids, most, frames } = await grid.evaluate(async (element) => {
    const ids = new Set();
    const frames = [];
    let most = 0;
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const edge = element.getBoundingClientRect();
    for (let top = 0; top < element.scrollHeight; top += element.clientHeight - 80) {
      element.scrollTop = top;
      const began = performance.now();
      let rows = [];
      for (let tries = 0; tries < 120; tries++) {
        await frame();
        rows = [...element.querySelectorAll('[data-index]')];
        const last = rows.at(-1)?.getBoundingClientRect().bottom ?? -Infinity;
        const first = rows[0]?.getBoundingClientRect().top ?? Infinity;
        if (first < edge.top + 80 && last > edge.bottom - 20) break;
      }
      frames.push(performance.now() - began);
      most = Math.max(most, rows.length);
      for (const row of rows) ids.add(row.id);
    }
    return { ids: ids.size, most, frames: frames.sort((a, b) => a - b) };
  });
  assert.equal(ids, 10_000, 'rows that were seen');
  assert.ok(most < 200, `${most} rows are in the document at once`);
  t.diagnostic(
    `${frames.length} screens of rows, each drawn after ${Math.round(frames[frames.length >> 1])} ms ` +
      `(median; ${Math.round(frames.at(-1))} ms at most)`,
  );

  // The largest and the smallest first.
  const header = grid.getByRole('columnheader', { name: 'Hashrate' });
  const top = async () => grid.locator('[data-index="0"]').innerText();
  await grid.focus();
  await page.keyboard.press('Home');
  const sorted = async (direction) => {
    while ((await header.getAttribute('aria-sort')) !== direction) {
      await header.getByRole('button').click();
    }
    const best = crowd.reduce((a, b) =>
      a.hashrate > b.hashrate === (direction === 'descending') ? a : b,
    );
    const rig = new RegExp(`\\b${rigOf(best.name)}\\b`);
    await until(async () => rig.test(await top()), `${best.name} on top, ${direction}`);
  };
  await sorted('descending');
  await sorted('ascending');

  // What is copied is what is shown, with full figures.
  const search = page.getByRole('searchbox', { name: 'Search workers' });
  await search.fill('rig99');
  await page.getByText('111 of 10,000').waitFor();
  await page.getByRole('button', { name: 'Copy as TSV: workers shown' }).click();
  const [names, ...rows] = await copied(page);
  const wanted = crowd.filter((w) => rigOf(w.name).startsWith('rig99'));
  assert.equal(rows.length, wanted.length);
  const column = (name) => names.indexOf(name);
  assert.deepEqual(
    rows.map((r) => [r[column('Worker')], Number(r[column('Hashrate (H/s)')])]).sort(),
    wanted.map((w) => [w.name, w.hashrate]).sort(),
  );
  assert.deepEqual(faults, []);
  await page.context().close();
});
