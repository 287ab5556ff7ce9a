// Poolscope by keyboard alone, in a real browser against a running
// `poolscope demo`; see overview.test.mjs. Nothing here touches a mouse.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, serverURL } from './browser.mjs';

let browser;

before(async () => {
  serverURL();
  browser = await launch();
});

after(() => browser?.close());

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
