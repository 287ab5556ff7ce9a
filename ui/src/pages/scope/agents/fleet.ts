import type { Tone } from '../../../components/Pill';
import { formatLatency, NONE } from '../../../lib/format';
import type { Agent } from '../../../scope/types';

/** What the fleet does as a whole. */
export interface FleetSum {
  live: number;
  silent: number;
  /** Shares a second that the live agents aim at in mine mode. */
  aimed: number;
  /** Those of them that the scope ordered. */
  ordered: number;
  /** Submits a second over the last minute, of live agents. */
  achieved: number;
  attempted: number;
  accepted: number;
  rejected: number;
  unanswered: number;
  /** Reasons of the pool and how often, the commonest first. */
  reasons: [reason: string, count: number][];
}

/** Rejected shares whose agent does not tell why. */
export const UNTOLD = 'Reason not told';

export function sumUp(agents: readonly Agent[]): FleetSum {
  const sum: FleetSum = {
    live: 0,
    silent: 0,
    aimed: 0,
    ordered: 0,
    achieved: 0,
    attempted: 0,
    accepted: 0,
    rejected: 0,
    unanswered: 0,
    reasons: [],
  };
  const reasons = new Map<string, number>();
  for (const { state, stats, report } of agents) {
    sum.attempted += stats.submits_attempted_total;
    sum.accepted += stats.submits_accepted_total;
    sum.rejected += stats.submits_rejected_total;
    sum.unanswered += report?.unanswered_total ?? 0;
    let untold = stats.submits_rejected_total;
    for (const [reason, count] of Object.entries(report?.rejects ?? {})) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + count);
      untold -= count;
    }
    if (untold > 0) reasons.set(UNTOLD, (reasons.get(UNTOLD) ?? 0) + untold);
    if (state === 'silent') {
      sum.silent++;
      continue;
    }
    sum.live++;
    sum.achieved += stats.submits_per_second_1min ?? 0;
    if (report?.mode !== 'mine') continue;
    sum.aimed += report.load.rate;
    if (report.load.ordered) sum.ordered += report.load.rate;
  }
  sum.reasons = [...reasons].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  return sum;
}

/** What an agent is about now, in a word. */
export function stateWord(agent: Agent): { text: string; tone: Tone } {
  if (agent.state === 'silent') return { text: 'Silent', tone: 'warn' };
  switch (agent.conn_state) {
    case 'connected':
      return { text: 'Connected', tone: 'good' };
    case 'reconnecting':
      return { text: 'Reconnecting', tone: 'warn' };
    case 'error':
      return { text: 'Error', tone: 'bad' };
    default:
      return { text: agent.conn_state === '' ? 'Unknown' : agent.conn_state, tone: 'neutral' };
  }
}

/** The pool that an agent submits to, as one text. */
export function poolText({ pool_target: { host, port } }: Pick<Agent, 'pool_target'>): string {
  if (host === '') return NONE;
  const bare = host.replace(/^[a-z+]+:\/\//, '');
  const named = bare.includes(':') && !bare.startsWith('[') ? `[${bare}]` : bare;
  return port > 0 ? `${named}:${port}` : named;
}

/** How much later than the first agent one saw a block: `first`, `+ 12 ms`. */
export function delayText(ms: number | undefined): string {
  if (ms === undefined) return NONE;
  return ms <= 0 ? 'first' : `+ ${formatLatency(ms)}`;
}
