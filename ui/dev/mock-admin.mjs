// What the mock answers to operators: /api/admin/…, with the password "mock"
// where one is asked for. See mock.mjs.
import { createHash, randomBytes } from 'node:crypto';
import { checkSettings, restart, saveSettings, settingsForm } from './mock-settings.mjs';

const started = Date.now();
const iso = (ms) => new Date(ms).toISOString();
const hex = (bytes) => randomBytes(bytes).toString('hex');
const sha = (text) => createHash('sha256').update(text).digest('hex');

const json = (value, status = 200) => ({ status, value });
const refuse = (status, text) => ({ status, text });
const done = () => json({ ok: true });

// ── who asks ──

let confirmedUntil = 0;
const confirmed = (then) => () => (Date.now() < confirmedUntil ? then() : refuse(403, 'confirm'));

function confirm(body) {
  if (body.password !== 'mock') return refuse(401, 'wrong password');
  confirmedUntil = Date.now() + 300_000;
  return done();
}

// ── miners ──

const AGENTS = ['bitaxe/2.4', 'NerdQAxe', 'cgminer/4.12', 'NerdMinerV2', 'bosminer/1.0', ''];
const notes = new Map();
const miners = Array.from({ length: 10_000 }, (_, i) => ({
  id: hex(4),
  worker: i % 97 === 5 ? '' : `bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.rig${i}`,
  address: i % 97 === 5 ? '' : 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
  remote:
    i % 7 === 3 ? `2001:db8:${(i % 40).toString(16)}::${i.toString(16)}` : `203.0.113.${i % 250}`,
  user_agent: i === 3 ? '<img src=x onerror=alert(1)>\u202egnp.exe' : AGENTS[i % AGENTS.length],
  tls: i % 5 === 0,
  connected_at: iso(started - i * 61_000),
  hashrate: 1e12 * (1 + (i % 13)),
  difficulty: 1024 * (1 + (i % 9)),
  accepted: 12_000 - i,
  rejected: i % 31,
  strikes: i % 83 === 1 ? 42.5 : i % 3,
  ...(i % 11 === 0 && { scope_session: hex(8) }),
}));
const withNote = (m) => ({
  ...m,
  worker_hash: m.worker === '' ? '' : sha(m.worker),
  note: notes.get(sha(m.worker)) ?? '',
});
notes.set(sha(miners[0].worker), 'Belongs to Grace.\nCall before you ban: +1 555 0100');

const minerList = () => ({
  updated_at: iso(Date.now()),
  total: miners.length,
  matching: miners.length,
  strike_limit: 100,
  miners: miners.map(withNote),
});

function dropMiner(id) {
  const at = miners.findIndex((m) => m.id === id);
  if (at < 0) return refuse(404, 'no such connection');
  miners.splice(at, 1);
  return done();
}

// ── accounts ──

const accounts = [
  ['a1', 'ada', 'local', 'operator', 2, 5],
  ['b2', 'grace', 'local', 'owner', 1, 3],
  ['c3', 'Linus \u202eresrever', 'example-id', 'viewer', 0, 64],
].map(([id, name, provider, role, sessions, saved]) => ({
  id,
  name,
  ...(id === 'b2' && { email: 'grace@example.org' }),
  provider,
  role,
  disabled: id === 'c3',
  created_at: iso(started - 8e9),
  ...(sessions > 0 && { last_seen: iso(started - 6e5) }),
  sessions,
  saved_workers: saved,
}));

function account(id, then) {
  const found = accounts.find((a) => a.id === id);
  return found ? then(found) : refuse(404, 'no such account');
}

const lastOperator = (a) =>
  a.role === 'operator' && accounts.filter((b) => b.role === 'operator').length === 1;

function changeAccount(id, body) {
  return account(id, (a) => {
    const falls = body.disabled === true || (body.role !== undefined && body.role !== 'operator');
    if (falls && lastOperator(a)) {
      return refuse(409, 'the last operator cannot be removed, disabled or demoted');
    }
    Object.assign(a, body);
    return done();
  });
}

function addAccount(body) {
  if (accounts.some((a) => a.name === body.name)) return refuse(409, 'the name is taken');
  const made = {
    id: hex(8),
    provider: 'local',
    disabled: false,
    created_at: iso(Date.now()),
    sessions: 0,
    saved_workers: 0,
    ...body,
  };
  accounts.push(made);
  return json({ id: made.id, password: hex(12) });
}

function deleteAccount(id) {
  return account(id, (a) => {
    if (lastOperator(a)) return refuse(409, 'the last operator cannot be removed');
    accounts.splice(accounts.indexOf(a), 1);
    return done();
  });
}

// ── the log ──

const PARTS = ['pool', 'stratum', 'http', 'node', 'backup', ''];
const SAYINGS = [
  ['info', 'miner connected', { worker: 'bc1q….rig7', remote: '203.0.113.7:51234' }],
  ['debug', 'share taken', { difficulty: '1024', worker: 'bc1q….rig9' }],
  ['warn', 'connection dropped', { reason: 'strike_limit', agent: '<script>\u202egnp' }],
  ['info', 'new block template', { height: '912345', transactions: '3120' }],
  ['error', 'backup failed', { target: 's3', err: 'dial tcp 192.0.2.1:443: i/o timeout' }],
];
const lines = [];
let level = 'info';
let levelUntil;
function say() {
  const id = (lines.at(-1)?.id ?? 0) + 1;
  const [l, message, attrs] = SAYINGS[Math.floor(Math.random() ** 2 * SAYINGS.length)];
  lines.push({ id, at: iso(Date.now()), level: l, part: PARTS[id % PARTS.length], message, attrs });
  if (lines.length > 8_000) lines.shift();
}
for (let i = 0; i < 6_000; i++) say();
setInterval(say, 400);

function logPage(query) {
  const after = Number(query.get('after') ?? 0);
  const found = lines.filter((line) => line.id > after).slice(-Number(query.get('limit') ?? 500));
  return {
    level,
    configured_level: 'info',
    ...(levelUntil && { level_until: iso(levelUntil) }),
    lines: found,
    next: found.at(-1)?.id ?? after,
    dropped: 0,
    parts: PARTS.filter(Boolean),
  };
}

function setLevel(body) {
  level = body.minutes > 0 ? body.level : 'info';
  levelUntil = body.minutes > 0 ? Date.now() + body.minutes * 60_000 : undefined;
  return done();
}

// ── the audit trail ──

const DEEDS = [
  ['ada', 'ban.add', '203.0.113.9', 'until it is lifted: junk', false],
  ['', 'session.sign_in', 'root', 'wrong password', true],
  ['grace', 'session.sign_in', 'grace', '', false],
  ['token', 'settings.save', 'poolscope.toml', 'difficulty.start, http.token', false],
  ['this machine', 'miner.disconnect', hex(4), '', false],
];
const actions = Array.from({ length: 340 }, (_, i) => {
  const [user, name, target, detail, failed] = DEEDS[i % DEEDS.length];
  const at = iso(started - i * 1_234_567);
  return { id: 340 - i, at, user, address: '198.51.100.4', name, target, detail, failed };
});

function auditPage(query) {
  const before = Number(query.get('before') ?? Infinity);
  const q = (query.get('q') ?? '').toLowerCase();
  const limit = Number(query.get('limit') ?? 100);
  const all = actions.filter(
    (a) => a.id < before && Object.values(a).join(' ').toLowerCase().includes(q),
  );
  const page = all.slice(0, limit);
  return { actions: page, ...(all.length > limit && { next: page.at(-1).id }) };
}

// ── backups ──

let backupUntil = 0;
const backups = Array.from({ length: 14 }, (_, i) => ({
  name: `poolscope-${iso(started - i * 864e5).slice(0, 10)}.tar.zst.age`,
  target: i % 2 ? 's3' : 'local',
  at: iso(started - i * 864e5),
  bytes: 48_123_456 - i * 99_999,
  encrypted: true,
  verified: i !== 3,
  generation: [['last', 'daily'], ['daily'], ['weekly', 'monthly'], []][Math.min(i, i % 4)],
}));

const backupState = () => ({
  enabled: true,
  every_sec: 86_400,
  encrypted: true,
  running: Date.now() < backupUntil,
  targets: [
    {
      name: 'local',
      location: '/var/lib/poolscope/backups',
      last_success: iso(started - 36e5),
      made: 12,
      failed: 0,
    },
    {
      name: 's3',
      location: 's3.eu-central-003.backblazeb2.com/attic/pool',
      last_success: iso(started - 9e7),
      last_error: 'put object: 503 Service Unavailable: please slow down',
      made: 11,
      failed: 3,
    },
  ],
  backups,
});

function runBackup() {
  backupUntil = Date.now() + 8_000;
  return json({ asked: true }, 202);
}

// ── the program ──

const state = () => ({
  version: 'mock',
  commit: hex(20),
  go: 'go1.26.0',
  started_at: iso(started),
  uptime_sec: (Date.now() - started) / 1000,
  config_file: '/etc/poolscope/poolscope.toml',
  data_dir: '/var/lib/poolscope',
  database: '/var/lib/poolscope/poolscope.db',
  sizes: {
    at: iso(Date.now() - 20_000),
    data_dir: 2_345_678_901,
    database: 345_678_901,
    blocks: 4_123_456,
    capture: 1_234_567_890,
    backups: 48_123_456,
  },
  config: { reloads_applied: 3, reloads_refused: 1, restart_keys: 2 },
  backup: {
    running: false,
    encrypted: true,
    every_sec: 86_400,
    targets: backupState().targets,
  },
  providers: [
    { id: 'local', state: 'ready' },
    { id: 'clerk', state: 'not_reached', failed: 12 },
  ],
  discord: { connected: true, name: 'attic pool', delivered: 41, dropped: 0 },
  price: {
    value: 91_234.5,
    currency: 'eur',
    at: iso(Date.now() - 90_000),
    fetched: 12,
    failed: 1,
  },
  log_lines_lost: 0,
  actions_dropped: 2,
  refused: { cross_site: 0, unauthorized: 14, forbidden: 2, unconfirmed: 5 },
  sign_ins: { ok: 7, wrong: 3 },
});

// ── routes: method, pattern, answer ──

const ROUTES = [
  ['POST', /^\/api\/auth\/confirm$/, ({ body }) => confirm(body)],
  ['GET', /^\/api\/admin\/miners$/, () => json(minerList())],
  ['DELETE', /^\/api\/admin\/miners\/(\w+)$/, ({ id }) => dropMiner(id)],
  ['POST', /^\/api\/admin\/miners\/(\w+)\/ban$/, ({ id }) => dropMiner(id)],
  [
    'PUT',
    /^\/api\/admin\/notes\/(\w+)$/,
    ({ id, body }) => {
      notes.set(id, body.note);
      return done();
    },
  ],
  ['GET', /^\/api\/admin\/state$/, () => json(state())],
  ['GET', /^\/api\/admin\/logs$/, ({ query }) => json(logPage(query))],
  ['PUT', /^\/api\/admin\/logs\/level$/, ({ body }) => setLevel(body)],
  ['GET', /^\/api\/admin\/audit$/, ({ query }) => json(auditPage(query))],
  ['GET', /^\/api\/admin\/backups$/, () => json(backupState())],
  ['POST', /^\/api\/admin\/backups$/, () => confirmed(runBackup)()],
  ['GET', /^\/api\/admin\/settings$/, () => json(settingsForm())],
  ['POST', /^\/api\/admin\/settings\/check$/, ({ body }) => json(checkSettings(body))],
  ['POST', /^\/api\/admin\/settings$/, ({ body }) => confirmed(() => saveSettings(body))()],
  ['POST', /^\/api\/admin\/restart$/, () => confirmed(restart)()],
  ['GET', /^\/api\/admin\/accounts$/, () => json({ accounts })],
  ['POST', /^\/api\/admin\/accounts$/, ({ body }) => confirmed(() => addAccount(body))()],
  [
    'PATCH',
    /^\/api\/admin\/accounts\/(\w+)$/,
    ({ id, body }) => confirmed(() => changeAccount(id, body))(),
  ],
  ['DELETE', /^\/api\/admin\/accounts\/(\w+)$/, ({ id }) => confirmed(() => deleteAccount(id))()],
  [
    'POST',
    /^\/api\/admin\/accounts\/(\w+)\/password$/,
    ({ id }) => confirmed(() => account(id, () => json({ password: hex(12) })))(),
  ],
  [
    'DELETE',
    /^\/api\/admin\/accounts\/(\w+)\/sessions$/,
    ({ id }) =>
      confirmed(() =>
        account(id, (a) => {
          a.sessions = 0;
          return done();
        }),
      )(),
  ],
];

async function bodyOf(request) {
  let text = '';
  for await (const part of request) text += part;
  return text === '' ? {} : JSON.parse(text);
}

/** Answers a request, if it is one for operators: {status, value} or {status, text}. */
export async function answerOperator(request, url) {
  for (const [method, pattern, answer] of ROUTES) {
    const match = request.method === method && pattern.exec(url.pathname);
    if (match) {
      return answer({ id: match[1], body: await bodyOf(request), query: url.searchParams });
    }
  }
  return undefined;
}
