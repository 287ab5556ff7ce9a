// The settings of the mock: a few keys of each kind, and a file that is changed
// in memory only. See mock-admin.mjs.
import { createHash } from 'node:crypto';

const KEYS = [
  ['', 'data_dir', 'string', 'data', 'Folder for everything that poolscope keeps.'],
  ['http', 'listen', 'string', '127.0.0.1:8000', 'Address as host:port.', { dangerous: true }],
  ['http', 'token', 'secret', '', 'Access token for what is not public.', { live: true }],
  ['stratum', 'listen', 'list', [':3333'], 'Addresses for plain Stratum V1, as host:port.'],
  [
    'stratum',
    'tip_first',
    'bool',
    true,
    'Start on a new tip at once with a block without transactions.',
    { live: true },
  ],
  [
    'difficulty',
    'start',
    'number',
    1024,
    'Difficulty of a new miner that does not suggest one itself.',
    { live: true },
  ],
  ['abuse', 'ban_after', 'integer', 5, 'Dropped connections.', { live: true, min: 0, max: 100 }],
  ['abuse', 'ban_time', 'duration', '15m', 'How long a first ban lasts.', { live: true }],
  [
    'payout',
    'fee_percent',
    'number',
    0,
    'Part of a block that goes to fee_address.',
    { live: true, unit: '%', dangerous: true },
  ],
  [
    'network',
    'chain',
    'choice',
    '',
    'Network that the node must be on.',
    { choices: ['', 'main', 'test', 'testnet4', 'signet', 'regtest'], dangerous: true },
  ],
  [
    'log',
    'level',
    'choice',
    'info',
    'Least important messages that are shown.',
    {
      live: true,
      choices: ['debug', 'info', 'warn', 'error'],
      origin: { kind: 'env', source: 'POOLSCOPE_LOG_LEVEL' },
      locked: 'set by the environment variable POOLSCOPE_LOG_LEVEL; change it there',
    },
  ],
];
const NODE_KEYS = [
  ['node', 'name', 'string', '', 'Name on the page and in the log.'],
  ['node', 'url', 'string', '', 'Address of the node’s JSON-RPC server.', { dangerous: true }],
  ['node', 'password', 'secret', '', 'Password for the RPC server.', { dangerous: true }],
];

/** What the file says, key by key. */
let file = new Map([
  ['http.token', 'sesame'],
  ['difficulty.start', 2048],
  ['node.1.name', 'attic'],
  ['node.1.url', 'http://10.0.0.7:8332'],
]);
const inForce = new Map(file);

const textOf = (all) =>
  [...all].map(([key, v]) => `${key} = ${key.endsWith('token') ? '"…"' : JSON.stringify(v)}`);
const base = () => createHash('sha256').update(textOf(file).join('\n')).digest('hex');

function keyView([section, name, type, standard, doc, more = {}], number) {
  const key = [section, number, name].filter((part) => part !== undefined && part !== '').join('.');
  const inFile = file.has(key);
  const line = [...file.keys()].indexOf(key) + 1;
  return {
    key,
    name,
    type,
    doc,
    ...(type === 'secret'
      ? { set: inForce.has(key) }
      : {
          default: standard,
          value: inForce.get(key) ?? standard,
          ...(inFile && { file: file.get(key) }),
        }),
    in_file: inFile,
    origin: inFile ? { kind: 'file', source: 'poolscope.toml', line } : { kind: 'default' },
    live: false,
    secret: type === 'secret',
    dangerous: false,
    ...more,
  };
}

const nodes = () =>
  [...new Set([...file.keys()].map((key) => /^node\.(\d+)\./.exec(key)?.[1]))]
    .filter(Boolean)
    .map(Number);

/** GET /api/admin/settings. */
export function settingsForm() {
  const sections = [...new Set(KEYS.map(([section]) => section))].map((name) => ({
    name,
    doc: name === '' ? '' : `What is about ${name}.`,
    repeated: false,
    keys: KEYS.filter(([section]) => section === name).map((key) => keyView(key)),
  }));
  sections.push({
    name: 'node',
    doc: 'Bitcoin nodes, in order of preference.',
    repeated: true,
    keys: NODE_KEYS.map((key) => keyView(key, '*')),
    entries: nodes().map((number) => ({
      number,
      in_file: true,
      keys: NODE_KEYS.map((key) => keyView(key, number)),
    })),
  });
  const known = sections.flatMap((s) => [...s.keys, ...(s.entries ?? []).flatMap((e) => e.keys)]);
  const waiting = known.filter((k) => k.in_file && file.get(k.key) !== inForce.get(k.key));
  return {
    file: '/etc/poolscope/poolscope.toml',
    writable: true,
    base: base(),
    problems: [],
    unread: [],
    waiting: waiting.map((k) => k.key),
    sections,
  };
}

function changed(changes) {
  const next = new Map(file);
  for (const [key, value] of Object.entries(changes)) {
    if (value !== null) next.set(key, value);
    else for (const k of file.keys()) if (k === key || k.startsWith(`${key}.`)) next.delete(k);
  }
  return next;
}

const isLive = (key) => KEYS.some(([s, n, , , , more]) => `${s}.${n}` === key && more?.live);

/** POST /api/admin/settings/check. */
export function checkSettings({ changes }) {
  const before = textOf(file);
  const after = textOf(changed(changes));
  const keys = Object.keys(changes);
  const problems = keys
    .filter((key) => key.endsWith('listen') && !String(changes[key]).includes(':'))
    .map((key) => ({ key, message: 'must be host:port' }));
  const diff = [
    '--- configuration',
    '+++ configuration',
    `@@ -1,${before.length} +1,${after.length} @@`,
    ...before.map((line) => (after.includes(line) ? ` ${line}` : `-${line}`)),
    ...after.filter((line) => !before.includes(line)).map((line) => `+${line}`),
  ];
  return {
    problems,
    warnings: [],
    diff: `${diff.join('\n')}\n`,
    live: keys.filter(isLive),
    restart: keys.filter((key) => !isLive(key)),
    base: base(),
  };
}

/** POST /api/admin/settings. */
export function saveSettings({ changes, base: seen }) {
  if (seen !== base()) {
    return { status: 409, text: 'the file has changed since it was read; look at it again' };
  }
  file = changed(changes);
  for (const key of Object.keys(changes)) if (isLive(key)) inForce.set(key, file.get(key));
  const restarting = Object.keys(changes).filter((key) => !isLive(key));
  const live = Object.keys(changes).filter(isLive);
  const backup = 'poolscope.toml.20261122T140000Z';
  return { status: 200, value: { live, restart: restarting, backup, base: base() } };
}

/** POST /api/admin/restart: the mock goes on as it is. */
export function restart() {
  return { status: 409, text: 'no restart: this is a mock' };
}
