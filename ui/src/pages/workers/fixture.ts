import type { WorkerList, WorkerRow } from '../../api/workers';

/** Workers for tests: every tenth is offline, no two have the same hashrate. */
export function manyWorkers(count: number): WorkerRow[] {
  return Array.from({ length: count }, (_, i) => {
    const online = i % 10 !== 9;
    return {
      id: i.toString(16).padStart(16, '0'),
      name: `bc1qw508...kv8f3t4.rig${i}`,
      online,
      connections: online ? 1 : 0,
      tls: i % 3 === 0,
      user_agent: i % 2 === 0 ? 'bitaxe/BM1370' : 'cgminer/4.12',
      hashrate: online ? 1e12 + ((i * 7919) % count) * 1e6 : 0,
      share_rate: 12.5,
      difficulty: 1024,
      vardiff: 1024,
      accepted: 1000 + i,
      rejected: i % 50,
      best_share: 1e6 + i,
      best_session: 1e5,
      ping_p50_ms: 12,
      last_share: '2026-11-22T10:00:00Z',
      last_seen: '2026-11-22T10:00:00Z',
      first_seen: '2026-11-01T10:00:00Z',
    };
  });
}

export function listOf(workers: WorkerRow[], change: Partial<WorkerList> = {}): WorkerList {
  return {
    api_version: '1',
    updated_at: '2026-11-22T10:00:00Z',
    operator: false,
    total: workers.length,
    online: workers.filter((w) => w.online).length,
    workers,
    ...change,
  };
}
