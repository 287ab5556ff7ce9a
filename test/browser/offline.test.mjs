// The page while the server is away, in a real browser against a running
// `poolscope demo`; see overview.test.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, serverURL } from './browser.mjs';

let browser;

before(async () => {
  serverURL();
  browser = await launch();
});

after(() => browser?.close());

/** Takes the server away, but for what was loaded; the answer brings it back. */
async function away(page) {
  const gone = (route) => route.abort('connectionrefused');
  await page.route('**/*', gone);
  return () => page.unroute('**/*', gone);
}

test('a page not visited before, while the server is away', { timeout: 120_000 }, async () => {
  const { page } = await open(browser);
  await page.getByTestId('hashrate').waitFor();
  const back = await away(page);
  await page.getByRole('link', { name: 'Blocks', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'The server does not answer' }).waitFor();
  await page.getByRole('button', { name: 'Search and commands' }).waitFor();
  const again = page.locator('main').getByRole('button', { name: 'Try again' });
  await again.click();
  await again.waitFor();
  await back();
  await again.click();
  await page.getByRole('heading', { level: 1, name: 'Blocks' }).waitFor();
  assert.match(page.url(), /\/blocks$/);
  await page.context().close();
});

test('the palette while the server is away', { timeout: 120_000 }, async () => {
  for (const fetched of [true, false]) {
    const { page } = await open(browser, {
      // Without idle time nothing is fetched ahead of its use.
      path: '/blocks',
      usable: 'h1',
      beforeLoad: fetched ? undefined : () => (window.requestIdleCallback = () => 0),
    });
    await page.getByRole('heading', { level: 1, name: 'Blocks' }).waitFor();
    if (fetched) {
      await page.waitForFunction(() =>
        ['Palette', 'ShortcutsDialog'].every((name) =>
          performance.getEntriesByType('resource').some((r) => r.name.includes(`/${name}-`)),
        ),
      );
      await page.waitForLoadState('networkidle').catch(() => undefined);
    }
    const back = await away(page);
    await page.keyboard.press('Control+k');
    const combobox = page.getByRole('combobox', { name: /^Search pages/ });
    if (!fetched) {
      const notice = page.getByRole('dialog', { name: 'Search and commands' });
      await notice.getByText('the server does not answer').waitFor();
      await page.getByRole('heading', { level: 1, name: 'Blocks', includeHidden: true }).waitFor();
      await back();
      await notice.getByRole('button', { name: 'Try again' }).click();
    }
    await combobox.waitFor();
    await page.context().close();
  }
});
