// The part of the mock that is about people: signing in, saved workers, alerts.
// An operator is signed in to begin with. Whoever signs out may come back under
// any name with the password "mock mock 1"; only `operator` is one.
import { createHash, randomBytes } from 'node:crypto';
import { alerts } from './mock-alerts.mjs';

const iso = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const hashOf = (name) => createHash('sha256').update(name).digest('hex');
const hex = (bytes) => randomBytes(bytes).toString('hex');
const started = Date.now();
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

let user = person('operator');
let failures = 0;
const sessions = [
  {
    id: 'a1',
    created_at: iso(started - 86_400_000),
    last_seen: iso(started - 20_000),
    user_agent:
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
    address: '127.0.0.1',
  },
  {
    id: 'b2',
    created_at: iso(started - 9 * 86_400_000),
    last_seen: iso(started - 3 * 86_400_000),
    user_agent:
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
    address: '2001:db8::7',
  },
  {
    id: 'c3',
    created_at: iso(started - 2 * 86_400_000),
    last_seen: iso(started - 86_400_000),
    user_agent: 'curl/8.14.1',
    address: '192.0.2.44',
  },
].map((s) => ({ ...s, provider: 'local', expires_at: iso(started + 20 * 86_400_000) }));

const saved = new Map();
const claims = new Map();
function save(name, more = {}) {
  const hash = hashOf(name);
  const rate = 10 ** (6 + Math.random() * 2);
  saved.set(hash, {
    name,
    hash,
    online: Math.random() < 0.75,
    notify: true,
    owned: false,
    rate,
    ...more,
  });
  return hash;
}
save(`${ADDRESS}.demo-1`, { online: true, owned: true });
save(`${ADDRESS}.garage-s19`, { online: true, connections: 3 });
save(`${ADDRESS}.nerdminer`, { online: false, rate: 0 });
save(`${ADDRESS}.مِنجَم-⛏️-شمالي`, { online: true });
save(`${ADDRESS}.${'very-long-name-of-a-rig'.repeat(9)}`, { online: true });
save('bcrt1qfirst', { online: false, never: true });

function entries() {
  const online = [];
  const offline = [];
  let seq = 100;
  for (const w of saved.values()) {
    const claim = claims.get(w.hash);
    if (claim?.redeemAt && Date.now() > claim.redeemAt) {
      w.owned = true;
      claims.delete(w.hash);
    }
    for (let n = 0; n < (w.online ? (w.connections ?? 1) : 1); n++) {
      const entry = {
        name: w.name,
        hash: w.hash,
        online: w.online,
        notify_enabled: w.notify,
        best_difficulty: w.never ? 0 : 12.5e3,
        hashrate: w.online ? w.rate * (1 + Math.random() * 0.02) : 0,
        shares_per_minute: w.online ? 14.2 : 0,
        accepted: w.online ? 4211 : 0,
        rejected: w.online ? 17 : 0,
        difficulty: w.online ? 512 : 0,
        owned: w.owned,
        ...(w.online && {
          last_online_at: iso(Date.now()),
          last_share: iso(Date.now() - 4_000),
          connection_seq: seq++,
          connection_duration_seconds: (Date.now() - started) / 1000 + 7200 * (n + 1),
          estimated_ping_p50_ms: 23.4,
          estimated_ping_p95_ms: 41.2,
        }),
        ...(!w.online && !w.never && { last_online_at: iso(started - 5 * 3600e3) }),
        ...(!w.never && { uptime_percent_24h: w.online ? 98.7 : 61 }),
        ...(claims.has(w.hash) && {
          claim: { code: claims.get(w.hash).code, expires_at: claims.get(w.hash).expires_at },
        }),
      };
      (w.online ? online : offline).push(entry);
    }
  }
  return { online, offline };
}

function savedWorkers() {
  const { online, offline } = entries();
  return {
    updated_at: iso(Date.now()),
    saved_max: 64,
    saved_count: saved.size,
    online_count: [...saved.values()].filter((w) => w.online).length,
    discord_registered: true,
    discord_notify_enabled: true,
    best_difficulty: 12.5e3,
    online_workers: online,
    offline_workers: offline,
  };
}

function history() {
  const workers = {};
  for (const w of saved.values()) {
    if (w.never) continue;
    const points = [];
    for (let i = 144; i > 0; i--) {
      const at = started - i * 600_000;
      const gone = (!w.online && i < 30) || (i > 80 && i < 90);
      const wave = 1 + 0.2 * Math.sin(i / 9) + 0.1 * Math.random();
      points.push({ at: iso(at), hashrate: gone ? 0 : (w.rate || 2e5) * wave });
    }
    workers[w.hash] = points;
  }
  return { workers };
}

const error = (status, text, headers = {}) => ({ status, text, headers });
const providers = {
  local: true,
  registration: true,
  oidc: [{ id: 'home', name: 'Home Assistant' }],
  clerk: { sign_in_url: 'https://accounts.example/sign-in' },
};

function session() {
  return {
    signed_in: user !== undefined,
    ...(user && { user, session_id: 'a1', expires_at: iso(started + 20 * 86_400_000) }),
    operator: user?.role === 'operator',
    local: false,
    providers,
  };
}

function person(name) {
  return {
    id: hex(16),
    name,
    provider: 'local',
    role: name === 'operator' ? 'operator' : 'viewer',
    email: 'somebody@example.org',
    created_at: iso(started - 40 * 86_400_000),
  };
}

function signIn({ name, password }) {
  if (password !== 'mock mock 1') {
    if (++failures % 4 === 0)
      return error(429, 'too many attempts; try again in 12 seconds', { 'Retry-After': '12' });
    return error(401, 'wrong name or password');
  }
  user = person(name);
  return { ok: true };
}

/** Routes for whoever is signed in: method and path, `*` for one part of it. */
const own = {
  ...alerts,
  'GET /api/auth/sessions': () => ({
    sessions: sessions.map((s) => ({ ...s, current: s.id === 'a1' })),
  }),
  'DELETE /api/auth/sessions': () => ({ ok: true, ended: sessions.splice(1).length }),
  'DELETE /api/auth/sessions/*': (_, id) => {
    sessions.splice(
      sessions.findIndex((s) => s.id === id),
      1,
    );
    return { ok: true };
  },
  'POST /api/auth/password': ({ current }) =>
    current === 'mock mock 1' ? { ok: true } : error(401, 'wrong name or password'),
  'GET /api/saved-workers': savedWorkers,
  'GET /api/saved-workers/history': history,
  'POST /api/saved-workers': ({ name }) => {
    if (saved.has(hashOf(name))) return error(409, 'this worker is saved already');
    return { status: 201, body: { ok: true, hash: save(name) } };
  },
  'POST /api/saved-workers/import': ({ address }) => {
    const added = ['attic', 'cellar'].map((rig) => `${address}.${rig}`);
    for (const name of added) save(name);
    return { added, known: 1, left_out: 0 };
  },
  'POST /api/saved-workers/notify-enabled': ({ hash, enabled }) => {
    saved.get(hash).notify = enabled;
    return { ok: true, enabled };
  },
  'DELETE /api/saved-workers/*': (_, hash) => ({ ok: saved.delete(hash) }),
  'POST /api/saved-workers/*/claim': (_, hash) => {
    const claim = {
      code: 'own-tiger-lamp-quiet-47',
      expires_at: iso(Date.now() + 15 * 60_000),
      message: `poolscope: I own ${saved.get(hash).name}, code own-tiger-lamp-quiet-47`,
      address: ADDRESS,
      redeemAt: Date.now() + 25_000,
    };
    claims.set(hash, claim);
    return claim;
  },
  'POST /api/saved-workers/*/claim/signature': ({ signature }, hash) => {
    if (signature.length < 40) return error(400, 'the signature is not one of this address');
    saved.get(hash).owned = true;
    claims.delete(hash);
    return { owned: true };
  },
  'DELETE /api/saved-workers/*/claim': (_, hash) => {
    claims.delete(hash);
    saved.get(hash).owned = false;
    return { ok: true };
  },
  'POST /api/saved-workers/*/restart': () => ({ connections: 1 }),
  'PUT /api/saved-workers/*/difficulty': () => ({ connections: 1 }),
  'GET /api/saved-workers/*/wire': () => ({
    tap: 'all',
    sessions: [
      { id: 's1', connected_at: iso(started), live: true, user_agent: 'bitaxe', messages: 3 },
    ],
  }),
  'GET /api/saved-workers/*/wire/*': () => ({
    session: 's1',
    live: true,
    next: 3,
    lines: ['mining.subscribe', 'mining.authorize', 'mining.submit'].map((method, i) => ({
      id: `s1-${i}`,
      ts_recv: iso(started + i * 1000),
      direction: i === 1 ? 'pool_to_miner' : 'miner_to_pool',
      raw: `${JSON.stringify({ id: i, method, params: [ADDRESS, 'x'.repeat(80)] })}\n`,
      raw_encoding: 'utf-8',
    })),
  }),
  'POST /api/saved-workers/one-time-code': () => ({
    code: 'POOL-tiger-lamp-quiet',
    expires_at: iso(Date.now() + 300_000),
  }),
  'POST /api/saved-workers/one-time-code/clear': () => ({ cleared: true }),
  'GET /api/discord': () => ({ registered: false, notify_enabled: false }),
  'POST /api/discord/unlink': () => ({ ok: true }),
  'POST /api/discord/notify-enabled': ({ enabled }) => ({ ok: true, enabled }),
};

const open = {
  'GET /api/auth/session': session,
  'POST /api/auth/sign-in': signIn,
  'POST /api/auth/register': ({ name }) => {
    if (name === 'taken') return error(409, 'this name is taken');
    return signIn({ name, password: 'mock mock 1' });
  },
  'POST /api/auth/sign-out': () => {
    user = undefined;
    return { ok: true };
  },
  'POST /api/auth/oidc/*/start': () => ({ location: 'https://id.example/authorize?mock=1' }),
};

function find(table, method, path) {
  for (const [route, handle] of Object.entries(table)) {
    const [wanted, pattern] = route.split(' ');
    if (wanted !== method) continue;
    const re = new RegExp(`^${pattern.replaceAll('*', '([^/]+)')}$`);
    const match = re.exec(path);
    if (match) return { handle, parts: match.slice(1) };
  }
  return undefined;
}

/** Answers what is about people; false for everything else. */
export async function people(request, response, path) {
  let found = find(open, request.method, path);
  if (!found) {
    found = find(own, request.method, path);
    if (found && !user) found = { handle: () => error(401, 'unauthorized'), parts: [] };
  }
  if (!found) return false;
  let text = '';
  for await (const chunk of request) text += chunk;
  const answer = found.handle(text === '' ? {} : JSON.parse(text), ...found.parts);
  if (answer.text !== undefined && answer.status) {
    response
      .writeHead(answer.status, { 'Content-Type': 'text/plain', ...answer.headers })
      .end(`${answer.text}\n`);
  } else {
    response
      .writeHead(answer.body ? answer.status : 200, { 'Content-Type': 'application/json' })
      .end(JSON.stringify(answer.body ?? answer));
  }
  return true;
}
