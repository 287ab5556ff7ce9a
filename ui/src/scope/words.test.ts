import { expect, it } from 'vitest';
import { hasPool } from '../lib/pool';
import { detailText } from './client';
import { closeText, conflictText, numberOfMessage, sessionOfMessage, shortWorker } from './words';

it('says in a sentence what pool and audit disagree about', () => {
  expect(conflictText('rejected_though_valid')).toBe('The pool rejected it though it was valid.');
  expect(conflictText('accepted_though_low')).toContain('too low');
  expect(conflictText(null)).toBe('');
  expect(conflictText('something_new')).toBe('something new');
});

it('has words for reasons that it does not know', () => {
  expect(closeText('miner_closed')).toBe('Miner closed the connection');
  expect(closeText('of_a_newer_server')).toBe('Of a newer server');
});

it('shortens addresses and keeps what people know a rig by', () => {
  const name = 'bcrt1qdlh6uxgjgrnjfn02yyguq9e85a4k485zfwl6aa.garage.s19';
  expect(shortWorker(name)).toBe('bcrt1qdl...5zfwl6aa.garage.s19');
  expect(shortWorker('account.rig')).toBe('account.rig');
});

it('takes the id of a message apart', () => {
  expect(sessionOfMessage('4a00-9e22-17')).toBe('4a00-9e22');
  expect(numberOfMessage('4a00-9e22-17')).toBe('17');
});

it('reads every form of an error', () => {
  expect(detailText('{"detail":"Session not found"}', 'x')).toBe('Session not found');
  const list = '{"detail":[{"loc":["body","count"],"msg":"too large"}]}';
  expect(detailText(list, 'x')).toBe('count: too large');
  expect(detailText('plain text\n', 'x')).toBe('plain text');
  expect(detailText('', 'Bad Gateway')).toBe('Bad Gateway');
});

it('knows a scope without a pool', () => {
  expect(hasPool({ stratum: [], nodes: [], tag: '' })).toBe(false);
  expect(hasPool({ stratum: [{ url: 'x', tls: false, connections: 0 }], nodes: [], tag: '' })).toBe(
    true,
  );
});
