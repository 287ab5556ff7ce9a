import { Figure, Figures } from '../../../components/Figures';
import {
  formatCount,
  formatLatency,
  formatPercent,
  formatPerSecond,
  NONE,
  plural,
} from '../../../lib/format';
import type { Agent } from '../../../scope/types';
import { sumUp } from './fleet';

/** What the fleet does as a whole, in six figures. */
export function FleetFigures({ agents }: { agents: readonly Agent[] | undefined }) {
  const sum = agents && sumUp(agents);
  const answered = sum && sum.accepted + sum.rejected;
  const slowest = agents
    ?.filter((a) => a.state === 'live' && a.report?.submit_ms)
    .sort((a, b) => (b.report?.submit_ms?.p95 ?? 0) - (a.report?.submit_ms?.p95 ?? 0))[0];
  return (
    <Figures label="The fleet">
      <Figure
        label="Agents live"
        value={sum && formatCount(sum.live)}
        note={sum && (sum.silent > 0 ? `${formatCount(sum.silent)} silent` : 'none silent')}
      />
      <Figure
        label="Rate aimed at"
        value={sum && formatPerSecond(sum.aimed)}
        title="Valid shares a second that live agents in mine mode aim at"
        note={
          sum && (sum.ordered > 0 ? `${formatPerSecond(sum.ordered)} of it ordered` : 'no order')
        }
      />
      <Figure
        label="Rate achieved"
        value={sum && formatPerSecond(sum.achieved)}
        title="Submits a second over the last minute, replays included"
        note="submits, last minute"
      />
      <Figure
        label="Accepted"
        value={sum && formatCount(sum.accepted)}
        note={sum && answered ? `${formatPercent(sum.accepted / answered)} of answers` : NONE}
      />
      <Figure
        label="Rejected"
        value={sum && formatCount(sum.rejected)}
        note={sum && (sum.reasons[0] ? plural(sum.reasons.length, 'reason') : 'no reason yet')}
      />
      <Figure
        label="Slowest p95"
        value={agents && formatLatency(slowest?.report?.submit_ms?.p95)}
        note={slowest?.agent_id ?? NONE}
      />
    </Figures>
  );
}
