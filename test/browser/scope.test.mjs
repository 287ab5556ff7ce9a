// The scope's pages in a real browser, against a running `poolscope demo`:
//
//   POOLSCOPE_URL=http://127.0.0.1:8000 POOLSCOPE_TOKEN_FILE=DATA/scope-token npm --prefix ui run test:browser
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { api, launch, open, serverURL, token } from './browser.mjs';

let browser;
let proxied; // a live session through the scope, with shares

before(async () => {
  serverURL();
  browser = await launch();
  for (const end = Date.now() + 90_000; !proxied;) {
    const sessions = await api('/api/sessions?brief=true');
    proxied = sessions.find((s) => s.live && s.origin === 'proxy' && s.brief?.accepted > 2);
    assert.ok(proxied || Date.now() < end, 'no miner behind the scope has an accepted share');
    if (!proxied) await new Promise((done) => setTimeout(done, 500));
  }
});

after(() => browser?.close());

/** Messages in the table, from the newest down, as far as they are drawn. */
function drawn(page) {
  return page
    .locator('[data-seq]')
    .evaluateAll((rows) => rows.map((r) => ({ seq: Number(r.dataset.seq), text: r.innerText })));
}

async function feedIsLive(page) {
  await page.getByTestId('feed-phase').getByText('Live', { exact: true }).waitFor();
}

/**
 * Sends `requests` harmless requests through the scope, on one connection. Each
 * makes four messages: request and answer, on both sides of the demo.
 */
function flood(port, requests) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let sent = 0;
    let answered = 0;
    const pump = () => {
      while (sent < requests && sent - answered < 200) {
        sent++;
        const request = {
          id: sent,
          method: 'mining.extranonce.subscribe',
          params: [],
        };
        socket.write(`${JSON.stringify(request)}\n`);
      }
      if (answered >= requests) socket.end();
    };
    socket.on('connect', pump);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      for (const byte of chunk) if (byte === 10) answered++;
      pump();
    });
    socket.on('close', () => {
      if (answered >= requests) resolve();
      else reject(new Error(`the pool answered ${answered} of ${requests}`));
    });
  });
}

test(
  'a submit is captured, filtered, opened, decoded and replayed',
  { timeout: 90_000 },
  async () => {
    const { page, faults } = await open(browser, { path: '/scope/messages' });
    await feedIsLive(page);
    await page.getByLabel('Session', { exact: true }).selectOption(proxied.session_id);
    await page.getByLabel('Method', { exact: true }).fill('mining.submit');
    await page.getByLabel('Share verdict').selectOption('accepted');
    await page.waitForURL(
      /method=mining\.submit.*verdict=accepted|verdict=accepted.*method=mining\.submit/,
    );
    await page.locator('[data-seq]').first().waitFor();
    for (const row of await drawn(page))
      assert.match(row.text, /mining\.submit[^]*(Accepted|Block!)/);

    // The newest is taken by keyboard.
    await page.getByRole('grid').focus();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    const panel = page.getByTestId('message-detail');
    await panel.getByTestId('decoded').getByText('A share of').waitFor();
    const id = new URL(page.url()).searchParams.get('m');
    const known = await api(`/api/messages/${id}`);
    assert.equal(known.method, 'mining.submit');
    const words = await panel.innerText();
    assert.ok(words.includes(known.share.hash), 'the hash is not in the panel');
    assert.match(words, /Its hash meets/);
    assert.match(words, /Answer \(Pool → Miner\)/);
    assert.doesNotMatch(words, /NaN|undefined|\[object/);
    await panel.getByText('Raw', { exact: true }).click();
    assert.match(await panel.getByTestId('raw').first().innerText(), /"mining\.submit".*␊$/s);

    // A wrong token first: it is asked for again, and nothing is lost.
    await panel.getByRole('button', { name: 'Replay' }).click();
    const dialog = page.getByRole('dialog', { name: 'Send this share again' });
    assert.equal(await dialog.getByLabel(/^Nonce/).inputValue(), known.decoded.params[4]);
    await dialog.getByRole('button', { name: 'Replay to Pool' }).click();
    const asking = page.getByRole('dialog', { name: 'Access token' });
    await asking.getByLabel('Token', { exact: true }).fill('certainly not this one');
    await asking.getByRole('button', { name: 'Use it' }).click();
    await asking.getByText('not the right one').waitFor();
    await asking.getByLabel('Token', { exact: true }).fill(await token());
    await page.keyboard.press('Enter');

    // The pool has had this share: it says no, and the page says so.
    const outcome = dialog.getByTestId('replay-outcome');
    await outcome.getByText('Rejected', { exact: true }).first().waitFor();
    assert.match(await outcome.innerText(), /rejected the share: .+ After \d/s);
    await outcome.getByRole('button', { name: 'Open what was sent' }).click();
    await panel.getByText('HashScope → Pool (Replay)').waitFor();

    await panel.focus();
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
    assert.deepEqual(
      faults.filter((f) => !f.includes('401')),
      [],
    );
    await page.context().close();
  },
);

test(
  'a cut WebSocket comes back without a lost or doubled row',
  { timeout: 180_000 },
  async (t) => {
    const routes = [];
    let refuse = false;
    const { page, faults } = await open(browser, {
      path: `/scope/messages?session=${proxied.session_id}&method=mining.submit`,
      viewport: { width: 1440, height: 12_000 },
      onMessages: (route) => {
        if (refuse) {
          void route.close();
          return;
        }
        routes.push(route);
        route.connectToServer();
      },
    });
    await feedIsLive(page);
    await page.locator('[data-seq]').first().waitFor();
    const newest = async () => (await drawn(page))[0]?.seq ?? 0;
    const grown = async (beyond) => {
      const query = `/api/messages?session_id=${proxied.session_id}&method=mining.submit&limit=1`;
      for (const end = Date.now() + 60_000; ;) {
        const [last] = await api(query);
        if (last.seq > beyond) return last.seq;
        assert.ok(Date.now() < end, 'no share for a minute');
        await new Promise((done) => setTimeout(done, 200));
      }
    };

    const before = await newest();
    refuse = true;
    await routes[0].close();
    await page.getByText('The live connection was lost.').waitFor();
    const missed = await grown(await grown(before)); // two shares that no socket told of
    assert.ok((await newest()) < missed, 'a row came without a connection');
    refuse = false;
    await feedIsLive(page);
    const later = await grown(missed);
    await page.locator(`[data-seq="${later}"]`).waitFor();

    // Every share between the oldest and the newest row, once each, with its answer.
    await page.getByRole('button', { name: 'Pause' }).click();
    const rows = await drawn(page);
    const seqs = rows.map((r) => r.seq);
    assert.equal(new Set(seqs).size, seqs.length, 'a row is there twice');
    const kept = await api(
      `/api/messages?session_id=${proxied.session_id}&method=mining.submit&limit=1000`,
    );
    const between = kept.filter((m) => m.seq >= seqs.at(-1) && m.seq <= seqs[0]);
    assert.deepEqual(
      seqs,
      between.map((m) => m.seq),
    );
    for (const m of between.filter((m) => m.seq <= missed && m.response !== null)) {
      assert.doesNotMatch(rows.find((r) => r.seq === m.seq).text, /No answer/, `message ${m.id}`);
    }
    t.diagnostic(`${seqs.length} rows, ${routes.length} connections`);
    assert.equal(routes.length, 2, 'one new connection');
    assert.deepEqual(faults, []);
    await page.context().close();
  },
);

/**
 * Runs in the page: scrolls through the table, from the newest row down until `enough` rows
 * were seen or there are no more. Older ones are fetched at the end of those that are
 * loaded, where the next step begins at what was seen last.
 */
async function walk(enough) {
  const grid = document.querySelector('[role=grid]');
  const count = document.querySelector('[data-testid=message-count]');
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const reached = async (is, meaning) => {
    for (const end = performance.now() + 60_000; !is(); await frame()) {
      if (performance.now() > end) throw new Error(`in a minute there was not ${meaning}`);
    }
  };
  const bottom = () => grid.scrollHeight - grid.clientHeight;
  const edge = grid.getBoundingClientRect();
  const found = new Set();
  let most = 0;
  for (let top = 0; ; top = grid.scrollTop + grid.clientHeight - 40) {
    if (top > bottom()) {
      // What is loaded ends here. Its end in view has more fetched, unless nothing is older.
      grid.scrollTop = bottom();
      await reached(() => top <= bottom() || !count.textContent.includes('loaded'), 'the rest');
    }
    grid.scrollTop = top;
    let rows = [];
    await frame();
    await reached(() => {
      rows = [...grid.querySelectorAll('[data-seq]')];
      const first = rows[0]?.getBoundingClientRect().top ?? Infinity;
      const last = rows.at(-1)?.getBoundingClientRect().bottom ?? -Infinity;
      return first < edge.top + 80 && last > edge.bottom - 20;
    }, `what is in view drawn, from edge to edge, at ${top}`);
    most = Math.max(most, rows.length);
    for (const row of rows) found.add(Number(row.dataset.seq));
    if (found.size >= enough || top > bottom()) return { seqs: [...found], most };
  }
}

test('50,000 rows scroll while messages come', { timeout: 400_000 }, async (t) => {
  const { listen_port: port } = await api('/api/config');
  const { page, faults } = await open(browser, {
    path: '/scope/messages',
    viewport: { width: 1440, height: 6000 },
  });
  await feedIsLive(page);
  await page.evaluate(() => {
    window.frames_ = [];
    let last = performance.now();
    const look = (now) => {
      window.frames_.push(now - last);
      last = now;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });

  const started = performance.now();
  const before = await api('/api/messages?limit=1');
  for (let i = 0; i < 4; i++) await flood(port, 3300);
  let [newest] = await api('/api/messages?limit=1');
  const rate = ((newest.seq - before[0].seq) / (performance.now() - started)) * 1000;
  // What the recorder could not take at once is dropped, and more is sent.
  for (let more = 0; newest.seq - before[0].seq < 50_000 && more < 4; more++) {
    await flood(port, 3300);
    [newest] = await api('/api/messages?limit=1');
  }
  assert.ok(newest.seq - before[0].seq >= 50_000, 'not enough messages to scroll through');

  // All of them are taken up, also what came faster than the page could take it.
  const shown = page.getByTestId('message-count');
  await page.waitForFunction(
    () => {
      const text = document.querySelector('[data-testid=message-count]').textContent;
      return Number(text.replace(/\D/g, '')) >= 50_000;
    },
    undefined,
    { timeout: 90_000 },
  );
  await page.getByTestId('feed-phase').getByText('Live', { exact: true }).waitFor();
  await page.getByText('fetching them').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Pause' }).click();
  const frames = await page.evaluate(() => window.frames_.toSorted((a, b) => a - b));
  const quantile = (q) => Math.round(frames[Math.floor((frames.length - 1) * q)]);
  t.diagnostic(
    `${Math.round(rate)} messages/s; frames p50 ${quantile(0.5)} ms, p95 ${quantile(0.95)} ms, ` +
      `p99 ${quantile(0.99)} ms, longest ${quantile(1)} ms; ${await shown.innerText()}`,
  );

  // From the newest down past the 50,000: rows rise by one, none is missing, few are in the
  // document. What was missing because it was still being fetched is there the next time.
  const seen = new Set();
  let holes;
  for (let passes = 0; passes < 3 && holes?.length !== 0; passes++) {
    const { seqs, most } = await page.evaluate(walk, 52_000);
    assert.ok(most < 260, `${most} rows are in the document at once`);
    for (const seq of seqs) seen.add(seq);
    const rising = [...seen].toSorted((a, b) => a - b);
    holes = rising.flatMap((seq, i) =>
      i > 0 && seq !== rising[i - 1] + 1 ? [[rising[i - 1], seq]] : [],
    );
  }
  assert.ok(seen.size >= 50_000, `${seen.size} rows were seen`);
  assert.deepEqual(holes, [], 'messages are missing between these');
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('an alarm leads to what proves it', { timeout: 150_000 }, async () => {
  const { page, faults } = await open(browser, { path: '/scope/alarms' });
  // Without a reload: the demo finds a block every few seconds.
  await page.getByText('Block found').first().waitFor({ timeout: 120_000 });
  await page
    .getByRole('link', { name: /^message \d+$/ })
    .first()
    .click();
  await page.getByTestId('message-detail').getByText('A block!', { exact: true }).waitFor();
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('a session that is disconnected says so', { timeout: 90_000 }, async () => {
  const { listen_port: port } = await api('/api/config');
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  const agent = `leaver/${Date.now()}`;
  const hello = { id: 1, method: 'mining.subscribe', params: [agent] };
  socket.write(`${JSON.stringify(hello)}\n`);
  const gone = new Promise((done) => socket.on('close', done));

  const { page, faults } = await open(browser, { path: '/scope/sessions' });
  await page.getByLabel('Search sessions').fill(agent);
  await page.getByLabel('Proxied').check({ force: true });
  const row = page.getByRole('row').filter({ hasText: agent });
  await row.getByRole('link').first().click();
  await page.getByRole('button', { name: 'Disconnect' }).click();
  const sure = page.getByRole('dialog', { name: 'Disconnect this session?' });
  await sure.getByRole('button', { name: 'Disconnect' }).click();
  const asking = page.getByRole('dialog', { name: 'Access token' });
  await asking.getByLabel('Token', { exact: true }).fill(await token());
  await asking.getByRole('button', { name: 'Use it' }).click();
  await page.getByText('Disconnected from here').waitFor();
  await gone;
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('pages are reached by keyboard on a phone', { timeout: 60_000 }, async () => {
  const { page, faults } = await open(browser, {
    path: '/scope/sessions',
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
  });
  const menu = page.getByRole('button', { name: 'Pages' });
  await menu.focus();
  await page.keyboard.press('Enter');
  const drawer = page.getByRole('dialog', { name: 'Pages' });
  await drawer.getByRole('link', { name: 'Alarms' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Alarms', level: 1 }).waitFor();
  await drawer.waitFor({ state: 'hidden' });
  assert.deepEqual(faults, []);
  await page.context().close();
});
