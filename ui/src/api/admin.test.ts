import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { answerToken, askForToken, forgetToken } from '../scope/access';
import { NotConfirmed, operate, readAdmin } from './admin';
import { ApiError } from './client';
import { answerProof, proofNeeded, subscribeToProofs, type Need } from './proof';

interface Sent {
  method: string;
  path: string;
  body: unknown;
  authorization: string | undefined;
}

let sent: Sent[] = [];
let answers: Response[] = [];
let asked: Need[] = [];
let unsubscribe: () => void = () => undefined;

beforeEach(() => {
  sent = [];
  asked = [];
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    const headers = init.headers as Record<string, string>;
    sent.push({
      method: init.method ?? 'GET',
      path,
      body: init.body === undefined ? undefined : JSON.parse(init.body as string),
      authorization: headers.Authorization,
    });
    const answer = answers.shift();
    return answer ? Promise.resolve(answer) : Promise.reject(new TypeError('no answer'));
  });
});

afterEach(() => {
  unsubscribe();
  forgetToken();
  vi.unstubAllGlobals();
});

/** Answers every question of the dialog so. */
function reply(given: boolean): void {
  unsubscribe = subscribeToProofs(() => {
    const need = proofNeeded();
    if (need === undefined) return;
    asked.push(need);
    queueMicrotask(() => {
      answerProof(given);
    });
  });
}

const refusal = (status: number, text: string) => new Response(`${text}\n`, { status });

it('asks for the password where the server wants it, and sends the same request again', async () => {
  reply(true);
  answers = [refusal(403, 'confirm'), Response.json({ password: 'x' })];
  const made = await operate<{ password: string }>('POST', '/api/admin/accounts', { name: 'ada' });
  expect(made.password).toBe('x');
  expect(asked).toEqual(['confirm']);
  expect(sent).toHaveLength(2);
  expect(sent[1]).toEqual(sent[0]);
  expect(sent[0]).toMatchObject({ method: 'POST', body: { name: 'ada' } });
});

it('does nothing when the password was not given', async () => {
  reply(false);
  answers = [refusal(403, 'confirm')];
  await expect(operate('DELETE', '/api/admin/accounts/1')).rejects.toBeInstanceOf(NotConfirmed);
  expect(sent).toHaveLength(1);
});

it('asks once only: a second refusal is an error', async () => {
  reply(true);
  answers = [refusal(403, 'confirm'), refusal(403, 'confirm')];
  await expect(operate('POST', '/api/admin/restart')).rejects.toEqual(new ApiError(403, 'confirm'));
  expect(asked).toEqual(['confirm']);
});

it('asks to sign in, and then for the password, when both are wanted', async () => {
  reply(true);
  answers = [refusal(401, 'unauthorized'), refusal(403, 'confirm'), new Response(null)];
  await expect(operate('POST', '/api/admin/restart')).resolves.toBeUndefined();
  expect(asked).toEqual(['sign-in', 'confirm']);
});

it('does not ask when that would not help', async () => {
  reply(true);
  answers = [refusal(403, 'forbidden')];
  await expect(operate('POST', '/api/admin/restart')).rejects.toThrow('forbidden');
  answers = [refusal(409, 'the last operator')];
  await expect(operate('DELETE', '/api/admin/accounts/1')).rejects.toThrow('the last operator');
  expect(asked).toEqual([]);
});

it('never asks for what refreshes by itself', async () => {
  reply(true);
  answers = [refusal(401, 'unauthorized')];
  await expect(readAdmin('/api/admin/miners')).rejects.toEqual(new ApiError(401, 'unauthorized'));
  expect(asked).toEqual([]);
});

it('sends the token along when one is known', async () => {
  const given = askForToken({ reason: 'operator', wrong: false });
  answerToken('sesame');
  await given;
  answers = [Response.json({ miners: [] })];
  await readAdmin('/api/admin/miners');
  expect(sent[0]?.authorization).toBe('Bearer sesame');
});
