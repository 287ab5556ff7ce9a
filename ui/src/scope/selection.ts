import type { Row } from './rows';

/** The rows of the message table that are selected, by seq, and where a range begins. */
export interface Selection {
  anchor: number | undefined;
  seqs: ReadonlySet<number>;
}

export const NOTHING: Selection = { anchor: undefined, seqs: new Set() };

/** Only the place where a range would begin. */
export function anchored(seq: number): Selection {
  return { anchor: seq, seqs: NOTHING.seqs };
}

/** Takes a row in or out; it is where the next range begins. */
export function toggled(selection: Selection, seq: number): Selection {
  const seqs = new Set(selection.seqs);
  if (!seqs.delete(seq)) seqs.add(seq);
  return { anchor: seq, seqs };
}

/** All messages from where the range began to a row. */
export function extended(selection: Selection, rows: readonly Row[], seq: number): Selection {
  const anchor = selection.anchor ?? seq;
  const [from, to] = anchor < seq ? [anchor, seq] : [seq, anchor];
  return { anchor, seqs: messages(rows, from, to) };
}

/** All messages that are loaded. */
export function everything(selection: Selection, rows: readonly Row[]): Selection {
  return { anchor: selection.anchor, seqs: messages(rows, -Infinity, Infinity) };
}

function messages(rows: readonly Row[], from: number, to: number): Set<number> {
  const found = rows.filter((r) => r.kind === 'message' && r.seq >= from && r.seq <= to);
  return new Set(found.map((r) => r.seq));
}
