// The fleet's pages in a real browser, against a running `poolscope demo`, which
// has a relay, two agents and a session whose shares are broadcast.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessibilityFaults, api, giveToken, launch, open, token, until } from './browser.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

test('the fleet lives: two agents, figures that go on, an order given and taken back', async () => {
  const { page, faults } = await open(browser, {
    path: '/scope/agents',
    viewport: { width: 390, height: 900 },
  });
  const table = page.getByRole('table', { name: 'Agents' });
  await table.getByRole('link', { name: 'demo-us-west' }).waitFor();
  await table.getByRole('link', { name: 'demo-eu-central' }).waitFor();
  await page.locator('[data-testid=agents-live][data-phase=live]').waitFor();

  const accepted = page.locator('dt:text-is("Accepted") + dd');
  const first = await accepted.textContent();
  await until(async () => (await accepted.textContent()) !== first, 'another accepted share');

  await page.getByLabel('Shares a second, of each').fill('0.5');
  await page.getByRole('button', { name: 'Order', exact: true }).click();
  await giveToken(page);
  await page.getByText('Each agent is to find 0.5/s valid shares.').waitFor();
  assert.equal((await api('/api/fleet')).order.rate, 0.5);
  await page.getByRole('button', { name: 'Take it back' }).click();
  await page.getByText('No order: agents keep to their own flags.').waitFor();
  assert.equal((await api('/api/fleet')).order, undefined);

  assert.deepEqual(await accessibilityFaults(page), []);
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('an agent has charts with what it measured', async () => {
  const { page, faults } = await open(browser, {
    path: '/scope/agents/demo-us-west',
    viewport: { width: 390, height: 900 },
  });
  const latency = page.getByRole('img', { name: /^Submit latency over time/ });
  await until(
    async () => Number(await latency.getAttribute('data-points')) > 1,
    'a chart of latencies with two points',
  );
  assert.deepEqual(await accessibilityFaults(page), []);
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('a session is broadcast and not, by its switch in the list', async () => {
  const { page } = await open(browser, { path: '/scope/sessions' });
  const secret = await token();
  await page.evaluate((given) => {
    sessionStorage.setItem('poolscope.token', given);
  }, secret);
  const on = async () =>
    (await api('/api/sessions?brief=true')).filter((s) => s.broadcast_enabled).length;
  const before = await until(on, 'a session that is broadcast');
  const control = page.getByRole('switch', { name: /^Broadcast/, checked: true }).first();
  const name = await control.getAttribute('aria-label');
  await control.click();
  await until(async () => (await on()) === before - 1, 'one session less that is broadcast');
  await page.getByRole('switch', { name, exact: true, checked: false }).first().click();
  await until(async () => (await on()) === before, 'the session broadcast again');
  await page.context().close();
});
