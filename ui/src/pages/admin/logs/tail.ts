/** The least important first. */
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

/** One message of the program. */
export interface LogLine {
  /** Grows, after a restart of the program as well; what is higher is newer. */
  id: number;
  at: string;
  level: Level;
  /** Of the program; '' where it is not told. */
  part: string;
  message: string;
  attrs: Record<string, string>;
}

/** GET /api/admin/logs. */
export interface LogPage {
  level: Level;
  configured_level: Level;
  /** Until when the level is another than the configured one. */
  level_until?: string;
  lines: LogLine[];
  /** `after` of the next request. */
  next: number;
  /** Lines that came after the last request, and are no longer kept. */
  dropped: number;
  parts: string[];
}

/** What this page has of the log. */
export interface Tail extends Omit<LogPage, 'dropped'> {
  /** Lines that were never seen here, by the line after them. */
  gaps: ReadonlyMap<number, number>;
}

/** Most lines that the page keeps. */
export const MOST_LINES = 5_000;

/** The lines that were there and those that came, as many as are kept. */
export function merge(before: Tail | undefined, page: LogPage): Tail {
  const { dropped, ...rest } = page;
  if (!before) return { ...rest, gaps: new Map() };
  const last = before.lines.at(-1)?.id ?? 0;
  const fresh = page.lines.filter((line) => line.id > last);
  const lines = [...before.lines, ...fresh].slice(-MOST_LINES);
  const first = lines[0]?.id ?? 0;
  const gaps = new Map([...before.gaps].filter(([id]) => id >= first));
  const next = fresh[0];
  if (dropped > 0 && next) gaps.set(next.id, dropped);
  const parts = [...new Set([...before.parts, ...page.parts])].toSorted();
  return { ...rest, lines, gaps, parts };
}

/** Which lines are wanted. */
export interface LogFilter {
  /** This important or more. */
  level: Level;
  /** '' for all. */
  part: string;
  text: string;
}

/** The lines that fit a filter: all words of its text somewhere in them. */
export function filterLines(lines: readonly LogLine[], filter: LogFilter): readonly LogLine[] {
  const least = LEVELS.indexOf(filter.level);
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (least <= 0 && filter.part === '' && words.length === 0) return lines;
  return lines.filter((line) => {
    if (LEVELS.indexOf(line.level) < least) return false;
    if (filter.part !== '' && line.part !== filter.part) return false;
    if (words.length === 0) return true;
    const all = `${line.part} ${line.message} ${attrsText(line)}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** `key=value` of all, in their order; values with spaces in quotes. */
export function attrsText(line: Pick<LogLine, 'attrs'>): string {
  return Object.entries(line.attrs)
    .map(
      ([name, value]) =>
        `${name}=${/[\s"=]/.test(value) || value === '' ? JSON.stringify(value) : value}`,
    )
    .join(' ');
}

/** A line as text, on one line whatever it holds. */
export function lineText(line: LogLine): string {
  return [line.at, line.level.toUpperCase().padEnd(5), line.part, line.message, attrsText(line)]
    .filter((part) => part !== '')
    .join(' ')
    .replaceAll(/[\r\n]+/g, '␊');
}
