// Starts Debian's Chromium on the page of a running poolscope and notes
// everything that a page must not do.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The only package that these tests need is installed with the page's own.
const require = createRequire(new URL('../../ui/package.json', import.meta.url));

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Where screenshots go. */
export const artefacts =
  process.env.POOLSCOPE_ARTEFACTS ?? join(tmpdir(), 'poolscope-browser-artefacts');

/** The server under test, as an URL. Fails when nobody said where it is. */
export function serverURL() {
  const url = process.env.POOLSCOPE_URL;
  assert.ok(
    url,
    'POOLSCOPE_URL is not set. Start `poolscope demo` and set it to the address of its page, ' +
      'for example POOLSCOPE_URL=http://127.0.0.1:8000',
  );
  return new URL(url);
}

/** Starts the browser with an empty profile. Fails, and does not skip, without one. */
export async function launch() {
  assert.ok(
    existsSync(executablePath),
    `Chromium is not at ${executablePath}. Install it (Debian: apt-get install chromium), ` +
      'or set CHROMIUM to where it is. The browser tests are never skipped.',
  );
  await mkdir(artefacts, { recursive: true });
  const { chromium } = require('playwright-core');
  return chromium.launch({
    executablePath,
    // The sandbox does not work as root in a container; the rest keeps
    // Chromium from calling out by itself.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * Opens a page and watches it.
 *
 * `faults` collects what must not happen: console errors, uncaught exceptions,
 * failed responses, requests to other hosts. `onSocket` and `onMessages` may
 * take over the WebSockets of the pool's figures and of captured messages.
 * `beforeLoad` runs in the page before its own scripts.
 * `path` is the page, the first one by default; it is usable when `usable`, a
 * selector, finds something.
 */
export async function open(
  browser,
  { onSocket, onMessages, beforeLoad, path = '/', usable, ...options } = {},
) {
  const url = serverURL();
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme: 'light',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(40_000); // shared machines are slow at times
  const faults = [];
  const foreign = (address) => {
    const { host, protocol } = new URL(address);
    return protocol !== 'data:' && protocol !== 'blob:' && host !== url.host;
  };
  context.on('request', (request) => {
    if (foreign(request.url())) faults.push(`request to another host: ${request.url()}`);
  });
  page.on('websocket', (socket) => {
    if (foreign(socket.url())) faults.push(`WebSocket to another host: ${socket.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} for ${response.url()}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.stack}`));
  await page.addInitScript(watch, usable ?? '[data-testid=hashrate]');
  if (beforeLoad) await page.addInitScript(beforeLoad);
  if (onSocket) await page.routeWebSocket(/\/api\/live$/, onSocket);
  if (onMessages) await page.routeWebSocket(/\/api\/ws(\?|$)/, onMessages);
  await page.goto(new URL(path, url).href);
  return { page, faults };
}

/** Asks the server itself. */
export async function api(path) {
  const response = await fetch(new URL(path, serverURL()));
  assert.equal(response.status, 200, path);
  return response.json();
}

/** The access token of the server under test. */
export async function token() {
  const { POOLSCOPE_TOKEN, POOLSCOPE_TOKEN_FILE } = process.env;
  assert.ok(
    POOLSCOPE_TOKEN || POOLSCOPE_TOKEN_FILE,
    'Set POOLSCOPE_TOKEN, or POOLSCOPE_TOKEN_FILE to scope-token in the data folder.',
  );
  return POOLSCOPE_TOKEN ?? (await readFile(POOLSCOPE_TOKEN_FILE, 'utf8')).trim();
}

/** Asks `what` until it answers something; fails after two minutes, saying what was waited for. */
export async function until(what, meaning) {
  for (const end = Date.now() + 120_000; ;) {
    const answer = await what();
    if (answer) return answer;
    assert.ok(Date.now() < end, `in two minutes there was not ${meaning}`);
    await new Promise((done) => setTimeout(done, 200));
  }
}

/** What the page has put on the clipboard, as rows of cells; it needs the permission to be read. */
export async function copied(page) {
  const text = await until(
    () => page.evaluate(() => navigator.clipboard.readText()),
    'anything on the clipboard',
  );
  return text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.split('\t'));
}

/** Gives the page the access token, which it is asking for. */
export async function giveToken(page) {
  const dialog = page.getByRole('dialog', { name: 'Access token' });
  await dialog.getByLabel('Token', { exact: true }).fill(await token());
  await dialog.getByRole('button', { name: 'Use it' }).click();
}

/** Looks for what keeps people out (axe-core): faults that are serious or worse. */
export async function accessibilityFaults(page) {
  if (!(await page.evaluate(() => 'axe' in window))) {
    // The debugger's evaluation: the page's own policy would not let a script in.
    await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
  }
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ['violations'] }),
  );
  return violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 200)).join(' | ')}`);
}

/**
 * Runs in the page: adds up layout shifts that nobody caused by clicking, and
 * notes when there is something to use (ms after navigation).
 */
function watch(usable) {
  const look = () => {
    if (document.querySelector(usable)) window.usableAt = performance.now();
    else requestAnimationFrame(look);
  };
  look();
  window.layoutShift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!entry.hadRecentInput) window.layoutShift += entry.value;
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

/** Waits until the page shows a hashrate above zero, and returns it in H/s. */
export async function hashrateShown(page, timeout) {
  const shown = page.locator('[data-testid=hashrate]:not([data-hashrate="0"])');
  await shown.waitFor({ timeout });
  return Number(await shown.getAttribute('data-hashrate'));
}
