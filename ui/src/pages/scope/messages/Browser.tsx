import { ArrowUpToLine, Pause, Play } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { errorText } from '../../../api/client';
import { Button } from '../../../components/Button';
import { CopyTable } from '../../../components/CopyTable';
import { Empty, Failure } from '../../../components/Message';
import { useTableCopy } from '../../../components/useTableCopy';
import { useLocalNow } from '../../../lib/clock';
import {
  formatCount,
  formatDuration,
  formatPercent,
  formatTime,
  parseTime,
  plural,
  sentence,
} from '../../../lib/format';
import { useTask } from '../../../lib/progress';
import { MOST, type MessageFeed } from '../../../scope/feed';
import type { FeedState, Search } from '../../../scope/feedState';
import { isNarrow, type MessageFilter } from '../../../scope/filter';
import { NOTHING } from '../../../scope/selection';
import { messagesTSV } from '../../../scope/table';
import { useMessageFeed } from '../../../scope/useMessageFeed';
import styles from './Browser.module.css';
import { JumpTo } from './JumpTo';
import { MessageDetail } from './MessageDetail';
import { MessageTable, type TableHandle } from './MessageTable';
import { filterOf, type MessagesSearch } from './search';
import { Selected } from './Selected';

interface BrowserProps {
  filter: MessageFilter;
  /** RFC 3339: the moment to begin at. */
  at: string | undefined;
  onJump: (at: string | undefined) => void;
  /** Id of the message in the panel. */
  open: string | undefined;
  onOpen: (id: string | undefined) => void;
  onFilter: (search: MessagesSearch) => void;
}

/** The table of messages, what steers it, and the panel beside it. */
export function Browser({ filter, at, onJump, open, onOpen, onFilter }: BrowserProps) {
  const { feed, state } = useMessageFeed(filter, parseTime(at));
  const [selection, setSelection] = useState(NOTHING);
  const [following, setFollowing] = useState(true);
  const table = useRef<TableHandle>(null);
  const list = useRef<HTMLElement>(null);
  const { copied, copy } = useTableCopy(list, (selected) =>
    selected || state.rows.length === 0
      ? undefined
      : messagesTSV(
          selection.seqs.size === 0
            ? state.rows
            : state.rows.filter((r) => selection.seqs.has(r.seq)),
        ),
  );

  useEffect(() => {
    feed.setFollowing(following && !state.paused);
  }, [feed, following, state.paused]);

  const { jumped } = state;
  useEffect(() => {
    if (jumped?.seq !== undefined) table.current?.reveal(jumped.seq);
  }, [jumped]);

  const live = () => {
    onJump(undefined);
    feed.goLive();
  };

  const close = () => {
    onOpen(undefined);
    table.current?.focus();
  };

  return (
    <>
      <div className={styles.bar}>
        {state.phase !== 'history' && (
          <Button
            small
            aria-pressed={state.paused}
            onClick={() => {
              if (state.paused) feed.resume();
              else feed.pause();
            }}
          >
            {state.paused ? (
              <Play size={14} aria-hidden="true" />
            ) : (
              <Pause size={14} aria-hidden="true" />
            )}
            {state.paused ? 'Go on' : 'Pause'}
          </Button>
        )}
        <Button
          small
          aria-pressed={following}
          title="Keep the newest message in view"
          onClick={() => {
            if (state.moreNewer) live();
            table.current?.toTop();
          }}
        >
          <ArrowUpToLine size={14} aria-hidden="true" />
          {state.moreNewer
            ? 'Back to live'
            : state.phase === 'history'
              ? 'To the newest'
              : 'Follow'}
        </Button>
        <JumpTo
          onJump={(moment) => {
            onJump(new Date(moment).toISOString());
            feed.jump(moment);
          }}
        />
        <Phase state={state} feed={feed} />
        {state.search && <SearchState search={state.search} feed={feed} />}
        {filter.until !== undefined && (
          <Button
            small
            onClick={() => {
              const next = filterOf({ ...filter });
              delete next.until;
              onFilter(next);
            }}
          >
            Back to live
          </Button>
        )}
        {selection.seqs.size > 0 && (
          <Selected
            filter={filter}
            seqs={selection.seqs}
            onClear={() => {
              setSelection(NOTHING);
            }}
          />
        )}
        <span className={styles.count} data-testid="message-count">
          {plural(state.rows.length, 'message')}
          {!state.atEnd && state.rows.length > 0 && ' loaded'}
          {state.rows.length >= MOST && ', the most at once'}
        </span>
        {state.rows.length > 0 && (
          <CopyTable
            caption={selection.seqs.size > 0 ? 'the selected messages' : 'the loaded messages'}
            copied={copied}
            onCopy={copy}
          />
        )}
      </div>
      <div className={styles.split} data-open={open !== undefined}>
        <section ref={list} className={styles.list} aria-label="Messages">
          <MessageTable
            ref={table}
            state={state}
            open={open}
            selection={selection}
            onSelect={setSelection}
            onOpen={onOpen}
            onFollowing={setFollowing}
            onEnd={() => {
              feed.loadOlder();
            }}
            onStart={() => {
              feed.loadNewer();
            }}
          />
          {state.rows.length === 0 && !state.loading && !state.loadingOlder && (
            <div className={styles.empty}>
              {state.error === undefined ? (
                <Nothing filter={filter} />
              ) : (
                <Failure error={state.error} />
              )}
            </div>
          )}
        </section>
        {open !== undefined && (
          <MessageDetail key={open} id={open} onClose={close} onOpen={onOpen} />
        )}
      </div>
    </>
  );
}

function Nothing({ filter }: { filter: MessageFilter }) {
  if (isNarrow(filter)) {
    return <Empty title="No message is like that">Take away some of what narrows them.</Empty>;
  }
  return (
    <Empty title="No messages to display">
      They appear here as soon as a miner connects through the scope, or to a pool with the tap on.
    </Empty>
  );
}

/** How far a search through the journal is, and the button that stops it. */
function SearchState({ search, feed }: { search: Search; feed: MessageFeed }) {
  const now = useLocalNow();
  const { reached, part, halted } = search;
  useTask(halted ? undefined : 'Searching the journal', part);
  const until = reached === undefined ? '' : ` back to ${formatTime(reached, now)}`;
  return (
    <span className={styles.phase} data-testid="search-progress">
      {halted ? `Searched${until}` : `Searching${until}`}
      {part !== undefined && !halted && `, ${formatPercent(part)}`}
      <Button
        small
        onClick={() => {
          if (halted) feed.resumeSearch();
          else feed.haltSearch();
        }}
      >
        {halted ? 'Search on' : 'Stop'}
      </Button>
    </span>
  );
}

/** Whether what is shown is live, and what is done about it when it is not. */
function Phase({ state, feed }: { state: FeedState; feed: MessageFeed }) {
  const now = useLocalNow();
  const { phase, retryAt, catchingUp, paused, waiting, error } = state;
  const lost = phase === 'waiting' || phase === 'reconnecting';
  const pause = retryAt === undefined ? 0 : Math.max(Math.ceil((retryAt - now) / 1000), 0);
  const newest = state.rows.at(-1);
  return (
    <span className={styles.phase} data-phase={phase} role="status" data-testid="feed-phase">
      {phase === 'history' && newest?.kind === 'message' && (
        <>History up to {formatTime(Date.parse(newest.received), now)}</>
      )}
      {phase === 'connecting' && 'Connecting…'}
      {phase === 'live' && !paused && (catchingUp ? 'Fetching what was missed…' : 'Live')}
      {phase === 'live' && paused && `Paused, ${formatCount(waiting)} new`}
      {lost && 'The live connection was lost.'}
      {lost && (
        <Button
          small
          disabled={phase === 'reconnecting'}
          onClick={() => {
            feed.retryNow();
          }}
        >
          {phase === 'reconnecting'
            ? 'Trying…'
            : `Try now${pause > 0 ? `, or in ${formatDuration(pause)}` : ''}`}
        </Button>
      )}
      {error !== undefined && state.rows.length > 0 && (
        <span className={styles.error}>{sentence(errorText(error))}</span>
      )}
    </span>
  );
}
