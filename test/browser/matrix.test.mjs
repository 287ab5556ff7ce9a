// Every page in both themes, on a phone and on a desk, in a real browser
// against a running `poolscope demo`; see scope.test.mjs. The pictures go to
// POOLSCOPE_ARTEFACTS: PAGE-THEME-WIDTH.png.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { accessibilityFaults, api, artefacts, open, serverURL, until } from './browser.mjs';
import { asked, household, makeAccount, saveWorker, signedIn, startMiner } from './people.mjs';
import { address } from './stratum.mjs';

let browser;
let house;

before(async () => {
  serverURL();
  house = await household();
  browser = house.browser;
});

after(() => house?.stop());

/** The pages that the navigation leads to: names for pictures, and addresses. */
async function navigation() {
  const { page } = await open(browser);
  const bar = page.getByRole('navigation', { name: 'Pages' });
  const paths = await bar
    .getByRole('link')
    .evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  await page.context().close();
  return paths.map((path) => [path.slice(1).replaceAll('/', '-') || 'overview', path]);
}

/** The pages that are about one thing: of what the demo has. */
async function inside() {
  const session = await until(
    async () =>
      (await api('/api/sessions?brief=true')).find(
        (s) => s.live && s.origin === 'proxy' && s.brief?.accepted > 2,
      ),
    'a session with shares',
  );
  const id = session.session_id;
  const other = (await api('/api/sessions')).find((s) => s.live && s.session_id !== id);
  const newest = async (method) =>
    (await api(`/api/messages?session_id=${id}&method=${method}&limit=1`))[0].id;
  const { workers } = await api('/api/workers');
  const busy = workers.find((w) => w.online && w.accepted > 2);
  return [
    ['worker', `/workers/${busy.id}`],
    ['scope-session', `/scope/sessions/${id}`],
    ['scope-compare', `/scope/compare?a=${id}&b=${other.session_id}`],
    ['scope-message-share', `/scope/messages?session=${id}&m=${await newest('mining.submit')}`],
    ['scope-message-job', `/scope/messages?session=${id}&m=${await newest('mining.notify')}`],
  ];
}

/**
 * Waits until a page has what it shows: a heading, nothing that is still on its
 * way, two frames for what is drawn.
 */
async function settled(page) {
  await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
  await page.waitForFunction(() => document.querySelector('main [aria-busy=true]') === null);
  await page.evaluate(async () => {
    await document.fonts.ready;
    for (let i = 0; i < 2; i++) await new Promise((done) => requestAnimationFrame(done));
  });
}

/** The pages that only show something to whoever is signed in. */
const PEOPLE = ['/account', '/saved', '/alerts'];
const ADMIN = ['', '/miners', '/accounts', '/settings', '/logs', '/audit', '/backups'];

/** An operator with everything that those pages can show; returns the cookies of the session. */
async function operator() {
  const who = await makeAccount(`matrix${process.pid}`, 'operator');
  const { page } = await signedIn(browser, who);
  const post = (path, data) => asked(page, path, { method: 'POST', data });
  await post('/api/auth/confirm', { password: who.password });

  const { workers } = await asked(page, '/api/workers');
  for (const { name } of workers.slice(0, 4)) await saveWorker(page, name);
  const owned = `${address}.matrix${process.pid}`;
  const { hash } = await saveWorker(page, owned);
  await saveWorker(page, `${address}.never-seen-anywhere-with-a-name-that-is-rather-long`);
  const { code } = await post(`/api/saved-workers/${hash}/claim`, {});
  house.keep(await startMiner(owned, code));
  await until(async () => {
    const list = await asked(page, '/api/saved-workers');
    return list.online_workers.some((w) => w.hash === hash && w.owned);
  }, 'a worker that is owned');

  const channel = await post('/api/alerts/channels', {
    kind: 'webhook',
    name: 'The house’s own program',
    settings: { webhook: 'http://127.0.0.1:9/', secret: 'unseen' },
    quiet: { from: '22:00', to: '07:00', zone: 'Europe/Berlin' },
  });
  await page.request.post(new URL(`/api/alerts/channels/${channel.id}/test`, serverURL()).href);
  await post('/api/alerts/rules', {
    name: 'When one stops',
    scope: 'saved',
    events: ['worker_offline', 'worker_online', 'best_share'],
    channels: [channel.id],
  });
  await post('/api/admin/backups', {});
  await until(
    async () => (await asked(page, '/api/admin/backups')).backups.length > 0,
    'a backup to be seen',
  );
  const cookies = await page.context().cookies();
  await page.context().close();
  return cookies;
}

/** Looks at a page in both themes, on a phone and on a desk, for everything that is wrong. */
async function look(name, page) {
  const wrong = [];
  await settled(page);
  for (const theme of ['light', 'dark']) {
    for (const width of [1440, 360]) {
      const where = `${theme}, ${width} px`;
      await page.emulateMedia({ colorScheme: theme });
      await page.setViewportSize({ width, height: width === 360 ? 780 : 900 });
      await settled(page);
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (beyond > 0) wrong.push(`${where}: ${beyond} px wider than the window`);
      const odd = (await page.locator('main').innerText()).match(
        /NaN|undefined|\[object|Infinity|Invalid Date/,
      );
      if (odd) wrong.push(`${where}: says ${odd[0]}`);
      for (const fault of await accessibilityFaults(page)) wrong.push(`${where}: ${fault}`);
      await page.screenshot({
        path: join(artefacts, `${name}-${theme}-${width}.png`),
        fullPage: true,
      });
    }
  }
  return wrong;
}

test(
  'every page: themes and widths, accessibility, no overflow, no fault; pictures',
  { timeout: 600_000 },
  async (t) => {
    const pages = [...(await navigation()), ...(await inside())];
    assert.ok(pages.length > 14, pages.join('\n'));
    for (const [name, path] of pages) {
      await t.test(name, async () => {
        const { page, faults } = await open(browser, { path, reducedMotion: 'reduce' });
        const wrong = await look(name, page);
        await page.setViewportSize({ width: 3840, height: 2160 });
        await settled(page);
        await page.screenshot({ path: join(artefacts, `${name}-dark-3840.png`) });
        assert.deepEqual([...wrong, ...faults], []);
        await page.context().close();
      });
    }
  },
);

test('every page of people and operators, like the others', { timeout: 600_000 }, async (t) => {
  const cookies = await operator();
  const pages = [
    ['sign-in', '/sign-in', []],
    ...PEOPLE.map((path) => [`signed-in${path.replace('/', '-')}`, path, cookies]),
    ...ADMIN.map((path) => [`signed-in-admin${path.replace('/', '-')}`, `/admin${path}`, cookies]),
  ];
  for (const [name, path, jar] of pages) {
    await t.test(name, async () => {
      const { page, faults } = await open(browser, {
        path,
        reducedMotion: 'reduce',
        storageState: { cookies: jar, origins: [] },
      });
      assert.deepEqual([...(await look(name, page)), ...faults], []);
      await page.context().close();
    });
  }
});
