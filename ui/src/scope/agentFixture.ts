import type { Agent } from './types';

/** What an agent of this program tells besides. */
export const report: NonNullable<Agent['report']> = {
  version: 'test',
  mode: 'mine',
  region: 'eu-central',
  started_at: '2026-11-22T11:00:00Z',
  interval_s: 2,
  connects_total: 1,
  connect_ms: 4,
  handshake_ms: 6,
  difficulty: 1,
  submit_ms: { count: 3, p50: 20, p95: 40, p99: 50, max: 50 },
  rejects: {},
  unanswered_total: 0,
  pending: 0,
  queue: { waiting: 0, limit: 1000, dropped_total: 0 },
  refused: {},
  relays_connected: 1,
  telemetry_dropped_total: 0,
  load: { rate: 0.25, difficulty: 0, ordered: false, hashrate: 1000 },
  tips: [],
};

/** An agent for tests. */
export function agent(id: string, change: Partial<Agent> = {}): Agent {
  return {
    agent_id: id,
    last_seen: '2026-11-22T11:33:29Z',
    received_at: '2026-11-22T11:33:30Z',
    first_seen: '2026-11-22T11:00:01Z',
    conn_state: 'connected',
    state: 'live',
    silent_since: null,
    stats: {
      share_events_received_total: 5,
      submits_attempted_total: 5,
      submits_accepted_total: 4,
      submits_rejected_total: 0,
      last_submit_latency_ms: 20,
      submits_per_second_1min: 0.5,
      submits_per_second_10sec: 0.4,
    },
    pool_target: { host: '127.0.0.1', port: 3333 },
    public_key: 'ab'.repeat(32),
    last_error: null,
    errors: 0,
    accept_rate: 1,
    clock_offset_ms: 1,
    report,
    ...change,
  };
}
