import { expect, it } from 'vitest';
import type { PoolPage, ServerPage } from '../../api/pages';
import { errorKind, errorLines, troubles } from './errors';

const server = (more: Partial<ServerPage>, feed: Partial<ServerPage['job_feed']> = {}) =>
  ({
    rpc_healthy: true,
    ...more,
    job_feed: { zmq_healthy: true, zmq_disconnects: 0, zmq_reconnects: 0, ...feed },
  }) as ServerPage;

const pool = (history: PoolPage['error_history']) =>
  ({ ...(history && { error_history: history }) }) as PoolPage;

it('puts what the pool and its job feed tell into one list, newest first', () => {
  const lines = errorLines(
    pool([
      { at: '2026-01-31T19:54:52Z', type: 'rpc', message: 'call failed' },
      { at: '2026-01-31T19:50:00Z', type: 'submitblock', message: 'refused' },
    ]),
    server(
      {},
      {
        last_error: 'wrong network',
        last_error_at: '2026-01-31T19:52:00Z',
        error_history: ['node is gone', 'wrong network', 'node is back'],
      },
    ),
  );
  expect(lines?.map((line) => line.message)).toEqual([
    'call failed',
    'wrong network',
    'refused',
    'node is back',
    'node is gone',
  ]);
});

it('knows nothing before the first answer, and an empty list after it', () => {
  expect(errorLines(undefined, undefined)).toBeUndefined();
  expect(errorLines(pool(undefined), server({}))).toEqual([]);
});

it('says what is wrong now, and not what once was', () => {
  expect(troubles(server({ rpc_error: 'an old one' }))).toEqual([]);
  expect(troubles(server({ rpc_healthy: false, rpc_error: 'refused' }))).toEqual([
    { title: 'No node answers', message: 'refused' },
  ]);
  expect(troubles(server({ accounting_error: 'disk full' })).map((t) => t.message)).toEqual([
    'disk full',
  ]);
});

it('names a kind of error that it does not know as the server does', () => {
  expect(errorKind('submitblock')).toBe('Block handed in');
  expect(errorKind('new_kind')).toBe('new kind');
});
