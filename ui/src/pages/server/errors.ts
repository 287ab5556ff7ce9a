import type { ErrorEvent, PoolPage, ServerPage } from '../../api/pages';

/** What is wrong at this moment, as opposed to what once was. */
export interface Trouble {
  title: string;
  message: string;
}

/** What of the server is not as it should be now. */
export function troubles(server: ServerPage | undefined): Trouble[] {
  if (!server) return [];
  const found: Trouble[] = [];
  if (!server.rpc_healthy) {
    found.push({ title: 'No node answers', message: server.rpc_error ?? '' });
  }
  if (server.accounting_error !== undefined && server.accounting_error !== '') {
    found.push({ title: 'The books cannot be written', message: server.accounting_error });
  }
  return found;
}

const kinds: Record<string, string> = {
  block: 'Found block',
  feed: 'Job feed',
  health: 'Health',
  job: 'Work for miners',
  listener: 'Listener',
  proposal: 'Trial of a block',
  rpc: 'Call to a node',
  session: 'A miner’s session',
  share: 'Hashing of shares',
  store: 'Books',
  submitblock: 'Block handed in',
  zmq: 'ZMQ of a node',
};

/** What a kind of error is about. */
export function errorKind(type: string): string {
  return kinds[type] ?? type.replaceAll('_', ' ');
}

/** A line of the error history; the job feed's older lines have no time. */
export type ErrorLine = Pick<ErrorEvent, 'at' | 'type' | 'message'>;

/** Everything that went wrong lately, newest first, without repeating itself. */
export function errorLines(
  pool: PoolPage | undefined,
  server: ServerPage | undefined,
): ErrorLine[] | undefined {
  if (!pool && !server) return undefined;
  const lines: ErrorLine[] = [...(pool?.error_history ?? [])];
  const feed = server?.job_feed;
  const said = new Set(lines.map((line) => line.message));
  if (feed?.last_error !== undefined && feed.last_error !== '' && !said.has(feed.last_error)) {
    lines.push({
      type: 'feed',
      message: feed.last_error,
      ...(feed.last_error_at !== undefined && { at: feed.last_error_at }),
    });
    said.add(feed.last_error);
  }
  lines.sort((a, b) => time(b) - time(a));
  for (const message of (feed?.error_history ?? []).toReversed()) {
    if (said.has(message)) continue;
    said.add(message);
    lines.push({ type: 'feed', message });
  }
  return lines;
}

function time(line: ErrorLine): number {
  const ms = Date.parse(line.at ?? '');
  return Number.isNaN(ms) ? 0 : ms;
}
