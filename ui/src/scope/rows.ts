import { lineText, poolVerdict } from './filter';
import type { Direction, Message } from './types';

/** A message as the table keeps it: 50,000 of them have to fit. */
export interface MessageRow {
  kind: 'message';
  /** Position in the order of capture, over all sessions. Never used twice. */
  seq: number;
  id: string;
  session: string;
  peer: string;
  /** RFC 3339 in UTC, to the microsecond. */
  received: string;
  direction: Direction;
  method: string | null;
  rpcId: string;
  /** Beginning of the parameters or of the result. */
  preview: string;
  size: number;
  /** Milliseconds to the response; null without. */
  latency: number | null;
  isRequest: boolean;
  answered: boolean;
  /** Whether the answer is a yes, or what this answer says. */
  ok: boolean | undefined;
  pool: 'accepted' | 'rejected' | 'unanswered' | undefined;
  audit: string | undefined;
  conflict: string | null;
  fault: string | null;
  failure: string | undefined;
  worker: string;
  gapBytes: number;
  /** How much is known of the message; it only grows. */
  completeness: number;
  /** When it came over the WebSocket, ms of performance.now(); 0 of what was fetched. */
  arrived: number;
}

/** A place where messages were missed for a while. */
export interface GapRow {
  kind: 'gap';
  /** Between two messages: not a whole number. */
  seq: number;
  /** Messages and new versions of messages that the server left out. */
  dropped: number;
  state: 'fetching' | 'fetched' | 'lost';
  /** Rows that fetching brought. */
  brought: number;
}

export type Row = MessageRow | GapRow;

/** Characters of parameters or results that a row keeps. */
export const PREVIEW = 160;

export function toRow(m: Message, arrived: number): MessageRow {
  return {
    kind: 'message',
    seq: m.seq,
    id: m.id,
    session: m.session_id,
    peer: m.peer,
    received: m.ts_recv,
    direction: m.direction,
    method: m.method,
    rpcId: m.jsonrpc_id == null ? '' : JSON.stringify(m.jsonrpc_id),
    preview: preview(m),
    size: m.size_bytes,
    latency: m.latency_ms,
    isRequest: m.is_request,
    answered: m.response !== null,
    ok: m.response_ok ?? answerOK(m),
    pool: poolVerdict(m),
    audit: m.share?.audit,
    conflict: m.share?.conflict ?? null,
    fault: m.parse_error,
    failure: m.replay_error,
    worker: m.worker ?? '',
    gapBytes: m.gap_bytes ?? 0,
    completeness: completeness(m),
    arrived,
  };
}

/** What a line is about: parameters, result or error; the line itself when it is no JSON. */
export function preview(m: Message): string {
  const d = m.decoded;
  let text: string;
  if (d === null) text = lineText(m).trimEnd();
  else if (d.params !== undefined) text = JSON.stringify(d.params);
  else if (d.error != null) text = JSON.stringify(d.error);
  else text = JSON.stringify(d.result ?? null);
  return text.length > PREVIEW ? `${text.slice(0, PREVIEW)}…` : text;
}

function answerOK(m: Message): boolean | undefined {
  if (!m.is_response || m.decoded === null) return undefined;
  return m.decoded.error == null && m.decoded.result !== false;
}

/** Messages are sent again when more is known of them; never when less is. */
function completeness(m: Message): number {
  return (
    Number(m.ts_fwd !== null) +
    Number(m.paired_message_id !== null) * 2 +
    Number(m.response !== null) * 4 +
    Number(m.share !== undefined) +
    Number(m.share?.pool != null) * 4 +
    Number(m.replay_error !== undefined) * 4
  );
}

/** What arrived, in any order: rows to take up, and what the filter wants no more. */
export interface Batch {
  rows: readonly Row[];
  gone?: ReadonlySet<number>;
}

/**
 * Takes rows up into a list that rises by `seq`. A row that is there already
 * is replaced, unless less is known by the new one: answers of a fetch may
 * be older than what the WebSocket brought meanwhile.
 */
export function mergeRows(list: readonly Row[], { rows, gone }: Batch): readonly Row[] {
  let next: Row[] | undefined;
  const fresh = new Map<number, Row>();
  for (const row of rows) {
    const at = position(next ?? list, row.seq);
    const known = (next ?? list)[at];
    if (known?.seq !== row.seq) {
      const earlier = fresh.get(row.seq);
      if (!earlier || supersedes(row, earlier)) fresh.set(row.seq, row);
    } else if (supersedes(row, known)) {
      next ??= list.slice();
      next[at] = keepArrival(row, known);
    }
  }
  if (gone && gone.size > 0) {
    for (const seq of gone) fresh.delete(seq);
    next = (next ?? list).filter((r) => !gone.has(r.seq));
  }
  if (fresh.size === 0) return next ?? list;
  const added = [...fresh.values()].sort((a, b) => a.seq - b.seq);
  return join(next ?? list, added);
}

function supersedes(row: Row, known: Row): boolean {
  if (row.kind === 'gap' || known.kind === 'gap') return true;
  return row.completeness >= known.completeness;
}

/** A new version is no new row: it does not flash a second time as one. */
function keepArrival(row: Row, known: Row): Row {
  if (row.kind === 'gap' || known.kind === 'gap' || row.arrived > 0) return row;
  return { ...row, arrived: known.arrived };
}

/** Index of the first row whose seq is not below. */
function position(list: readonly Row[], seq: number): number {
  const last = list.at(-1);
  if (last === undefined || last.seq < seq) return list.length;
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function findRow(list: readonly Row[], seq: number): Row | undefined {
  const row = list[position(list, seq)];
  return row?.seq === seq ? row : undefined;
}

/** Merges two rising lists; mostly one begins after the other ends. */
function join(a: readonly Row[], b: readonly Row[]): Row[] {
  const lastOfA = a.at(-1)?.seq ?? -Infinity;
  const firstOfB = b[0]?.seq ?? Infinity;
  if (lastOfA < firstOfB) return a.concat(b);
  if ((b.at(-1)?.seq ?? 0) < (a[0]?.seq ?? 0)) return b.concat(a);
  const out: Row[] = [];
  let i = 0;
  for (const row of b) {
    for (let known = a[i]; known && known.seq < row.seq; known = a[++i]) out.push(known);
    out.push(row);
  }
  return out.concat(a.slice(i));
}

/** The newest `most` rows. */
export function trimRows(list: readonly Row[], most: number): readonly Row[] {
  return list.length > most ? list.slice(list.length - most) : list;
}

/**
 * Seq of the oldest request that may still be answered: received within
 * `within` ms before the newest row. Undefined when all are answered.
 */
export function oldestUnanswered(list: readonly Row[], within: number): number | undefined {
  let oldest: number | undefined;
  let newest: number | undefined;
  for (let i = list.length - 1; i >= 0; i--) {
    const row = list[i];
    if (row?.kind !== 'message') continue;
    const at = Date.parse(row.received);
    newest ??= at;
    if (newest - at > within) break;
    if (row.isRequest && !row.answered && row.rpcId !== '') oldest = row.seq;
  }
  return oldest;
}
