import type { WorkerRow } from '../../api/workers';
import { parseTime } from '../../lib/format';
import { toTSV, type Cell } from '../../lib/tsv';

const FIELDS: readonly [string, (w: WorkerRow) => Cell][] = [
  ['Worker', (w) => w.name],
  ['Online', (w) => w.online],
  ['Connections', (w) => w.connections],
  ['TLS', (w) => w.tls],
  ['Miner', (w) => w.user_agent],
  ['Hashrate (H/s)', (w) => w.hashrate],
  ['Accuracy', (w) => w.hashrate_accuracy],
  ['Shares/min', (w) => w.share_rate],
  ['Difficulty', (w) => w.difficulty],
  ['Vardiff', (w) => w.vardiff],
  ['Accepted', (w) => w.accepted],
  ['Rejected', (w) => w.rejected],
  ['Best share', (w) => w.best_share],
  ['Best of the session', (w) => w.best_session],
  ['Latency (ms)', (w) => w.ping_p50_ms],
  ['Last share', (w) => date(w.last_share)],
  ['Last seen', (w) => date(w.last_seen)],
  ['First seen', (w) => date(w.first_seen)],
  ['ID', (w) => w.id],
];

function date(text: string | undefined): Date | undefined {
  const ms = parseTime(text);
  return ms === undefined ? undefined : new Date(ms);
}

/** Workers with all that is known of them, for a spreadsheet. */
export function workersTSV(workers: readonly WorkerRow[]): string {
  return toTSV(
    FIELDS.map(([header]) => header),
    workers.map((w) => FIELDS.map(([, value]) => value(w))),
  );
}
