import type { Message } from './types';

/** A captured message for tests: an answered share, unless told otherwise. */
export function message(seq: number, change: Partial<Message> = {}): Message {
  return {
    id: `session-${seq}`,
    ts_recv: new Date(Date.UTC(2026, 0, 1, 12, 0, 0, seq)).toISOString(),
    ts_fwd: '2026-01-01T12:00:00Z',
    direction: 'miner_to_pool',
    session_id: 'session',
    peer: '10.0.0.1:1234',
    raw: `{"id":${seq},"method":"mining.submit","params":["w.rig","job"]}\n`,
    decoded: { id: seq, method: 'mining.submit', params: ['w.rig', 'job'] },
    parse_error: null,
    size_bytes: 60,
    jsonrpc_id: seq,
    is_request: true,
    is_response: false,
    paired_message_id: `session-${seq + 1}`,
    response: { id: seq, result: true, error: null },
    response_ts_recv: '2026-01-01T12:00:01Z',
    response_raw: '{}',
    latency_ms: 1,
    raw_encoding: 'utf-8',
    seq,
    method: 'mining.submit',
    response_ok: true,
    worker: 'w.rig',
    ...change,
  };
}

/** The same request before its answer came. */
export function unanswered(seq: number, change: Partial<Message> = {}): Message {
  const m = message(seq, {
    paired_message_id: null,
    response: null,
    response_ts_recv: null,
    response_raw: null,
    latency_ms: null,
    ...change,
  });
  delete m.response_ok;
  return m;
}
