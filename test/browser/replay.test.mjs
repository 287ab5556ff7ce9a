// Sending a captured share again, and taking a session away as a file, in a
// real browser against a running `poolscope demo`; see scope.test.mjs.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { api, giveToken, launch, open, serverURL, token, until } from './browser.mjs';
import { readCSV, readJSONL, readPcapng } from './exports.mjs';
import { address, Miner } from './stratum.mjs';

const worker = `${address}.replayed`;
const userAgent = `browser-test/${process.pid}`;

let browser;
let miner; // behind the scope
let id; // of its session

before(async () => {
  serverURL();
  browser = await launch();
  const { listen_port: port } = await api('/api/config');
  miner = await Miner.start(port, worker, userAgent);
  const { result } = await miner.request('mining.submit', await miner.share());
  assert.equal(result, true, 'the pool takes the first share');
  const session = await until(
    async () => (await api('/api/sessions')).find((s) => s.user_agent === userAgent),
    'a session of the test’s miner',
  );
  id = session.session_id;
});

after(async () => {
  miner?.close();
  await browser?.close();
});

test(
  'a replay is accepted, refused, and left without an answer',
  { timeout: 180_000 },
  async (t) => {
    const { page, faults } = await open(browser, { path: `/scope/messages?session=${id}` });
    await page.getByLabel('Method', { exact: true }).fill('mining.submit');
    await page.waitForURL(/method=mining\.submit/);
    await page.getByRole('row').filter({ hasText: 'mining.submit' }).first().click();
    await page
      .getByTestId('message-detail')
      .getByRole('button', { name: 'Replay', exact: true })
      .click();
    const dialog = page.getByRole('dialog', { name: 'Send this share again' });
    const outcome = dialog.getByTestId('replay-outcome');
    const send = dialog.getByRole('button', { name: /^(Replay to Pool|Send again)$/ });
    const verdict = async () => {
      await send.click();
      await dialog.getByRole('button', { name: 'Send again' }).waitFor();
      return (await outcome.innerText()).trim();
    };

    // As it was captured: the pool has had it. The token is asked for once.
    await send.click();
    await giveToken(page);
    await outcome.getByText('Rejected', { exact: true }).first().waitFor();
    assert.match(await outcome.innerText(), /rejected the share: (Duplicate|Stale)/i);

    // Edited into a share that nobody has sent: accepted. A block may come in
    // between, and with it other work.
    let said = '';
    for (let tries = 0; tries < 20 && !said.startsWith('Accepted'); tries++) {
      const [, job, extranonce2, time, nonce] = await miner.share();
      await dialog.getByLabel(/^Job/).fill(job);
      await dialog.getByLabel(/^Extranonce2/).fill(extranonce2);
      await dialog.getByLabel(/^nTime/).fill(time);
      await dialog.getByLabel(/^Nonce/).fill(nonce);
      said = await verdict();
    }
    t.diagnostic(said.split('\n', 2).join(' '));
    assert.match(said, /^Accepted\s+The pool accepted the share\. After \d/);
    const [sent] = await api(`/api/messages?session_id=${id}&direction=hashscope_to_pool&limit=1`);
    assert.equal(sent.share.pool, 'accepted');
    await outcome.getByText(sent.share.hash).waitFor();
    // The same again is not: it was no luck.
    assert.match(await verdict(), /^Rejected\s+The pool rejected the share: (Duplicate|Stale)/i);

    // Without a connection to the pool there is nobody to answer.
    miner.close();
    await until(async () => !(await api(`/api/sessions/${id}`)).live, 'an end of the session');
    await send.click();
    await dialog.getByRole('alert').or(outcome.getByText('No answer')).waitFor();
    t.diagnostic(await dialog.getByRole('alert').or(outcome).innerText());
    assert.deepEqual(
      faults.filter((f) => !/401|404 for .*replay$|status of 404/.test(f)),
      [],
    );
    await page.context().close();
  },
);

test('a session is exported as a file, three ways', { timeout: 120_000 }, async (t) => {
  miner.close();
  const { page, faults } = await open(browser, {
    path: `/scope/sessions/${id}`,
    acceptDownloads: true,
  });
  await page.getByText('Miner closed the connection').first().waitFor();
  const exported = async (format) => {
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: `Export as ${format}` }).click();
    const file = await coming;
    assert.equal(file.suggestedFilename(), `${id}.${format}`);
    return readFile(await file.path());
  };

  const messages = readJSONL(await exported('jsonl'));
  const { message_count: count } = await api(`/api/sessions/${id}`);
  assert.equal(messages.length, count);
  const said = (direction) =>
    messages
      .filter((m) => m.direction === direction)
      .map((m) => m.raw)
      .join('');
  const shares = messages.filter((m) => m.share);
  assert.ok(
    shares.some((m) => m.direction === 'hashscope_to_pool'),
    'the replays are in it',
  );

  const streams = [...readPcapng(await exported('pcapng')).values()].map(String);
  assert.ok(streams.includes(said('pool_to_miner')), 'what the pool said is in the packets');
  assert.ok(
    streams.some((s) => s.includes(said('miner_to_pool'))),
    'what the miner said is in the packets',
  );

  const rows = readCSV(String(await exported('csv')));
  assert.deepEqual(
    rows.map((r) => [r.message_id, r.hash, r.audit, r.pool]),
    shares.map((m) => [m.id, m.share.hash, m.share.audit, m.share.pool]),
  );
  t.diagnostic(`${messages.length} messages, ${streams.length} streams, ${rows.length} shares`);
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('every share is replayed by itself, until it is stopped', { timeout: 120_000 }, async (t) => {
  const { listen_port: port } = await api('/api/config');
  const agent = `${userAgent}-auto`;
  const mine = await Miner.start(port, worker, agent);
  t.after(() => mine.close());
  const { session_id: session } = await until(
    async () => (await api('/api/sessions')).find((s) => s.user_agent === agent),
    'a session',
  );
  // Slow, so that there is something left to stop, and few enough that the
  // pool does not lose patience with its miner.
  const paced = await fetch(new URL(`/api/sessions/${session}`, serverURL()), {
    method: 'PATCH',
    headers: { Authorization: `Bearer ${await token()}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ auto_replay_rate: 5, auto_replay_jitter: 0 }),
  });
  assert.equal(paced.status, 200);

  const { page, faults } = await open(browser, { path: `/scope/sessions/${session}` });
  const panel = page.getByRole('region', { name: 'Auto-replay' });
  const start = panel.getByRole('switch', { name: 'Start' });
  const stop = panel.getByRole('switch', { name: 'Stop' });
  await panel.getByLabel('Times each share').fill('900');
  await start.click();
  await giveToken(page);
  await stop.waitFor();
  assert.equal(await stop.getAttribute('aria-checked'), 'true');

  await mine.request('mining.submit', await mine.share());
  await panel.getByRole('progressbar', { name: 'Lines sent' }).waitFor();
  await panel.getByText(/^[1-9]\d* of 900,/).waitFor();
  await stop.click();
  await start.waitFor();
  await panel.getByText('Switched off:').waitFor();
  // The line that was on its way then is counted when its answer comes.
  const sent = `/api/messages?session_id=${session}&direction=hashscope_to_pool&limit=1000`;
  const { done, rejected } = await until(async () => {
    const { progress } = await api(`/api/sessions/${session}/auto-replay/status`);
    return progress.done === (await api(sent)).length && progress;
  }, 'an end to what is sent');
  assert.ok(done > 0 && done < 900, `${done} were sent`);
  assert.equal(rejected, done, 'the pool had this share');
  await panel.getByText(`${done} of 900,`).waitFor();
  assert.deepEqual(
    faults.filter((f) => !f.includes('401')),
    [],
  );
  await page.context().close();
});
