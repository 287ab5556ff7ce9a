// The part of the mock that is about alerts. A channel whose name has "broken"
// in it fails its test; a mailbox is confirmed by the code 123456.
import { randomBytes } from 'node:crypto';

const iso = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const started = Date.now();
const newID = () => randomBytes(8).toString('hex');
const error = (status, text) => ({ status, text, headers: {} });

const secret = (key, label, help) => ({
  key,
  label,
  type: 'password',
  required: true,
  secret: true,
  ...(help && { help }),
});
const text = (key, label, required, help) => ({
  key,
  label,
  type: 'text',
  required,
  secret: false,
  ...(help && { help }),
});
const services = [
  {
    id: 'ntfy',
    name: 'ntfy',
    fields: [
      { ...text('server', 'Server', false, 'Empty: https://ntfy.sh'), type: 'url' },
      secret('topic', 'Topic', 'Who knows the topic can read it'),
    ],
  },
  {
    id: 'telegram',
    name: 'Telegram',
    fields: [
      secret('token', 'Bot token', 'As @BotFather gave it'),
      text('chat', 'Chat ID', true, 'A number, or @channel'),
    ],
  },
  {
    id: 'email',
    name: 'E-mail',
    confirm: true,
    fields: [{ ...text('address', 'Address', true), type: 'email' }],
  },
].map((s) => ({ operator: false, managed: false, confirm: false, ...s }));

const kinds = [
  ['worker_offline', 'A worker went offline'],
  ['worker_online', 'A worker is back'],
  ['best_share', 'A new best share'],
  ['block_found', 'A block was found', 'pool'],
  ['block_confirmed', 'A found block is confirmed', 'pool'],
  ['block_stale', 'A found block came to nothing', 'pool'],
  ['reject_rate', 'Many shares are rejected'],
  ['node_trouble', 'Trouble with a Bitcoin node begins', 'operator'],
  ['scope_alarm', 'The microscope raised an alarm', 'operator'],
].map(([kind, title, who]) => ({
  kind,
  title,
  operator: who === 'operator',
  pool: who === 'pool',
}));

const channels = [
  {
    id: newID(),
    kind: 'ntfy',
    name: 'My phone',
    enabled: true,
    settings: {},
    secrets_set: ['topic'],
    quiet: { from: '22:00', to: '07:00', zone: 'Europe/Berlin', blocks: true },
    confirmed: true,
    last_sent_at: iso(started - 700_000),
  },
  {
    id: newID(),
    kind: 'telegram',
    name: 'A broken bot 🤖',
    enabled: true,
    settings: { chat: '@pool' },
    secrets_set: ['token'],
    confirmed: true,
    last_error: 'the bot was blocked by the user',
    error_at: iso(started - 300_000),
  },
].map((c) => ({ shared: false, created_at: iso(started), ...c }));

const rules = [
  {
    id: newID(),
    name: 'A worker stops',
    enabled: true,
    shared: false,
    events: ['worker_offline', 'worker_online', 'reject_rate'],
    scope: 'saved',
    workers: [],
    alarms: [],
    channels: channels.map((c) => c.id),
    offline_after_sec: 300,
    reject_percent: 5,
    reject_window_sec: 1800,
    reject_min_shares: 50,
    min_difficulty: 0,
    created_at: iso(started),
  },
];

const recent = [
  ['sent', 'worker_online', 'good', 'nerdminer is back after 12 min.'],
  [
    'failed',
    'worker_offline',
    'warning',
    'nerdminer is offline.',
    'the bot was blocked by the user',
  ],
  ['queued', 'block_found', 'good', 'Block 912,345 was found by garage-s19.', 'connection refused'],
  ['dropped', 'best_share', 'info', 'A best share of 3.42 G.', 'older than a day'],
].map(([state, kind, severity, line, why], i) => ({
  id: 10 - i,
  channel_id: channels[i % 2].id,
  kind,
  severity,
  text: line,
  at: iso(started - i * 720_000),
  state,
  attempts: state === 'queued' ? 3 : 1,
  ...(state === 'queued' && { next_try_at: iso(started + 240_000) }),
  ...(why && { error: why }),
  updated_at: iso(started - i * 720_000),
}));

function change(channel, { name, enabled, settings = {}, quiet }) {
  const service = services.find((s) => s.id === channel.kind);
  if (name !== undefined) channel.name = name;
  if (enabled !== undefined) channel.enabled = enabled;
  if (quiet) channel.quiet = quiet.from === '' ? undefined : quiet;
  for (const [key, value] of Object.entries(settings)) {
    const field = service.fields.find((f) => f.key === key);
    if (field.secret) channel.secrets_set = [...new Set([...channel.secrets_set, key])];
    else channel.settings[key] = value;
  }
  return channel;
}

const channel = (id) => channels.find((c) => c.id === id);

/** Routes for whoever is signed in, as mock-people.mjs has them. */
export const alerts = {
  'GET /api/alerts': () => ({
    channels,
    rules,
    recent,
    events: kinds,
    alarm_kinds: ['stale_job', 'clock_skew', 'reject_burst'],
    services,
  }),
  'POST /api/alerts/channels': ({ kind, ...wanted }) => {
    const service = services.find((s) => s.id === kind);
    const made = {
      id: newID(),
      kind,
      name: service.name,
      enabled: true,
      shared: false,
      settings: {},
      secrets_set: [],
      confirmed: !service.confirm,
      created_at: iso(Date.now()),
    };
    channels.push(change(made, wanted));
    return { status: 201, body: made };
  },
  'PATCH /api/alerts/channels/*': (wanted, id) => change(channel(id), wanted),
  'DELETE /api/alerts/channels/*': (_, id) => {
    channels.splice(channels.indexOf(channel(id)), 1);
    for (const r of rules) r.channels = r.channels.filter((c) => c !== id);
    return { ok: true };
  },
  'POST /api/alerts/channels/*/test': (_, id) => {
    if (!channel(id).name.includes('broken')) return { ok: true };
    return error(502, 'not sent: the bot was blocked by the user');
  },
  'POST /api/alerts/channels/*/code': () => ({ ok: true }),
  'POST /api/alerts/channels/*/confirm': ({ code }, id) => {
    if (code !== '123456') return error(400, 'this is not the code');
    return Object.assign(channel(id), { confirmed: true });
  },
  'POST /api/alerts/rules': (wanted) => {
    const made = { ...rules[0], id: newID(), enabled: true, ...wanted };
    rules.push(made);
    return { status: 201, body: made };
  },
  'PATCH /api/alerts/rules/*': (wanted, id) =>
    Object.assign(
      rules.find((r) => r.id === id),
      wanted,
    ),
  'DELETE /api/alerts/rules/*': (_, id) => {
    rules.splice(
      rules.findIndex((r) => r.id === id),
      1,
    );
    return { ok: true };
  },
};
