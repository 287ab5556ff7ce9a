// People for the tests: accounts of the server under test, signing in through
// the page, miners of theirs, and a place that alerts go to.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { launch, open, serverURL, until } from './browser.mjs';

const run = promisify(execFile);

/** The program under test. Fails, and does not skip, without it. */
export function program() {
  const path =
    process.env.POOLSCOPE_BINARY ?? fileURLToPath(new URL('../../bin/poolscope', import.meta.url));
  assert.ok(
    existsSync(path),
    `The program is not at ${path}. Build it with make build, or set POOLSCOPE_BINARY to where it is.`,
  );
  return path;
}

/** The data folder of the server under test: the one of its access token. */
function dataDir() {
  const { POOLSCOPE_TOKEN_FILE: file } = process.env;
  assert.ok(file, 'Set POOLSCOPE_TOKEN_FILE to scope-token in the data folder of the server.');
  return dirname(file);
}

/** Where the server under test listens, by what for: `stratum`, `scope` and so on. */
export async function ports() {
  return JSON.parse(await readFile(join(dataDir(), 'ports.json'), 'utf8'));
}

/** Makes an account while a server runs, as an operator does at its terminal. */
export async function makeAccount(name, role = 'viewer', dir = dataDir()) {
  const { stdout } = await run(program(), [
    ...['account', 'add', name, '--role', role],
    ...['--data-dir', dir],
  ]);
  const password = /with the password (\S+),/.exec(stdout)?.[1];
  assert.ok(password, `no password in: ${stdout}`);
  return { name, password };
}

/** Changes an account while a server runs: `words` are those of `poolscope account`. */
export const changeAccount = (words, dir = dataDir()) =>
  run(program(), ['account', ...words, '--data-dir', dir]);

/** Fills in the form for signing in, and sends it. */
export async function fillSignIn(page, { name, password }) {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Opens the form for signing in in a browser profile of its own, signs in, and is at `path` then. */
export async function signedIn(browser, who, path = '/account', options = {}) {
  const search = new URLSearchParams({ return_to: path });
  const opened = await open(browser, { ...options, path: `/sign-in?${search}` });
  await fillSignIn(opened.page, who);
  await opened.page.waitForURL((url) => url.pathname === new URL(path, url).pathname);
  return opened;
}

/** Asks the server as whoever is signed in in the page. */
export async function asked(page, path, options = {}) {
  const answer = await page.request.fetch(new URL(path, serverURL()).href, options);
  assert.ok(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}

/** Saves a worker for whoever is signed in in the page. */
export const saveWorker = (page, name) =>
  asked(page, '/api/saved-workers', { method: 'POST', data: { name } });

/** Faults without the refusals that a test provokes: `expected` matches their addresses. */
export function unexpected(faults, expected) {
  return faults.filter(
    (fault) =>
      !expected.test(fault) && !/^console: Failed to load resource: .* status of 4/.test(fault),
  );
}

/** Starts the program's own miner: a process that connects again whenever it is cut off. */
// Fast enough that its first accepted shares, which ownership waits for, take seconds.
export async function startMiner(user, password) {
  const { stratum } = await ports();
  const child = spawn(
    program(),
    [
      ...['miner', '--pool', `stratum+tcp://${stratum}`, '--user', user, '--password', password],
      ...['--threads', '1', '--max-hashrate', '2000000'],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const lines = [];
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  return {
    lines,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await new Promise((done) => child.once('exit', done));
    },
  };
}

/** A program on this machine that takes webhooks, and keeps what came. */
export async function startSink() {
  const received = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(204).end();
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    received,
    url: `http://127.0.0.1:${server.address().port}/hook`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/**
 * A pool with an access token, and without a node: there, being at the same
 * machine makes nobody an operator, as it does at the demo.
 */
export async function startLockedPool() {
  const dir = await mkdtemp(join(tmpdir(), 'poolscope-people-'));
  const data = join(dir, 'data');
  const file = join(dir, 'pool.toml');
  await writeFile(
    file,
    `data_dir = "${data}"
[http]
listen = "127.0.0.1:0"
token = "a token, so that being at this machine is not enough"
[stratum]
listen = ["127.0.0.1:0"]
tls_listen = []
[scope]
journal = false
[[node]]
url = "http://127.0.0.1:9"
`,
    { mode: 0o600 },
  );
  const child = spawn(program(), ['pool', '--config', file], { stdio: 'ignore' });
  const url = await until(async () => {
    assert.equal(child.exitCode, null, 'the pool ended');
    const text = await readFile(join(data, 'ports.json'), 'utf8').catch(() => '');
    return text && `http://${JSON.parse(text).http}`;
  }, 'a running pool');
  return {
    url,
    data,
    stop: async () => {
      child.kill('SIGTERM');
      await new Promise((done) => (child.exitCode === null ? child.once('exit', done) : done()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A browser, and what is to be stopped with it when the tests are over. */
export async function household() {
  const browser = await launch();
  const guests = [];
  return {
    browser,
    keep: (guest) => {
      guests.push(guest);
      return guest;
    },
    stop: async () => {
      await browser.close();
      await Promise.all(guests.map((guest) => guest.stop()));
    },
  };
}
