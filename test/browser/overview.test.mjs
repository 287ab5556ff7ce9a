// The overview in a real browser, against a running `poolscope demo`:
//
//   POOLSCOPE_URL=http://127.0.0.1:8000 npm --prefix ui run test:browser
//
// POOLSCOPE_BLOCK_TIMEOUT (seconds, default 120) bounds the wait for a block.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, hashrateShown, launch, open, serverURL } from './browser.mjs';

const blockTimeout = Number(process.env.POOLSCOPE_BLOCK_TIMEOUT ?? 120) * 1000;
const hashrateTimeout = 90_000;

let browser;

before(async () => {
  serverURL();
  browser = await launch();
});

after(() => browser?.close());

/** The heights in the table of found blocks, newest first. */
function heights(page) {
  return page
    .locator('[data-testid=blocks] tbody td:first-child')
    .allInnerTexts()
    .then((texts) => texts.map((t) => Number(t.replace(/\D/g, ''))));
}

/** The shortened hashes in the table of found blocks, newest first. */
function hashes(page) {
  return page
    .locator('[data-testid=blocks] tbody tr')
    .allInnerTexts()
    .then((rows) => rows.map((row) => row.match(/\.\.\.[0-9a-f]{16}/)[0]));
}

test('loads, shows a hashrate, and talks to nobody else', async (t) => {
  const { page, faults } = await open(browser);
  await page.getByTestId('live').getByText('Live', { exact: true }).waitFor();
  const hashrate = await hashrateShown(page, hashrateTimeout);
  assert.ok(hashrate > 0);

  // A second visit, with the pool at work: how long until there is something to read?
  await page.reload();
  await hashrateShown(page);
  await page.waitForFunction(() => window.usableAt !== undefined);
  const { usable, script, shift } = await page.evaluate(() => ({
    usable: Math.round(window.usableAt),
    script: performance
      .getEntriesByType('resource')
      .filter((e) => e.name.endsWith('.js'))
      .reduce((sum, e) => sum + e.encodedBodySize, 0),
    shift: window.layoutShift,
  }));
  t.diagnostic(`hashrate shown ${usable} ms after navigation; ${script} bytes of JavaScript`);
  assert.ok(script > 0 && script < 200_000, `${script} bytes of compressed JavaScript`);
  assert.ok(shift < 0.05, `layout shift of ${shift}`);

  const text = await page.locator('main').innerText();
  assert.doesNotMatch(text, /NaN|undefined|null|\[object|Infinity/);
  const { stratum } = await api('/api/status');
  assert.ok(stratum.length > 0);
  for (const { url } of stratum) {
    assert.ok(text.includes(url.slice(url.lastIndexOf(':'))), `${url} is not on the page`);
  }
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('a block appears without a reload', { timeout: blockTimeout + 60_000 }, async (t) => {
  const { page, faults } = await open(browser);
  await hashrateShown(page, hashrateTimeout);
  await page.evaluate(() => (window.sameDocument = true));
  const earlier = (await api('/api/blocks?limit=1'))[0]?.height ?? -1;

  const started = performance.now();
  await page.waitForFunction(
    (height) => {
      const cell = document.querySelector('[data-testid=blocks] tbody td:first-child');
      return cell !== null && Number(cell.textContent.replace(/\D/g, '')) > height;
    },
    earlier,
    { timeout: blockTimeout },
  );
  t.diagnostic(`a block after ${Math.round((performance.now() - started) / 1000)} s`);

  assert.equal(await page.evaluate(() => window.sameDocument), true, 'the page was reloaded');
  const [newest] = await heights(page);
  const known = await api('/api/blocks?limit=100');
  assert.ok(
    known.some((b) => b.height === newest),
    `the API knows nothing of block ${newest}`,
  );
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('a cut WebSocket comes back by itself', async () => {
  const routes = [];
  let refuse = false;
  const { page, faults } = await open(browser, {
    onSocket: (route) => {
      if (refuse) {
        void route.close();
        return;
      }
      routes.push(route);
      route.connectToServer();
    },
  });
  const badge = page.getByTestId('live');
  await badge.getByText('Live', { exact: true }).waitFor();
  await hashrateShown(page, hashrateTimeout);

  // Cut it, and let nothing through for a while.
  refuse = true;
  await routes[0].close();
  await badge.getByText('Reconnecting').waitFor();
  await page.getByText('The live connection was lost.').waitFor();
  // The figures go on by polling.
  await page.waitForResponse((r) => r.url().includes('/api/blocks') && r.ok());

  refuse = false;
  await badge.getByText('Live', { exact: true }).waitFor();
  assert.equal(routes.length, 2, 'one new connection');
  await page.getByText('The live connection was lost.').waitFor({ state: 'detached' });

  // Nothing lost, nothing twice. Two blocks may share a height, never a hash.
  const shown = await hashes(page);
  assert.equal(new Set(shown).size, shown.length, `a block is listed twice: ${shown}`);
  const known = (await api('/api/blocks?limit=100')).map((b) => b.display_hash);
  for (const hash of shown) assert.ok(known.includes(hash), `${hash} is not in ${known}`);
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('works by keyboard, sorts, and remembers the theme', async () => {
  const { page, faults } = await open(browser, { colorScheme: 'dark' });
  await hashrateShown(page, hashrateTimeout);

  await page.keyboard.press('Tab');
  assert.equal(
    await page.evaluate(() => document.activeElement.textContent),
    'Skip to the content',
  );

  const header = page.getByRole('columnheader', { name: 'Accepted' });
  await header.getByRole('button').focus();
  await page.keyboard.press('Enter');
  assert.equal(await header.getAttribute('aria-sort'), 'descending');
  await page.keyboard.press('Enter');
  assert.equal(await header.getAttribute('aria-sort'), 'ascending');

  const chart = page.getByRole('slider', { name: /Hashrate chart/ });
  await chart.focus();
  await page.keyboard.press('Home');
  assert.equal(await chart.getAttribute('aria-valuenow'), '0');
  assert.match(await chart.getAttribute('aria-valuetext'), /H\/s|not measured/);

  const background = () =>
    page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await background();
  await page.getByRole('button', { name: /^Theme/ }).click();
  const light = await background();
  assert.notEqual(light, dark);
  await page.reload();
  assert.equal(await background(), light, 'the theme is forgotten by a reload');
  assert.deepEqual(faults, []);
  await page.context().close();
});
