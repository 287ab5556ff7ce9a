import { useQuery } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { useEffect, useId, useState } from 'react';
import { Button } from '../../../components/Button';
import { Field } from '../../../components/Field';
import { formatPreciseClock } from '../../../lib/format';
import { isNarrow, METHODS, VERDICTS, type MessageFilter } from '../../../scope/filter';
import { sessionsQuery } from '../../../scope/queries';
import type { Direction, Session } from '../../../scope/types';
import { DIRECTIONS, shortSession, shortWorker } from '../../../scope/words';
import styles from './Filters.module.css';

/** How long typing may pause before it is searched for, ms. */
const PATIENCE = 350;

interface FiltersProps {
  filter: MessageFilter;
  onChange: (filter: MessageFilter) => void;
}

/** What narrows the messages. Everything is in the page's address, to be shared. */
export function Filters({ filter, onChange }: FiltersProps) {
  const { data: sessions } = useQuery(sessionsQuery);
  const methods = useId();
  const workers = useId();
  const set = (change: { [K in keyof MessageFilter]: MessageFilter[K] | undefined }) => {
    const wanted = Object.entries({ ...filter, ...change }).filter(
      ([, value]) => value !== undefined && value !== '' && value !== false,
    );
    onChange(Object.fromEntries(wanted));
  };

  return (
    <div className={styles.filters} role="search" aria-label="Messages">
      <Typed
        label="Search in lines"
        placeholder="Search messages…"
        value={filter.text ?? ''}
        wide
        onCommit={(text) => {
          set({ text });
        }}
      />
      <Field label="Session" hidden>
        <select
          aria-label="Session"
          value={filter.session ?? ''}
          onChange={(event) => {
            set({ session: event.target.value });
          }}
        >
          <option value="">All sessions</option>
          {filter.session && !sessions?.some((s) => s.session_id === filter.session) && (
            <option value={filter.session}>{shortSession(filter.session)}</option>
          )}
          {sessions?.toReversed().map((s) => (
            <option key={s.session_id} value={s.session_id}>
              {sessionName(s)}
            </option>
          ))}
        </select>
      </Field>
      <Field label="Direction" hidden>
        <select
          aria-label="Direction"
          value={filter.direction ?? ''}
          onChange={(event) => {
            set({ direction: event.target.value as Direction });
          }}
        >
          <option value="">Both directions</option>
          {Object.entries(DIRECTIONS).map(([value, { text }]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </Field>
      <Typed
        label="Method"
        placeholder="Any method"
        list={methods}
        value={filter.method ?? ''}
        onCommit={(method) => {
          set({ method });
        }}
      />
      <datalist id={methods}>
        {METHODS.map((m) => (
          <option key={m} value={m} />
        ))}
      </datalist>
      <Field label="Share verdict" hidden>
        <select
          aria-label="Share verdict"
          value={filter.verdict ?? ''}
          onChange={(event) => {
            set({ verdict: event.target.value });
          }}
        >
          <option value="">Any verdict</option>
          {Object.entries(VERDICTS).map(([value, text]) => (
            <option key={value} value={value}>
              Share {text}
            </option>
          ))}
        </select>
      </Field>
      <Typed
        label="Worker"
        placeholder="Any worker"
        list={workers}
        value={filter.worker ?? ''}
        onCommit={(worker) => {
          set({ worker });
        }}
      />
      <datalist id={workers}>
        {[...new Set(sessions?.flatMap((s) => s.workers ?? []))].map((w) => (
          <option key={w} value={w} />
        ))}
      </datalist>
      <Button
        aria-pressed={filter.errors === true}
        title="Only lines that are no Stratum messages"
        onClick={() => {
          set({ errors: filter.errors !== true });
        }}
      >
        Errors only
      </Button>
      {isNarrow(filter) && (
        <Button
          onClick={() => {
            onChange({});
          }}
        >
          <X size={15} aria-hidden="true" />
          Clear
        </Button>
      )}
    </div>
  );
}

function sessionName(s: Session): string {
  const who = s.workers?.[0] ? shortWorker(s.workers[0]) : (s.user_agent ?? s.peer);
  const when = formatPreciseClock(Date.parse(s.first_seen)).slice(0, 5);
  return `${who} · ${s.origin}, ${when}${s.live ? '' : ', ended'} · ${shortSession(s.session_id)}`;
}

/** A text that takes effect when typing pauses, or with Enter. */
function Typed(props: {
  label: string;
  placeholder: string;
  value: string;
  list?: string;
  wide?: boolean;
  onCommit: (value: string) => void;
}) {
  const { value, onCommit } = props;
  const [draft, setDraft] = useState(value);
  const [base, setBase] = useState(value);
  if (base !== value) {
    // Changed from outside: a link, or the button that clears all.
    setBase(value);
    setDraft(value);
  }

  useEffect(() => {
    if (draft === value) return;
    const timer = setTimeout(() => {
      onCommit(draft);
    }, PATIENCE);
    return () => {
      clearTimeout(timer);
    };
  });

  return (
    <Field label={props.label} hidden>
      <input
        type="search"
        className={props.wide === true ? styles.wide : styles.text}
        placeholder={props.placeholder}
        list={props.list}
        value={draft}
        onChange={(event) => {
          setDraft(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onCommit(draft);
        }}
      />
    </Field>
  );
}
