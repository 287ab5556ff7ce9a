import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Empty } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Segmented } from '../../../components/Segmented';
import { useNow } from '../../../lib/clock';
import { difficultyQuery, jobsQuery, sharesQuery } from '../../../scope/queries';
import { buildTimeline } from './timeline';
import { TimelineChart } from './TimelineChart';

/** Shares and jobs that the chart shows at most: the newest. */
const MOST = 1000;

type Span = '5' | '60' | 'all';

interface TimelinePanelProps {
  id: string;
  live: boolean;
  began: string | undefined;
  ended: string | null | undefined;
}

/** How a session went: jobs, difficulty, shares and latencies on one time axis. */
export function TimelinePanel({ id, live, began, ended }: TimelinePanelProps) {
  const [span, setSpan] = useState<Span>('5');
  const { data: difficulty } = useQuery(difficultyQuery(id, live));
  const { data: shares } = useQuery(sharesQuery(id, live, MOST));
  const { data: jobs } = useQuery(jobsQuery(id, live, MOST));
  const now = useNow();
  const start = began === undefined ? now : Date.parse(began);
  const to = ended == null ? now : Math.max(Date.parse(ended), start + 1000);
  const from = span === 'all' ? Math.min(start, to - 10_000) : to - Number(span) * 60_000;
  const timeline = useMemo(
    () =>
      buildTimeline({
        difficulty: difficulty?.changes ?? [],
        shares: shares?.items ?? [],
        jobs: jobs?.items ?? [],
        from,
        to,
      }),
    [difficulty, shares, jobs, from, to],
  );
  const nothing = shares?.items?.length === 0 && jobs?.items?.length === 0;
  return (
    <Panel
      title="Over time"
      aside={
        <Segmented
          legend="Span"
          options={[
            { value: '5', label: '5 min' },
            { value: '60', label: '1 h' },
            { value: 'all', label: 'All' },
          ]}
          value={span}
          onChange={setSpan}
        />
      }
    >
      {nothing ? (
        <Empty title="Neither a job nor a share yet" />
      ) : (
        <TimelineChart timeline={timeline} from={from} to={to} />
      )}
    </Panel>
  );
}
