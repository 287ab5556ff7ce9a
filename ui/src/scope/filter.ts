import type { Direction, Message } from './types';

/** Which messages are wanted. What is left out does not narrow. */
export interface MessageFilter {
  session?: string;
  direction?: Direction;
  method?: string;
  worker?: string;
  /** What pool or audit say of a share; one of VERDICTS. */
  verdict?: string;
  /** Only lines that are no Stratum messages. */
  errors?: boolean;
  /** A part of the line, whatever the case of its ASCII letters. */
  text?: string;
  /** RFC 3339: received then or later. */
  since?: string;
  /** RFC 3339: received earlier. */
  until?: string;
}

/** What `verdict` may be, in plain words. */
export const VERDICTS = {
  accepted: 'accepted by the pool',
  rejected: 'rejected by the pool',
  unanswered: 'not answered',
  conflict: 'pool and audit disagree',
  valid: 'audit: valid',
  low_difficulty: 'audit: too low',
  duplicate: 'audit: duplicate',
  stale: 'audit: stale',
  unknown_job: 'audit: unknown job',
  malformed: 'audit: malformed',
  block: 'audit: a block',
  unknown: 'audit: cannot tell',
} as const;

/** Methods that are offered; any other can be typed. */
export const METHODS = [
  'mining.subscribe',
  'mining.configure',
  'mining.authorize',
  'mining.submit',
  'mining.notify',
  'mining.set_difficulty',
  'mining.set_extranonce',
  'mining.set_version_mask',
  'mining.suggest_difficulty',
  'client.reconnect',
] as const;

/** The filter as the server takes it. */
export function filterQuery(filter: MessageFilter): URLSearchParams {
  const query = new URLSearchParams();
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== '') query.set(name, value);
  };
  set('session_id', filter.session);
  set('direction', filter.direction);
  set('method', filter.method);
  set('worker', filter.worker);
  set('verdict', filter.verdict);
  if (filter.errors === true) query.set('error', 'true');
  set('text', filter.text);
  set('since', filter.since);
  set('until', filter.until);
  return query;
}

/** Whether the filter wants a message: for those that come live, as the server would say. */
export function matches(filter: MessageFilter, m: Message): boolean {
  const { session, direction, method, worker, errors, text, since, until } = filter;
  if (session && m.session_id !== session) return false;
  if (direction && m.direction !== direction) return false;
  if (method && m.method !== method) return false;
  if (worker && m.worker !== worker) return false;
  if (errors === true && m.parse_error === null) return false;
  if (since && Date.parse(m.ts_recv) < Date.parse(since)) return false;
  if (until && Date.parse(m.ts_recv) >= Date.parse(until)) return false;
  if (text && !asciiLower(lineText(m)).includes(asciiLower(text))) return false;
  return matchesVerdict(filter.verdict, m);
}

function matchesVerdict(verdict: string | undefined, m: Message): boolean {
  switch (verdict) {
    case undefined:
    case '':
      return true;
    case 'accepted':
    case 'rejected':
    case 'unanswered':
      return poolVerdict(m) === verdict;
    case 'conflict':
      return m.share?.conflict != null;
    default:
      return m.share?.audit === verdict;
  }
}

/** What the pool said of a share; undefined for other messages. */
export function poolVerdict(m: Message): 'accepted' | 'rejected' | 'unanswered' | undefined {
  if (m.method !== 'mining.submit' || !m.is_request) return undefined;
  if (m.response === null) return 'unanswered';
  return m.response_ok === true ? 'accepted' : 'rejected';
}

function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (c) => c.toLowerCase());
}

/** The line as text; of one that is none, a character for each byte. */
export function lineText(m: Pick<Message, 'raw' | 'raw_encoding'>): string {
  return m.raw_encoding === 'base64' ? atob(m.raw) : m.raw;
}

/** Whether anything narrows what is shown. */
export function isNarrow(filter: MessageFilter): boolean {
  return filterQuery(filter).size > 0;
}
