import { toTSV, type Cell } from '../lib/tsv';
import { PREVIEW, type MessageRow, type Row } from './rows';

const columns: readonly [string, (row: MessageRow) => Cell][] = [
  ['Time', (r) => r.received],
  ['Session', (r) => r.session],
  ['Worker', (r) => r.worker],
  ['Direction', (r) => r.direction],
  ['Method', (r) => r.method],
  ['ID', (r) => r.rpcId],
  [`Params or result, first ${PREVIEW} characters`, (r) => r.preview],
  ['Size (bytes)', (r) => r.size],
  ['Latency (ms)', (r) => r.latency],
  ['Pool', (r) => r.pool],
  ['Audit', (r) => r.audit],
  ['Conflict', (r) => r.conflict],
  ['Error', (r) => r.fault ?? r.failure],
  ['Message', (r) => r.id],
];

/** Rows of the message table as TSV, newest first as they are shown; gaps are left out. */
export function messagesTSV(rows: readonly Row[]): { text: string; rows: number } {
  const messages = rows.filter((r) => r.kind === 'message').reverse();
  const text = toTSV(
    columns.map(([header]) => header),
    messages.map((row) => columns.map(([, cell]) => cell(row))),
  );
  return { text, rows: messages.length };
}
