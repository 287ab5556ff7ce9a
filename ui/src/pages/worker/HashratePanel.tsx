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

/**
 * There is a point for each step with shares, and a slow miner is not gone
 * between two of them: the line is broken after 2.5 times this, seconds.
 */
const PATIENCE = 300;

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
  const columns = useMemo(
    () => toColumns(history.points, Math.max(history.step_seconds, PATIENCE)),
    [history],
  );
  if (!history.points.some((p) => p.hashrate > 0)) {
    return (
      <Empty title="Nothing to draw yet">
        There is a point for each {history.range === '24h' ? 'minute' : 'hour'} with a share.
      </Empty>
    );
  }
  const end = columns[0].at(-1) ?? fetchedAt / 1000;
  return <HashrateChart columns={columns} range={history.range} end={end} />;
}
