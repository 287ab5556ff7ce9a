import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import type { WorkerRow } from '../../api/workers';
import { SaveStar } from '../../components/SaveStar';
import { Time } from '../../components/Time';
import { WorkerName } from '../../components/WorkerName';
import { formatCount, formatDifficulty, formatPercent } from '../../lib/format';
import { shortWorker } from '../../scope/words';
import { Hashrate, rejectedPart, StateCell, type WorkerColumn } from './columns';
import styles from './WorkerTable.module.css';

export interface LineProps {
  row: WorkerRow;
  columns: readonly WorkerColumn[];
  /** From the top, 0 first. */
  index: number;
  marked: boolean;
  selected: boolean;
  onToggle: (id: string) => void;
}

/** A worker on one line. */
export const WorkerLine = memo(function WorkerLine(props: LineProps) {
  const { row, columns, index, marked, selected, onToggle } = props;
  return (
    <div
      id={`worker-${row.id}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      className={styles.row}
      data-index={index}
      data-marked={marked}
      data-selected={selected}
      data-offline={!row.online}
    >
      <span role="gridcell">
        <Pick row={row} selected={selected} onToggle={onToggle} />
      </span>
      {columns.map((c) => (
        <span key={c.key} role="gridcell" data-column={c.key} data-numeric={c.numeric}>
          {c.key === 'name' ? <NameLink row={row} /> : c.cell(row)}
        </span>
      ))}
    </div>
  );
});

/** The same on a phone: the figures that matter, in three lines. */
export const WorkerCard = memo(function WorkerCard(props: LineProps) {
  const { row, index, marked, selected, onToggle } = props;
  return (
    <div
      id={`worker-${row.id}`}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={selected}
      className={styles.card}
      data-index={index}
      data-marked={marked}
      data-selected={selected}
      data-offline={!row.online}
    >
      <span role="gridcell" className={styles.cardPick}>
        <Pick row={row} selected={selected} onToggle={onToggle} />
      </span>
      <span role="gridcell" className={styles.cardName}>
        <NameLink row={row} />
      </span>
      <span role="gridcell" className={styles.cardRate}>
        <Hashrate worker={row} />
      </span>
      <span role="gridcell" className={styles.cardState}>
        <StateCell worker={row} />
        <span className={styles.agent}>{row.user_agent}</span>
        <Time at={row.last_share} ago />
      </span>
      <span role="gridcell" className={styles.cardFacts}>
        <span>
          {formatCount(row.accepted)} <i>accepted</i>
        </span>
        <span data-bad={rejectedPart(row) >= 0.02}>
          {formatPercent(rejectedPart(row))} <i>rejected</i>
        </span>
        <span className={styles.gold}>
          {formatDifficulty(row.best_share)} <i>best</i>
        </span>
      </span>
    </div>
  );
});

function NameLink({ row }: { row: WorkerRow }) {
  return (
    <span className={styles.named}>
      <Link
        to="/workers/$id"
        params={{ id: row.id }}
        className={styles.name}
        title={row.name}
        tabIndex={-1}
        preload={false}
      >
        <WorkerName name={shortWorker(row.name)} />
      </Link>
      <SaveStar id={row.id} name={row.name} small />
    </span>
  );
}

function Pick(props: { row: WorkerRow; selected: boolean; onToggle: (id: string) => void }) {
  const { row, selected, onToggle } = props;
  return (
    <input
      type="checkbox"
      tabIndex={-1}
      aria-label={`Select ${row.name}`}
      checked={selected}
      onChange={() => {
        onToggle(row.id);
      }}
    />
  );
}
