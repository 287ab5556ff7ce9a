import { expect, it } from 'vitest';
import { filterQuery, isNarrow, matches, type MessageFilter } from './filter';
import { message, unanswered } from './fixture';

const share = { audit: 'valid', conflict: null, job: 'job' } as const;

it.each<[string, MessageFilter, boolean]>([
  ['nothing', {}, true],
  ['its session', { session: 'session' }, true],
  ['another session', { session: 'other' }, false],
  ['its direction', { direction: 'miner_to_pool' }, true],
  ['another direction', { direction: 'pool_to_miner' }, false],
  ['its method', { method: 'mining.submit' }, true],
  ['a part of its method', { method: 'mining' }, false],
  ['its worker', { worker: 'w.rig' }, true],
  ['text in another case', { text: 'MINING.Submit' }, true],
  ['text with quotes', { text: '"w.rig"' }, true],
  ['text that is not there', { text: 'notify' }, false],
  ['only errors', { errors: true }, false],
  ['accepted', { verdict: 'accepted' }, true],
  ['rejected', { verdict: 'rejected' }, false],
  ['valid', { verdict: 'valid' }, true],
  ['a conflict', { verdict: 'conflict' }, false],
  ['earlier than since', { since: '2026-01-01T12:00:01Z' }, false],
  ['until its own moment', { until: '2026-01-01T12:00:00.007Z' }, false],
  ['until later', { until: '2026-01-01T12:00:00.008Z' }, true],
])('%s', (_, filter, wanted) => {
  const m = message(7, { share: share as never });
  expect(matches(filter, m)).toBe(wanted);
});

it('tells shares without an answer from rejected ones', () => {
  expect(matches({ verdict: 'unanswered' }, unanswered(1))).toBe(true);
  expect(matches({ verdict: 'rejected' }, message(1, { response_ok: false }))).toBe(true);
  expect(matches({ verdict: 'unanswered' }, message(1, { method: 'mining.notify' }))).toBe(false);
});

it('searches bytes that are no text', () => {
  const m = message(1, { raw: btoa('\xffABC\n'), raw_encoding: 'base64' });
  expect(matches({ text: 'abc' }, m)).toBe(true);
});

it('asks the server by its own names', () => {
  const query = filterQuery({ session: 's', errors: true, text: 'a b', verdict: '' });
  expect(query.toString()).toBe('session_id=s&error=true&text=a+b');
  expect(isNarrow({})).toBe(false);
});
