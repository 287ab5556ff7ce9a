// Identity providers on this machine, and a pool that trusts them: a real OpenID
// Connect provider (oidc-provider), whose keys also sign the session tokens of a
// Clerk that is played here.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createPrivateKey, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { until } from './browser.mjs';

const require = createRequire(new URL('../../ui/package.json', import.meta.url));
const binary =
  process.env.POOLSCOPE_BINARY ?? fileURLToPath(new URL('../../bin/poolscope', import.meta.url));

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * Starts a pool and its providers. The pool comes first, so that it has to wait
 * for them. The OpenID Connect provider is at "localhost" and the pool at 127.0.0.1:
 * for a browser these are two sites. Clerk's API is on the pool's own site, as in
 * production.
 */
export async function startHouse() {
  const house = { people: new Map(), clerk: { sessions: new Map(), tokenLife: 60 } };
  let answer = (_request, response) => response.writeHead(503).end('not yet');
  const server = createServer((request, response) => answer(request, response));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  house.issuer = `http://localhost:${port}`;
  house.clerk.api = `http://127.0.0.1:${port}`;

  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  house.key = { ...privateKey.export({ format: 'jwk' }), kid: 'key-1', use: 'sig', alg: 'RS256' };

  house.dir = await mkdtemp(join(tmpdir(), 'poolscope-identity-'));
  const config = join(house.dir, 'config.toml');
  await writeFile(config, configuration(house));
  const child = spawn(binary, ['pool', '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  house.log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (d) => (house.log += d));
  child.on('error', (error) => (house.log += error));
  house.pool = await until(async () => {
    assert.equal(child.exitCode, null, `the pool ended: ${house.log}`);
    const ports = await readFile(join(house.dir, 'data', 'ports.json'), 'utf8').catch(() => '');
    return ports && `http://${JSON.parse(ports).http}`;
  }, 'a running pool');

  house.waited = await fetch(`${house.pool}/api/auth/oidc/corp/start`, { method: 'POST' });
  answer = await providers(house);
  house.stop = async () => {
    child.kill('SIGTERM');
    await new Promise((done) => (child.exitCode === null ? child.once('exit', done) : done()));
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await rm(house.dir, { recursive: true, force: true });
  };
  await until(async () => {
    const start = await fetch(`${house.pool}/api/auth/oidc/corp/start`, { method: 'POST' });
    const refresh = await bring(house, 'x');
    return start.ok && refresh.status === 401;
  }, 'a pool that knows its providers');
  return house;
}

const configuration = ({ dir, issuer, clerk }) => `
data_dir = "${join(dir, 'data')}"

[http]
listen = "127.0.0.1:0"
token = "a token, so that being at this machine is not enough"

[auth]
operators = ["boss@pool.example", "chief@pool.example"]
clerk_issuer_url = "${issuer}"
clerk_jwks_url = "${issuer}/jwks"
clerk_publishable_key = "pk_test_played"
clerk_frontend_api_url = "${clerk.api}"
clerk_signin_url = "${clerk.api}/hosted/sign-in"

[[oidc]]
id = "corp"
name = "Corp"
issuer = "${issuer}"
client_id = "poolscope"
client_secret = "a secret of the client's"
logout = "provider"

[stratum]
listen = ["127.0.0.1:0"]
tls_listen = []

[scope]
journal = false

[[node]]
url = "http://127.0.0.1:9"
`;

/** The OpenID Connect provider, and Clerk's routes in front of it. */
async function providers(house) {
  const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);
  const provider = new Provider(house.issuer, {
    clients: [
      {
        client_id: 'poolscope',
        client_secret: "a secret of the client's",
        redirect_uris: [`${house.pool}/api/auth/oidc/corp/callback`],
        post_logout_redirect_uris: [`${house.pool}/`],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: [randomUUID()] },
    jwks: { keys: [house.key] },
    pkce: { required: () => true },
    ttl: { Session: 600, Grant: 600, Interaction: 600, AccessToken: 600, IdToken: 600 },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: `The ${id}`,
        email: `${id}@pool.example`,
        email_verified: house.people.get(id)?.verified ?? true,
      }),
    }),
  });
  const pages = provider.callback();
  return (request, response) => {
    if (clerk(house, request, response)) return;
    hold(house, response);
    pages(request, response);
  };
}

/**
 * Keeps the provider's answer away from the pool while `house.hold` is set, and
 * in `house.held`: what somebody has who reads along.
 */
function hold(house, response) {
  const set = response.setHeader.bind(response);
  response.setHeader = (name, value) => {
    if (house.hold && name.toLowerCase() === 'location' && `${value}`.includes('/callback?')) {
      house.held = value;
      return set(name, `${house.issuer}/held`);
    }
    return set(name, value);
  };
}

/** A Clerk session's token, signed with the provider's key. */
export function sessionToken(house, session, claims = {}) {
  const now = Math.floor(Date.now() / 1000);
  const head = encode({ alg: 'RS256', kid: 'key-1', typ: 'JWT' });
  const body = encode({
    iss: house.issuer,
    sub: `user_${session}`,
    sid: session,
    azp: house.pool,
    iat: now,
    nbf: now - 10,
    exp: now + house.clerk.tokenLife,
    sts: 'active',
    v: 2,
    jti: randomUUID(),
    ...claims,
  });
  const signer = createSign('RSA-SHA256').update(`${head}.${body}`);
  const key = createPrivateKey({ key: house.key, format: 'jwk' });
  return `${head}.${body}.${signer.sign(key, 'base64url')}`;
}

/** Brings a session token to the pool, as a program does. */
export function bring(house, token) {
  return fetch(`${house.pool}/api/auth/session-refresh`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
  });
}

/** Clerk's frontend API and hosted page, as far as a sign-in needs them. */
function clerk(house, request, response) {
  const url = new URL(request.url, house.issuer);
  const session = /clerk_session=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
  const alive = session && house.clerk.sessions.get(session) ? session : undefined;
  const cors = {
    'Access-Control-Allow-Origin': house.pool,
    'Access-Control-Allow-Credentials': 'true',
  };
  switch (url.pathname) {
    case '/npm/@clerk/clerk-js@5/dist/clerk.browser.js':
      response.writeHead(200, { ...cors, 'Content-Type': 'text/javascript' });
      response.end(`(${script})(${JSON.stringify(house.clerk.api)})`);
      return true;
    case '/v1/session':
      response.writeHead(200, { ...cors, 'Content-Type': 'application/json' });
      response.end(
        JSON.stringify({ token: alive ? sessionToken(house, alive, { fva: [0, -1] }) : null }),
      );
      return true;
    case '/v1/end':
      house.clerk.sessions.set(session, false);
      response.writeHead(200, cors).end('{}');
      return true;
    case '/hosted/sign-in': {
      const back = url.searchParams.get('redirect_url');
      if (!url.searchParams.has('yes')) {
        url.searchParams.set('yes', '1');
        response.writeHead(200, { 'Content-Type': 'text/html' });
        response.end(`<a href="${url.pathname}?${url.searchParams}">Sign in at Clerk</a>`);
        return true;
      }
      const id = `sess${house.clerk.sessions.size + 1}`;
      house.clerk.sessions.set(id, true);
      response.writeHead(302, {
        Location: back,
        'Set-Cookie': `clerk_session=${id}; Path=/; HttpOnly; SameSite=Lax`,
      });
      response.end();
      return true;
    }
    default:
      return false;
  }
}

/** What stands in for Clerk's own script; runs in the page. */
function script(api) {
  const ask = async (path) => (await fetch(api + path, { credentials: 'include' })).json();
  const session = { getToken: async () => (await ask('/v1/session')).token };
  window.Clerk = {
    session: null,
    async load() {
      this.session = (await ask('/v1/session')).token ? session : null;
    },
    async signOut(then) {
      await ask('/v1/end');
      this.session = null;
      then?.();
    },
  };
}
