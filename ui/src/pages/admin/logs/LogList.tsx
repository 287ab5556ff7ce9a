import {
  memo,
  useId,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  type CSSProperties,
  type KeyboardEvent,
  type Ref,
} from 'react';
import { PlainText } from '../../../components/PlainText';
import { Skeleton } from '../../../components/Skeleton';
import { useVirtualRows } from '../../../components/useVirtualRows';
import { formatPreciseClock, formatUTC, parseTime, plural } from '../../../lib/format';
import { useMediaQuery } from '../../../lib/media';
import styles from './LogsPage.module.css';
import { attrsText, type LogLine } from './tail';

/** Height of a line, px: on a phone it takes two. */
const LINE = 26;
const TWO = 46;

/** Lines beyond the edges of what is seen. */
const OVERSCAN = 12;

/** So near to its end the list is at it, px. */
const NEAR = 12;

/** Characters of a line that the list shows at most; its detail has all. */
const MOST = 600;

export interface ListHandle {
  focus: () => void;
  toEnd: () => void;
}

interface LogListProps {
  ref: Ref<ListHandle>;
  /** Undefined while loading. */
  lines: readonly LogLine[] | undefined;
  gaps: ReadonlyMap<number, number> | undefined;
  /** Stays at the newest line. */
  following: boolean;
  chosen: number | undefined;
  onChoose: (line: LogLine) => void;
  /** Whether the reader is at the end now. */
  onEnd: (atEnd: boolean) => void;
}

/** The lines, the newest last. It has the focus as a whole; arrow keys choose a line. */
export function LogList({ ref, lines, gaps, following, chosen, onChoose, onEnd }: LogListProps) {
  const narrow = useMediaQuery('(max-width: 45rem)');
  const height = narrow ? TWO : LINE;
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const count = lines?.length ?? 0;

  const virtual = useVirtualRows(scroller, { count, height, overscan: OVERSCAN });

  const toEnd = () => {
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
  };
  useImperativeHandle(ref, () => ({ focus: () => scroller.current?.focus(), toEnd }));
  const newest = lines?.at(-1)?.id;
  useLayoutEffect(() => {
    if (following) toEnd();
  }, [following, newest, count, height]);

  const chosenAt = chosen === undefined ? -1 : (lines?.findIndex((l) => l.id === chosen) ?? -1);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !lines) return;
    const page = Math.max(Math.floor((scroller.current?.clientHeight ?? 0) / height) - 1, 1);
    const from = chosenAt < 0 ? count : chosenAt;
    const steps: Record<string, number> = {
      ArrowDown: from + 1,
      ArrowUp: from - 1,
      PageDown: from + page,
      PageUp: from - page,
      Home: 0,
      End: count - 1,
    };
    const to = steps[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const at = Math.min(Math.max(to, 0), count - 1);
    const line = lines[at];
    if (!line) return;
    onChoose(line);
    virtual.scrollToIndex(at);
  };

  return (
    <div
      ref={scroller}
      className={styles.scroller}
      role="listbox"
      tabIndex={0}
      aria-label="Lines of the log, the newest last. Arrow keys choose one."
      aria-busy={lines === undefined}
      aria-activedescendant={
        virtual.items.some((i) => i.index === chosenAt) ? `${id}-${chosen ?? ''}` : undefined
      }
      style={{ '--row': `${height}px` } as CSSProperties}
      onKeyDown={onKeyDown}
      onScroll={(event) => {
        const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
        onEnd(scrollHeight - scrollTop - clientHeight <= NEAR);
      }}
    >
      {lines === undefined ? (
        <Loading />
      ) : (
        <div className={styles.body} style={{ height: virtual.total }} role="presentation">
          <div style={{ transform: `translateY(${virtual.offset}px)` }} role="presentation">
            {virtual.items.map(({ index }) => {
              const line = lines[index];
              return (
                line && (
                  <Line
                    key={line.id}
                    id={`${id}-${line.id}`}
                    line={line}
                    gap={gaps?.get(line.id) ?? 0}
                    chosen={line.id === chosen}
                    onChoose={onChoose}
                  />
                )
              );
            })}
          </div>
        </div>
      )}
    </div>
  );
}

const Line = memo(function Line(props: {
  id: string;
  line: LogLine;
  gap: number;
  chosen: boolean;
  onChoose: (line: LogLine) => void;
}) {
  const { id, line, gap, chosen, onChoose } = props;
  const at = parseTime(line.at);
  return (
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the list has the focus and takes the keys
    <div
      id={id}
      role="option"
      aria-selected={chosen}
      className={styles.line}
      data-level={line.level}
      data-gap={gap > 0}
      onClick={() => {
        onChoose(line);
      }}
    >
      <time dateTime={line.at} title={at === undefined ? undefined : formatUTC(at)}>
        {at !== undefined && formatPreciseClock(at)}
      </time>
      <span className={styles.level}>{line.level}</span>
      <span className={styles.part}>{line.part}</span>
      <span className={styles.text}>
        {gap > 0 && <em>{plural(gap, 'line')} before this one are missing. </em>}
        <PlainText text={line.message.slice(0, MOST)} />{' '}
        <span className={styles.attrs}>
          <PlainText text={attrsText(line).slice(0, MOST)} />
        </span>
      </span>
    </div>
  );
});

function Loading() {
  return Array.from({ length: 12 }, (_, i) => (
    <div key={i} className={styles.line} role="presentation">
      <Skeleton width="10ch" />
      <Skeleton width="4ch" />
      <Skeleton width="5ch" />
      <Skeleton width="34ch" />
    </div>
  ));
}
