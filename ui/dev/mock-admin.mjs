// What the mock answers to operators: /api/auth/session and /api/admin/…, with
// the password "mock" where one is asked for. See mock.mjs.
import { createHash, randomBytes } from 'node:crypto';

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

const session = () => ({
  signed_in: true,
  user: {
    id: 'a1',
    name: 'ada',
    provider: 'local',
    role: 'operator',
    created_at: iso(started - 9e9),
  },
  session_id: 's1',
  expires_at: iso(started + 9e9),
  ...(Date.now() < confirmedUntil && { confirmed_until: iso(confirmedUntil) }),
  operator: true,
  local: false,
  providers: { local: true, registration: false, oidc: [] },
});

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
const withNote = (m) => ({ ...m, note: notes.get(sha(m.worker)) ?? '' });
notes.set(sha(miners[0].worker), 'Belongs to Grace.\nCall before you ban: +1 555 0100');

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

// ── routes: method, pattern, answer ──

const ROUTES = [
  ['GET', /^\/api\/auth\/session$/, () => json(session())],
  ['POST', /^\/api\/auth\/confirm$/, ({ body }) => confirm(body)],
  ['GET', /^\/api\/admin\/miners$/, () => json({ miners: miners.map(withNote) })],
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
