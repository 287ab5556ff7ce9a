import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { History } from '../../api/types';
import { workerHistoryQuery, type WorkerRange } from '../../api/workers';
import { HashrateChart } from '../../components/HashrateChart';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Segmented } from '../../components/Segmented';
import { toColumns } from '../../lib/chart';
import styles from './WorkerPage.module.css';

const ranges: { value: WorkerRange; label: string }[] = [
  { value: '24h', label: '24 h' },
  { value: '30d', label: '30 d' },
];

/** A worker's hashrate and best shares over a day or a month. */
export function HashratePanel({ id }: { id: string }) {
  const [range, setRange] = useState<WorkerRange>('24h');
  const { data, error, isPlaceholderData, dataUpdatedAt } = useQuery(workerHistoryQuery(id, range));
  return (
    <Panel
      title="Hashrate"
      aside={<Segmented legend="Time span" options={ranges} value={range} onChange={setRange} />}
    >
      <div className={styles.chart} data-waiting={isPlaceholderData}>
        {data ? (
          <Chart history={data} fetchedAt={dataUpdatedAt} />
        ) : (
          error && <Failure error={error} />
        )}
      </div>
    </Panel>
  );
}

function Chart({ history, fetchedAt }: { history: History; fetchedAt: number }) {
  const columns = useMemo(() => toColumns(history.points, history.step_seconds), [history]);
  if (!history.points.some((p) => p.hashrate > 0)) {
    return (
      <Empty title="Nothing to draw yet">
        A point is drawn every {history.range === '24h' ? 'minute' : 'ten minutes'}, from the first
        accepted share on.
      </Empty>
    );
  }
  const end = columns[0].at(-1) ?? fetchedAt / 1000;
  return <HashrateChart columns={columns} range={history.range} end={end} />;
}
