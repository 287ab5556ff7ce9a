// The log, the audit trail, backups and the settings of the demo, by clicking, as
// an operator; see scope.test.mjs for how to run it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serverURL, until } from './browser.mjs';
import { asked, household, makeAccount, signedIn } from './people.mjs';

let house;
let operator;

before(async () => {
  serverURL();
  house = await household();
  operator = await makeAccount(`chief${process.pid}`, 'operator');
});

after(() => house?.stop());

test('the demo’s settings can be read, and it is said why not changed', async () => {
  const { page, faults } = await signedIn(house.browser, operator, '/admin/settings');
  await page.getByText('There is no configuration file').waitFor();
  await page.getByText(/The demo makes its own configuration/).waitFor();
  const section = page.getByRole('region', { name: '[difficulty]', exact: true });
  assert.equal(await section.getByLabel('start', { exact: true }).isDisabled(), true);
  assert.equal(await page.getByRole('button', { name: 'Review and save' }).count(), 0);
  assert.deepEqual(faults, []);
  await page.context().close();
});

test(
  'a new line of the log appears, and what was done is in the trail',
  {
    timeout: 120_000,
  },
  async () => {
    const { page, faults } = await signedIn(house.browser, operator, '/admin/logs');
    await page.getByRole('button', { name: 'Change for a while' }).click();
    const dialog = page.getByRole('dialog', { name: 'Another level for a while' });
    await dialog.getByLabel('Least important lines').selectOption('info');
    await dialog.getByRole('button', { name: 'Change' }).click();
    await dialog.waitFor({ state: 'detached' });
    // The demo finds a block every few seconds, and says so on that level.
    await page
      .getByRole('region', { name: 'Lines of the log' })
      .getByText('block found')
      .first()
      .waitFor();
    await page.getByRole('button', { name: /^Back to / }).click();

    await page.getByRole('link', { name: 'Audit trail' }).click();
    await page.getByRole('searchbox', { name: 'Search the trail' }).fill(operator.name);
    const row = page.getByRole('row').filter({ hasText: operator.name });
    // What was done this moment may be written a moment later: the page follows by itself.
    await until(
      async () => (await row.filter({ hasText: 'changed the log level' }).count()) > 1,
      'both changes of the level in the trail',
    );
    await row.filter({ hasText: 'signed in' }).first().waitFor();
    assert.ok(!(await page.content()).includes(operator.password));
    assert.deepEqual(faults, []);
    await page.context().close();
  },
);

test('a backup is made, and is there verified', { timeout: 120_000 }, async () => {
  const { page, faults } = await signedIn(house.browser, operator, '/admin/backups');
  const before = (await asked(page, '/api/admin/backups')).backups.map((b) => b.name);
  // Signing in was a moment ago: the password need not be given again.
  await page.getByRole('button', { name: 'Back up now' }).click();
  const made = await until(async () => {
    const { backups } = await asked(page, '/api/admin/backups');
    return backups.find((b) => !before.includes(b.name));
  }, 'a backup');
  const row = page.getByRole('table', { name: 'Backups' }).getByRole('row');
  await row.filter({ hasText: made.name }).getByText('verified', { exact: true }).waitFor();
  assert.deepEqual(faults, []);
  await page.context().close();
});
