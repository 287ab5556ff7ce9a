/**
 * Tables as tab-separated text: a header line, then a line for each row, with
 * the figures as they are and not as the page rounds them.
 */

/** What a cell holds; nothing where nothing is known. */
export type Cell = string | number | boolean | Date | null | undefined;

/** A spreadsheet takes a text that begins so for a formula, as the scope's CSV knows too. */
const FORMULA = /^[\s\u00a0\u3000]*[=+\-@＝＋－＠]/;

/**
 * One cell. Tabs, line breaks and backslashes are escaped as `\t`, `\n`, `\r`
 * and `\\`, so that a row stays a line whatever a miner calls itself; what a
 * spreadsheet would run as a formula gets an apostrophe before it. Times are
 * ISO 8601 in UTC.
 */
export function tsvCell(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (cell instanceof Date) return Number.isNaN(cell.getTime()) ? '' : cell.toISOString();
  if (typeof cell === 'number') return Number.isFinite(cell) ? plainNumber(cell) : '';
  if (typeof cell === 'boolean') return String(cell);
  const escaped = cell
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
  return FORMULA.test(cell) ? `'${escaped}` : escaped;
}

/** All digits of a number, and no exponent where one can do without. */
function plainNumber(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  return Number.isInteger(value) ? BigInt(value).toString() : text;
}

/** The table as text; every line ends with a line feed. */
export function toTSV(header: readonly string[], rows: Iterable<readonly Cell[]>): string {
  let text = `${header.map(tsvCell).join('\t')}\n`;
  for (const row of rows) text += `${row.map(tsvCell).join('\t')}\n`;
  return text;
}

/** The header of a column whose figures have a unit: `Hashrate (H/s)`. */
export function withUnit(header: string, unit: string | undefined): string {
  return unit === undefined ? header : `${header} (${unit})`;
}
