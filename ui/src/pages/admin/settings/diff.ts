/** A line of a unified diff. */
export interface DiffLine {
  /** `hunk` begins a part of the file; `note` is about the line before it. */
  kind: 'same' | 'added' | 'removed' | 'hunk' | 'note';
  /** Without the sign before it. */
  text: string;
  /** Number of the line in the file before, and after. */
  before?: number;
  after?: number;
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

/** Takes a unified diff of one file apart; the names of the files are left out. */
export function parseDiff(text: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let before = 1;
  let after = 1;
  let inside = false;
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const hunk = HUNK.exec(line);
    if (hunk) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      inside = true;
      lines.push({ kind: 'hunk', text: line });
      continue;
    }
    // Before the first part there are names; within one, "---" is a removed "--".
    if (!inside) continue;
    const rest = line.slice(1).replace(/\r$/, '');
    if (line.startsWith('+')) lines.push({ kind: 'added', text: rest, after: after++ });
    else if (line.startsWith('-')) lines.push({ kind: 'removed', text: rest, before: before++ });
    else if (line.startsWith('\\')) lines.push({ kind: 'note', text: rest.trim() });
    else lines.push({ kind: 'same', text: rest, before: before++, after: after++ });
  }
  return lines;
}
