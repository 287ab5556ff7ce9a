// The description of the API in a real browser, against a running
// `poolscope demo`; see overview.test.mjs.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { artefacts, launch, open, serverURL } from './browser.mjs';

let browser;

before(async () => {
  serverURL();
  browser = await launch();
});

after(() => browser?.close());

test('describes the API and tries it, without another host', async () => {
  // open() counts requests to other hosts and what the security policy refuses.
  const { page, faults } = await open(browser, { path: '/docs' });
  page.setDefaultTimeout(60_000); // Swagger UI takes its time on a busy machine
  await page.locator('.opblock').first().waitFor();
  const described = await page.locator('.opblock').count();
  const { paths } = await (await fetch(new URL('/openapi.json', serverURL()))).json();
  const operations = Object.values(paths).flatMap((path) => Object.keys(path));
  assert.equal(described, operations.length);

  const sessions = page.locator('#operations-sessions-get_api_sessions');
  await sessions.locator('.opblock-summary-control').click();
  await sessions.getByRole('button', { name: 'Try it out' }).click();
  await sessions.getByRole('button', { name: 'Execute' }).click();
  const answer = sessions.locator('.live-responses-table .response-col_status').nth(1);
  await answer.getByText('200').waitFor();
  await page.screenshot({ path: join(artefacts, 'docs.png') });
  assert.deepEqual(faults, []);
  await page.context().close();
});
