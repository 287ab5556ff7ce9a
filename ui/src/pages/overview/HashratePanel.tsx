import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useBlocks } from '../../api/LiveProvider';
import { historyQuery } from '../../api/queries';
import type { FoundBlock, History, HistoryRange } from '../../api/types';
import { HashrateChart } from '../../components/HashrateChart';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Segmented } from '../../components/Segmented';
import { toColumns } from '../../lib/chart';
import { parseTime } from '../../lib/format';
import styles from './HashratePanel.module.css';

const ranges: { value: HistoryRange; label: string }[] = [
  { value: '6m', label: '6 min' },
  { value: '24h', label: '24 h' },
  { value: '30d', label: '30 d' },
];

export function HashratePanel() {
  const [range, setRange] = useState<HistoryRange>('6m');
  const { data, error, isPlaceholderData, dataUpdatedAt } = useQuery(historyQuery(range));
  const { data: blocks } = useBlocks();
  return (
    <Panel
      title="Hashrate"
      aside={<Segmented legend="Time span" options={ranges} value={range} onChange={setRange} />}
    >
      <div className={styles.frame} data-waiting={isPlaceholderData}>
        {data ? (
          <Chart history={data} blocks={blocks} fetchedAt={dataUpdatedAt} />
        ) : error ? (
          <div className={styles.over}>
            <Failure error={error} />
          </div>
        ) : (
          <div className={styles.graticule} aria-busy="true" />
        )}
      </div>
    </Panel>
  );
}

function Chart(props: {
  history: History;
  blocks: FoundBlock[] | undefined;
  /** The right edge while there is no point to tell it. */
  fetchedAt: number;
}) {
  const { history, blocks, fetchedAt } = props;
  const columns = useMemo(() => toColumns(history.points, history.step_seconds), [history]);
  const found = useMemo(
    () =>
      (blocks ?? [])
        .filter((b) => b.result !== 'stale')
        .map((b) => (parseTime(b.timestamp) ?? 0) / 1000),
    [blocks],
  );
  const end = Math.max(columns[0].at(-1) ?? fetchedAt / 1000, ...found);
  const mined = history.points.some((p) => p.hashrate > 0);
  if (!mined) {
    return (
      <>
        <div className={styles.graticule} />
        <div className={styles.over}>
          <Empty title="Nothing to draw yet">The line begins with the first accepted share.</Empty>
        </div>
      </>
    );
  }
  return <HashrateChart columns={columns} range={history.range} end={end} blocks={found} />;
}
