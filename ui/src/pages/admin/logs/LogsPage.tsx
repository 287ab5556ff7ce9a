import { useQuery } from '@tanstack/react-query';
import { ArrowDownToLine, Copy, Download, Pause, Play } from 'lucide-react';
import { useDeferredValue, useMemo, useRef, useState } from 'react';
import { Button } from '../../../components/Button';
import { Field } from '../../../components/Field';
import { LongList, LongListFoot } from '../../../components/LongList';
import { Empty, Failure } from '../../../components/Message';
import { SearchField } from '../../../components/SearchField';
import { StaleNote } from '../../../components/StaleNote';
import { Toolbar } from '../../../components/Toolbar';
import { useBriefly } from '../../../lib/briefly';
import { copyText } from '../../../lib/clipboard';
import { saveFile } from '../../../lib/download';
import { formatCount, plural } from '../../../lib/format';
import { AdminPage } from '../AdminPage';
import { logsQuery } from './api';
import { LevelControl } from './LevelControl';
import { LineDetail } from './LineDetail';
import { LogList, type ListHandle } from './LogList';
import styles from './LogsPage.module.css';
import { filterLines, LEVELS, lineText, type LogFilter, type LogLine, type Tail } from './tail';

/** Why the lines stand still. */
interface Held {
  by: 'button' | 'scrolling';
  tail: Tail;
}

/** What the program says, as it says it. */
export function LogsPage() {
  const { data: live, error, dataUpdatedAt } = useQuery(logsQuery);
  const [filter, setFilter] = useState<LogFilter>({ level: 'debug', part: '', text: '' });
  const [held, setHeld] = useState<Held>();
  const [chosen, setChosen] = useState<LogLine>();
  const list = useRef<ListHandle>(null);

  const tail = held?.tail ?? live;
  const deferred = useDeferredValue(filter);
  const lines = useMemo(() => tail && filterLines(tail.lines, deferred), [tail, deferred]);
  const missed = held && live ? countAfter(live, held.tail) : 0;

  const toNewest = () => {
    setHeld(undefined);
    list.current?.toEnd();
  };

  return (
    <AdminPage title="Log" aside={live && <LevelControl tail={live} />}>
      <StaleNote error={live ? error : null} updatedAt={dataUpdatedAt} />
      <Toolbar>
        <Filters filter={filter} parts={live?.parts ?? []} onFilter={setFilter} />
        <span className={styles.buttons}>
          <Button
            aria-pressed={held !== undefined}
            disabled={!live}
            onClick={() => {
              if (held) toNewest();
              else if (live) setHeld({ by: 'button', tail: live });
            }}
          >
            {held ? <Play size={15} aria-hidden="true" /> : <Pause size={15} aria-hidden="true" />}
            {held ? 'Go on' : 'Pause'}
          </Button>
          <Take lines={lines ?? []} />
        </span>
      </Toolbar>
      <LongList label="Lines of the log">
        {!tail && error ? (
          <Failure error={error} />
        ) : lines?.length === 0 ? (
          <Empty title={tail?.lines.length === 0 ? 'No line yet' : 'No line is like that'} />
        ) : (
          <LogList
            ref={list}
            lines={lines}
            gaps={tail?.gaps}
            following={held === undefined}
            chosen={chosen?.id}
            onChoose={setChosen}
            onEnd={(atEnd) => {
              if (!atEnd && !held && live) setHeld({ by: 'scrolling', tail: live });
              else if (atEnd && held?.by === 'scrolling') setHeld(undefined);
            }}
          />
        )}
        <LongListFoot
          aside={
            held && (
              <Button small onClick={toNewest}>
                <ArrowDownToLine size={14} aria-hidden="true" />
                Newest
              </Button>
            )
          }
        >
          <span>
            {lines && tail && lines.length !== tail.lines.length
              ? `${formatCount(lines.length)} of ${plural(tail.lines.length, 'line')}`
              : plural(lines?.length ?? 0, 'line')}
          </span>
          {held && (
            <span className={styles.held}>
              {held.by === 'button' ? 'Paused' : 'Held while you read'}
              {missed > 0 && `; ${plural(missed, 'new line')}`}
            </span>
          )}
        </LongListFoot>
      </LongList>
      {chosen && (
        <LineDetail
          line={chosen}
          onClose={() => {
            setChosen(undefined);
            list.current?.focus();
          }}
        />
      )}
    </AdminPage>
  );
}

/** How many lines came after those of another time. */
function countAfter(live: Tail, before: Tail): number {
  const last = before.lines.at(-1)?.id ?? 0;
  return live.lines.length - live.lines.findLastIndex((line) => line.id <= last) - 1;
}

function Filters(props: {
  filter: LogFilter;
  parts: readonly string[];
  onFilter: (filter: LogFilter) => void;
}) {
  const { filter, parts, onFilter } = props;
  return (
    <>
      <Field label="Level">
        <select
          value={filter.level}
          onChange={(event) => {
            const level = LEVELS.find((l) => l === event.target.value);
            if (level) onFilter({ ...filter, level });
          }}
        >
          {LEVELS.map((level) => (
            <option key={level} value={level}>
              {level === 'error' ? 'error' : `${level} and up`}
            </option>
          ))}
        </select>
      </Field>
      <Field label="Part">
        <select
          value={filter.part}
          onChange={(event) => {
            onFilter({ ...filter, part: event.target.value });
          }}
        >
          <option value="">all</option>
          {[...new Set([...parts, ...(filter.part === '' ? [] : [filter.part])])].map((part) => (
            <option key={part} value={part}>
              {part}
            </option>
          ))}
        </select>
      </Field>
      <SearchField
        label="Search the log"
        placeholder="Words in it…"
        width={240}
        value={filter.text}
        onChange={(text) => {
          onFilter({ ...filter, text });
        }}
      />
    </>
  );
}

/** Copies or keeps what is shown. */
function Take({ lines }: { lines: readonly LogLine[] }) {
  const [outcome, setOutcome] = useBriefly<'copied' | 'failed'>();
  const text = () => lines.map((line) => `${lineText(line)}\n`).join('');
  const copy = async () => {
    setOutcome((await copyText(text())) ? 'copied' : 'failed');
  };
  const words = { copied: 'Copied', failed: 'Copying failed' };
  return (
    <>
      <Button disabled={lines.length === 0} onClick={() => void copy()}>
        <Copy size={15} aria-hidden="true" />
        <span aria-live="polite">{outcome ? words[outcome] : 'Copy'}</span>
      </Button>
      <Button
        disabled={lines.length === 0}
        onClick={() => {
          const name = `poolscope-${new Date().toISOString().replaceAll(/[:.]/g, '')}.log`;
          saveFile(new Blob([text()], { type: 'text/plain' }), name);
        }}
      >
        <Download size={15} aria-hidden="true" />
        Download
      </Button>
    </>
  );
}
