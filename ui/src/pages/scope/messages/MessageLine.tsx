import { TriangleAlert } from 'lucide-react';
import { memo } from 'react';
import { Pill } from '../../../components/Pill';
import {
  formatBytes,
  formatCount,
  formatLatency,
  formatPreciseClock,
  formatUTC,
  plural,
} from '../../../lib/format';
import type { GapRow, MessageRow } from '../../../scope/rows';
import {
  auditWord,
  conflictText,
  DIRECTIONS,
  poolWord,
  shortSession,
  shortWorker,
} from '../../../scope/words';
import styles from './MessageTable.module.css';

interface MessageLineProps {
  row: MessageRow;
  index: number;
  narrow: boolean;
  flash: boolean;
  marked: boolean;
  selected: boolean;
  open: boolean;
  onChoose: (seq: number, id: string, how: 'open' | 'toggle' | 'extend') => void;
}

/** A message in the table. Its mouse handling repeats what the table does by keyboard. */
export const MessageLine = memo(function MessageLine(props: MessageLineProps) {
  const { row, index, flash, marked, selected, open, onChoose } = props;
  const at = Date.parse(row.received);
  return (
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the grid has the focus and takes the keys
    <div
      id={`row-${row.seq}`}
      role="row"
      aria-rowindex={index}
      aria-selected={selected || open || marked}
      className={styles.row}
      data-marked={marked}
      data-selected={selected}
      data-open={open}
      data-flash={flash}
      data-fault={row.fault !== null}
      data-seq={row.seq}
      onMouseDown={(event) => {
        // Shift with the mouse would select text all over the rows between.
        if (event.shiftKey) getSelection()?.removeAllRanges();
      }}
      onClick={(event) => {
        const how = event.shiftKey ? 'extend' : event.ctrlKey || event.metaKey ? 'toggle' : 'open';
        onChoose(row.seq, row.id, how);
        if (how === 'extend') getSelection()?.removeAllRanges();
      }}
    >
      <span role="gridcell" data-column="time" title={formatUTC(at)}>
        {formatPreciseClock(at)}
      </span>
      <span role="gridcell" data-column="session" title={row.worker || row.session}>
        {row.worker
          ? shortWorker(row.worker).replace(/^.*\.(?=[^.])/, '')
          : shortSession(row.session)}
      </span>
      <span role="gridcell" data-column="direction">
        <b className={styles.direction} data-direction={row.direction}>
          {DIRECTIONS[row.direction].text}
        </b>
      </span>
      <span role="gridcell" data-column="method">
        {row.method ?? (row.fault === null ? (row.ok === false ? 'error' : 'response') : '–')}
      </span>
      <span role="gridcell" data-column="id">
        {row.rpcId}
      </span>
      <span role="gridcell" data-column="params">
        {row.gapBytes > 0 && (
          <span className={styles.lost}>
            {formatCount(row.gapBytes)} bytes before this not captured{' '}
          </span>
        )}
        {row.preview}
      </span>
      <span role="gridcell" data-column="size">
        {formatBytes(row.size)}
      </span>
      <span role="gridcell" data-column="latency" data-slow={slowness(row.latency)}>
        {row.latency === null ? '' : formatLatency(row.latency)}
      </span>
      <span role="gridcell" data-column="verdict">
        <Verdict row={row} />
      </span>
    </div>
  );
});

/** As the original marks it: yellow above 50 ms, red above 200 ms. */
function slowness(latency: number | null): 'slow' | 'very' | undefined {
  if (latency === null || latency <= 50) return undefined;
  return latency > 200 ? 'very' : 'slow';
}

function Verdict({ row }: { row: MessageRow }) {
  if (row.fault !== null) return <Pill tone="bad">Error</Pill>;
  if (row.failure !== undefined) return <Pill tone="bad">No answer</Pill>;
  if (row.conflict !== null) {
    return (
      <span title={conflictText(row.conflict)}>
        <Pill tone="bad">
          <TriangleAlert size={12} aria-hidden="true" />
          Conflict
        </Pill>
      </span>
    );
  }
  if (row.audit === 'block') return <Pill tone="gold">Block!</Pill>;
  if (row.pool !== undefined) {
    const word = poolWord(row.pool);
    const audit = row.audit === undefined ? '' : auditWord(row.audit).meaning;
    return (
      <span title={`${word.meaning} ${audit}`}>
        <Pill tone={word.tone}>{word.text}</Pill>
      </span>
    );
  }
  if (row.ok === false) return <Pill tone="warn">No</Pill>;
  return null;
}

/** A place where messages were missed. */
export function GapLine({ row, index }: { row: GapRow; index: number }) {
  const text = {
    fetching: `Fell behind by ${plural(row.dropped, 'message')}; fetching them…`,
    fetched: `Fell behind by ${plural(row.dropped, 'message')}; fetched again.`,
    lost: `${plural(row.dropped, 'message')} came too fast, and could not be fetched again.`,
  }[row.state];
  return (
    <div role="row" aria-rowindex={index} className={styles.row} data-gap={row.state}>
      <span role="gridcell" className={styles.gap}>
        {text}
      </span>
    </div>
  );
}
