// Poolscope by keyboard alone, in a real browser against a running
// `poolscope demo`; see overview.test.mjs. Nothing here touches a mouse.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, copied, launch, open, serverURL, until } from './browser.mjs';

let browser;

before(async () => {
  serverURL();
  browser = await launch();
});

after(() => browser?.close());

/** Presses Tab until what has the focus is called `name`. */
async function tabTo(page, name, role) {
  const target = page.getByRole(role, { name, exact: typeof name === 'string' }).first();
  await target.waitFor();
  for (let stops = 0; stops < 150; stops++) {
    if (await target.evaluate((e) => e === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not reach the ${role} ${name}`);
}

/** The page whose heading this is; its address is what the reader was taken to. */
async function arrived(page, title) {
  await page.getByRole('heading', { name: title, level: 1 }).waitFor();
}

test('from page to page, to a worker, to a message', { timeout: 180_000 }, async () => {
  await until(
    async () => (await api('/api/workers')).workers.some((w) => w.online && w.accepted > 0),
    'a worker',
  );
  const { page, faults } = await open(browser, {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  // Past the navigation at once.
  await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.id === 'main');

  await page.reload();
  await tabTo(page, 'Workers', 'link');
  await page.keyboard.press('Enter');
  await arrived(page, 'Workers');
  await tabTo(page, 'Search workers', 'searchbox');
  await page.keyboard.type('miner1');
  await page.keyboard.press('ArrowDown'); // into the list
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await arrived(page, 'miner1');

  // The palette, from wherever one is.
  const palette = page.getByRole('dialog', { name: 'Search and commands' });
  await page.keyboard.press('Control+k');
  await palette.getByRole('combobox').waitFor();
  await page.keyboard.type('messages');
  await palette
    .getByRole('option', { name: /Messages/ })
    .first()
    .waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/scope/messages');
  await page.getByTestId('feed-phase').getByText('Live', { exact: true }).waitFor();
  await page.locator('[data-seq]').first().waitFor();

  await page.getByRole('grid').focus();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  const detail = page.getByTestId('message-detail');
  await detail.waitFor();
  await page.keyboard.press('Escape');
  await detail.waitFor({ state: 'detached' });
  assert.equal(
    await page.evaluate(() => document.activeElement.getAttribute('role')),
    'grid',
    'the focus is back in the table',
  );
  await page.keyboard.press('Control+c');
  const [header, ...rows] = await copied(page);
  assert.ok(header.includes('Method') && rows.length > 0, header.join());

  await page.keyboard.press('Control+k');
  await palette.getByRole('combobox').waitFor();
  await page.keyboard.press('Escape');
  await palette.waitFor({ state: 'hidden' });
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('the palette finds workers and sessions', { timeout: 120_000 }, async () => {
  const { page, faults } = await open(browser, { path: '/scope/alarms' });
  await arrived(page, 'Alarms');
  const palette = page.getByRole('dialog', { name: 'Search and commands' });
  const find = async (words, option) => {
    await page.keyboard.press('Control+k');
    await palette.getByRole('combobox').fill(words);
    await palette.getByRole('option', { name: option, selected: true }).waitFor();
    await page.keyboard.press('Enter');
  };
  await find('miner1', /miner1.*Worker/);
  await page.waitForURL(/\/workers\/[0-9a-f]{16}$/);
  await arrived(page, 'miner1');
  const session = (await api('/api/sessions')).find((s) => s.live);
  await find(session.session_id.slice(0, 8), /Session/);
  await page.waitForURL(`**/scope/sessions/${session.session_id}`);
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('the focus is seen wherever it goes, on every page', { timeout: 240_000 }, async () => {
  const { page, faults } = await open(browser);
  const bar = page.getByRole('navigation', { name: 'Pages' });
  const paths = await bar
    .getByRole('link')
    .evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  const unseen = [];
  for (const path of paths) {
    await page.goto(new URL(path, serverURL()).href);
    await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
    await page.waitForFunction(() => !document.querySelector('main [aria-busy=true]'));
    let around = false;
    for (let stops = 0; stops < 60 && !around; stops++) {
      await page.keyboard.press('Tab');
      const { end, seen, what } = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === document.body) return { end: true, seen: true };
        // A ring around it, or around the label that stands for it.
        const ringed = (e) => {
          const style = getComputedStyle(e);
          return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
        };
        const label = element.closest('label');
        // The button inside of a date's field has the browser's own ring.
        const date = element.matches('[type=datetime-local]');
        const seen = date || ringed(element) || (label !== null && ringed(label));
        const name = element.getAttribute('aria-label') ?? element.textContent.slice(0, 40);
        return { end: false, seen, what: `${element.tagName} ${name}` };
      });
      if (!seen) unseen.push(`${path}: ${what}`);
      around = end;
    }
  }
  assert.deepEqual(unseen, []);
  assert.deepEqual(faults, []);
  await page.context().close();
});
