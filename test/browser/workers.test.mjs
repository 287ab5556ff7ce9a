// The workers in a real browser, against a running `poolscope demo`; see
// overview.test.mjs.
import assert from 'node:assert/strict';
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
