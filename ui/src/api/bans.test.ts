// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { answerToken, forgetToken, question } from '../scope/access';
import { NotAllowed } from '../scope/client';
import { ban, lift } from './bans';
import { ApiError, isRefused } from './client';

const order = { address: '203.0.113.7', duration_sec: 3600, reason: 'floods' };

interface Call {
  path: string;
  init: RequestInit;
}

let calls: Call[] = [];

/** A server that answers in turn; the last answer for ever. */
function server(...answers: [number, string][]) {
  calls = [];
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    const answer = answers[Math.min(calls.length, answers.length - 1)] ?? [500, ''];
    calls.push({ path, init });
    return Promise.resolve(
      new Response(answer[0] === 204 ? null : answer[1], { status: answer[0] }),
    );
  });
}

const sent = (call: number) => new Headers(calls[call]?.init.headers);

beforeEach(forgetToken);
afterEach(() => {
  vi.unstubAllGlobals();
});

it('needs no token where the server asks for none', async () => {
  server([201, '{}']);
  await ban(order);
  expect(calls[0]?.path).toBe('/api/bans');
  expect(sent(0).has('Authorization')).toBe(false);
  expect(JSON.parse(calls[0]?.init.body as string)).toEqual(order);
});

it('asks for the token where one is wanted, and says when it was wrong', async () => {
  server([401, 'unauthorized'], [401, 'unauthorized'], [204, '']);
  const done = lift('203.0.113.7');
  await vi.waitFor(() => {
    expect(question()).toMatchObject({ reason: 'operator', wrong: false });
  });
  answerToken('guess');
  await vi.waitFor(() => {
    expect(question()).toMatchObject({ wrong: true });
  });
  answerToken('right');
  await done;
  expect(calls.map((_, i) => sent(i).get('Authorization'))).toEqual([
    null,
    'Bearer guess',
    'Bearer right',
  ]);
});

it('changes nothing when the token is not given', async () => {
  server([403, 'forbidden']);
  const done = ban(order);
  await vi.waitFor(() => {
    expect(question()).toBeDefined();
  });
  answerToken(undefined);
  await expect(done).rejects.toBeInstanceOf(NotAllowed);
  expect(calls).toHaveLength(1);
});

it('passes on what the server says against a ban', async () => {
  server([400, 'address must be an IP address\n']);
  await expect(ban(order)).rejects.toThrow(new ApiError(400, 'address must be an IP address'));
  expect(question()).toBeUndefined();
});

it('keeps the slash of a network in the path', async () => {
  server([204, '']);
  await lift('2001:db8::/32');
  expect(calls[0]?.path).toBe('/api/bans/2001%3Adb8%3A%3A/32');
});

it('knows who may from who may not', () => {
  expect(isRefused(new ApiError(401, ''))).toBe(true);
  expect(isRefused(new ApiError(403, ''))).toBe(true);
  expect(isRefused(new ApiError(503, ''))).toBe(false);
  expect(isRefused(new TypeError('no network'))).toBe(false);
});
