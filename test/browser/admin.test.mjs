// The administration as operators use it: settings, accounts and what follows
// from them at a pool of its own with a configuration file; live miners at the
// pool under test.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { accessibilityFaults, api, launch, serverURL, token, until } from './browser.mjs';
import { address, Miner } from './stratum.mjs';

const binary =
  process.env.POOLSCOPE_BINARY ?? fileURLToPath(new URL('../../bin/poolscope', import.meta.url));

let browser;
let pool;

before(async () => {
  pool = await startPool();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await pool?.stop();
});

/** A pool without a node, whose file has a comment that must survive. */
async function startPool() {
  const dir = await mkdtemp(join(tmpdir(), 'poolscope-admin-'));
  const file = join(dir, 'pool.toml');
  const data = join(dir, 'data');
  await writeFile(
    file,
    `data_dir = "${data}" # on the big disk

[http]
listen = "127.0.0.1:0"

[stratum]
listen = ["127.0.0.1:0"]
tls_listen = []

[difficulty]
start = 2048 # as Grace wished

[scope]
journal = false

[[node]]
name = "attic"
url = "http://127.0.0.1:9"
user = "rpc"
password = "hunter2"
`,
    { mode: 0o600 },
  );
  const child = spawn(binary, ['pool', '--config', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (d) => (log += d));
  child.on('error', (error) => (log += error));
  const url = await until(async () => {
    assert.equal(child.exitCode, null, `the pool ended: ${log}`);
    const ports = await readFile(join(data, 'ports.json'), 'utf8').catch(() => '');
    return ports && /with the password \S+,/.test(log) && `http://${JSON.parse(ports).http}`;
  }, 'a running pool');
  return {
    dir,
    file,
    url,
    password: /with the password (\S+),/.exec(log)[1],
    stop: async () => {
      child.kill('SIGTERM');
      await new Promise((done) => (child.exitCode === null ? child.once('exit', done) : done()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Opens a page in a browser profile of its own; a script that ran in it is a fault. */
async function visit(url, secret = '') {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(40_000);
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.stack));
  page.on('dialog', (dialog) => {
    if (dialog.type() !== 'beforeunload') faults.push(`a script ran: ${dialog.message()}`);
    void dialog.accept();
  });
  await page.addInitScript((key) => {
    if (key !== '') sessionStorage.setItem('poolscope.token', key);
  }, secret);
  await page.goto(url);
  return { context, page, faults };
}

async function signIn(page) {
  await page.goto(`${pool.url}/sign-in?return_to=/admin/settings`);
  await page.getByLabel('Name').fill('operator');
  await page.getByLabel('Password', { exact: true }).fill(pool.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL('**/admin/settings');
}

const field = (page, section, name) =>
  page.getByRole('region', { name: section, exact: true }).getByLabel(name, { exact: true });

test(
  'settings are reviewed, saved with the file’s comments, and put in force',
  { timeout: 240_000 },
  async () => {
    const { context, page, faults } = await visit(`${pool.url}/admin/settings`);
    // Being at the machine is enough to look, and not to change.
    await field(page, '[difficulty]', 'start').fill('4096');
    await page.getByRole('button', { name: 'Review and save' }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page
      .getByRole('dialog', { name: 'Sign in first' })
      .getByRole('button', { name: 'Cancel' })
      .click();
    await page.getByText('Nothing was done').waitFor();
    assert.match(await readFile(pool.file, 'utf8'), /start = 2048/);

    await signIn(page);
    await field(page, '[difficulty]', 'start').fill('many');
    await page.getByText('Must be a number.').waitFor();
    await field(page, '[difficulty]', 'start').fill('4096');
    await field(page, '[node.1]', 'name').fill('cellar');
    await field(page, '[coinbase]', 'tag').fill('x'.repeat(200));
    await page.getByText('1 problem').waitFor();
    assert.equal(await field(page, '[coinbase]', 'tag').getAttribute('aria-invalid'), 'true');
    await page.getByRole('button', { name: 'Undo the change of coinbase.tag' }).click();
    assert.deepEqual(await accessibilityFaults(page), []);

    // Going away loses nothing by accident.
    await page.getByRole('link', { name: 'Audit trail' }).click();
    await page
      .getByRole('dialog', { name: 'Leave without saving?' })
      .getByRole('button', { name: 'Cancel' })
      .click();

    // Somebody else changes the file meanwhile.
    await appendFile(pool.file, '# somebody else was here\n');
    await page.getByRole('button', { name: 'Review and save' }).click();
    const review = page.getByRole('dialog', { name: 'Save these changes?' });
    const diff = review.getByRole('region', { name: 'Changes of the file' });
    await diff.getByText('start = 4096 # as Grace wished').waitFor();
    assert.doesNotMatch(await diff.innerText(), /hunter2/);
    await review.getByRole('button', { name: 'Save', exact: true }).click();
    await review.getByRole('button', { name: 'Load the file anew' }).click();
    await review.waitFor({ state: 'detached' });
    assert.equal(await field(page, '[difficulty]', 'start').inputValue(), '4096');

    await page.getByRole('button', { name: 'Review and save' }).click();
    await review.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText(/^Saved: 1 setting in force now, 1 setting waiting/).waitFor();
    const saved = await readFile(pool.file, 'utf8');
    assert.match(saved, /^data_dir = .* # on the big disk$/m);
    assert.match(saved, /^start = 4096 # as Grace wished$/m);
    assert.match(saved, /^name = "cellar"$/m);
    assert.match(saved, /^# somebody else was here$/m);
    const [copy] = (await readdir(pool.dir)).filter((name) => name.endsWith('.bak'));
    assert.match(await readFile(join(pool.dir, copy), 'utf8'), /^start = 2048 # as Grace/m);

    // The restart puts the rest in force, and the page waits for it.
    const started = async () => (await (await fetch(`${pool.url}/api/status`)).json()).started_at;
    const first = await started();
    await page.getByRole('button', { name: 'Restart', exact: true }).click();
    await page
      .getByRole('dialog', { name: 'Restart the program?' })
      .getByRole('button', { name: 'Restart' })
      .click();
    await page.getByText('It was started anew').waitFor({ timeout: 60_000 });
    assert.notEqual(await started(), first);

    await page.getByRole('link', { name: 'Audit trail' }).click();
    const trail = page.getByRole('table', { name: /^Actions/ });
    await trail.getByRole('row').filter({ hasText: 'restarted the program' }).waitFor();
    await trail
      .getByRole('row')
      .filter({ hasText: 'saved the settings' })
      .filter({ hasText: 'failed' })
      .waitFor();
    assert.doesNotMatch(await trail.innerText(), /hunter2/);
    assert.deepEqual(faults, []);
    await context.close();
  },
);

test(
  'an account is added once the password is given again, and its password shown once',
  { timeout: 120_000 },
  async () => {
    const { context, page, faults } = await visit(pool.url);
    await signIn(page);
    await page.getByRole('link', { name: 'Accounts' }).click();
    // As if the session were older than its five minutes.
    let asked = 0;
    await page.route('**/api/admin/accounts', async (route) => {
      if (route.request().method() === 'POST' && asked++ === 0) {
        await route.fulfill({ status: 403, contentType: 'text/plain', body: 'confirm\n' });
      } else await route.continue();
    });
    await page.getByRole('button', { name: 'Add an account' }).click();
    const add = page.getByRole('dialog', { name: 'Add an account' });
    await add.getByLabel('Name to sign in with').fill('grace');
    await add.getByRole('button', { name: 'Add', exact: true }).click();

    const confirm = page.getByRole('dialog', { name: 'Confirm that it is you' });
    await confirm.getByLabel('Password of operator').fill('not it');
    await confirm.getByRole('button', { name: 'Confirm' }).click();
    await confirm.getByText('That was not the right password.').waitFor();
    await confirm.getByLabel('Password of operator').fill(pool.password);
    await confirm.getByRole('button', { name: 'Confirm' }).click();

    const password = await page.getByTestId('once-password').innerText();
    await page.keyboard.press('Escape'); // a slip, which must not lose it
    await page.getByRole('button', { name: 'I have it' }).click();
    assert.equal(asked, 2);
    const answer = await fetch(`${pool.url}/api/auth/sign-in`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'grace', password }),
    });
    assert.equal(answer.status, 200);

    // The last operator stays one.
    await page.getByRole('button', { name: 'Manage operator' }).click();
    await page.getByRole('dialog').getByText('Viewer', { exact: true }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();

    await page.getByRole('button', { name: 'Manage grace' }).click();
    const manage = page.getByRole('dialog', { name: 'grace' });
    assert.equal(await manage.getByRole('button', { name: 'Delete' }).isDisabled(), true);
    await manage.getByLabel(/type its name/).fill('grace');
    await manage.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('The account grace is deleted.').waitFor();
    assert.deepEqual(faults, []);
    await context.close();
  },
);

test(
  'live miners are found, noted and disconnected; nothing that they call themselves runs',
  { timeout: 120_000 },
  async () => {
    const { stratum } = await api('/api/status');
    const plain = stratum.find((s) => !s.tls);
    const port = Number(new URL(plain.url.replace('stratum+tcp', 'http')).port);
    const agent = '<img src=x onerror=alert(1)>\u202egnp.exe';
    const rig = `admin${process.pid}`;
    const miner = await Miner.start(port, `${address}.${rig}`, agent);
    const url = new URL('/admin/miners', serverURL()).href;
    const { context, page, faults } = await visit(url, await token());

    await page.getByRole('searchbox', { name: 'Search connections' }).fill(rig);
    const row = page.getByRole('row').filter({ hasText: rig });
    await row.waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    assert.doesNotMatch(await row.innerText(), /\u202e/);

    await row.getByRole('button', { name: /^Note on/ }).click();
    await page
      .getByRole('dialog', { name: 'Note on a worker' })
      .getByRole('textbox')
      .fill('<b>in the attic</b>');
    await page.getByRole('button', { name: 'Save' }).click();
    await row.getByText('<b>in the attic</b>').waitFor();

    // An address of this machine is banned only by who means it.
    await row.getByRole('button', { name: /^Ban the address/ }).click();
    const ban = page.getByRole('dialog', { name: /^Ban / });
    await ban.getByRole('button', { name: 'Ban', exact: true }).click();
    await ban.getByRole('button', { name: 'Ban it nevertheless' }).waitFor();
    await ban.getByRole('button', { name: 'Cancel' }).click();

    await row.getByRole('button', { name: /^Disconnect/ }).click();
    const close = page.getByRole('dialog', { name: 'Disconnect this miner?' });
    await close.getByRole('button', { name: 'Disconnect' }).click();
    await miner.closed;
    await page.getByText('No connection is like that').waitFor();
    assert.deepEqual(faults, []);
    await context.close();
  },
);
