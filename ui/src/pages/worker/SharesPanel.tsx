import { useMemo, useState } from 'react';
import type { Worker } from '../../api/workers';
import { Empty } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Segmented } from '../../components/Segmented';
import { useNow } from '../../lib/clock';
import { ShareChart } from './ShareChart';
import { beginning, shareColumns } from './timeline';
import styles from './WorkerPage.module.css';

type Span = '5' | '60' | 'all';

const ALL = 30 * 86_400_000;

/** The latest shares by their true difficulty, over the difficulty that was asked for. */
export function SharesPanel({ worker }: { worker: Worker | undefined }) {
  const [span, setSpan] = useState<Span>('all');
  const now = useNow();
  const columns = useMemo(() => {
    const shares = worker?.shares ?? [];
    const from = beginning(shares, span === 'all' ? ALL : Number(span) * 60_000, now);
    return { from, to: now, data: shareColumns(worker?.difficulties ?? [], shares, from, now) };
  }, [worker, span, now]);
  return (
    <Panel
      title="Shares and difficulty"
      aside={
        <Segmented
          legend="Span"
          options={[
            { value: '5', label: '5 min' },
            { value: '60', label: '1 h' },
            { value: 'all', label: 'All kept' },
          ]}
          value={span}
          onChange={setSpan}
        />
      }
    >
      <div className={styles.chart}>
        {worker &&
          (worker.shares.length === 0 && worker.difficulties.length === 0 ? (
            <Empty title="No share yet">Each share becomes a dot, as high as it is good.</Empty>
          ) : (
            <ShareChart columns={columns.data} from={columns.from} to={columns.to} />
          ))}
      </div>
    </Panel>
  );
}
