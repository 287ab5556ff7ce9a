import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import { useView } from '../../api/LiveProvider';
import { useSession } from '../../api/session';
import { workersQuery } from '../../api/workers';
import { copyText } from '../../lib/clipboard';
import { plural } from '../../lib/format';
import { hasPool } from '../../lib/pool';
import { setTheme, useTheme } from '../../lib/theme';
import { askForToken } from '../../scope/access';
import { leave } from '../leave';
import { sessionsQuery } from '../../scope/queries';
import { useGroups } from '../useGroups';
import { commandItems, pageItems, sessionItems, workerItems, type Act, type Item } from './items';
import styles from './Palette.module.css';
import { rank } from './rank';

/** Most lines that are listed; more than anybody reads. */
const MOST = 60;

/** Lines of each kind while nothing is typed. */
const FIRST = 8;

/** Lines that Page Up and Page Down move. */
const LEAP = 8;

interface PaletteProps {
  onClose: () => void;
  onHelp: () => void;
}

/** Finds pages, workers, sessions and commands by a few letters. */
export function Palette({ onClose, onHelp }: PaletteProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const [failed, setFailed] = useState(false);
  const { items, loading } = useItems();
  const found = query.trim() === '' ? beginning(items) : rank(items, query, MOST);
  const active = Math.min(chosen, found.length - 1);
  const run = useAct(onHelp);

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  useEffect(() => {
    document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: 'nearest' });
  }, [id, active, found.length]);

  const choose = (item: Item) => {
    // The focus goes back to where it was before anything else happens to it.
    if ('copy' in item.act) {
      void copyInside(dialog.current, item.act.copy).then((done) => {
        if (done) dialog.current?.close();
        else setFailed(true);
      });
      return;
    }
    dialog.current?.close();
    run(item.act);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const last = found.length - 1;
    const moves: Record<string, number> = {
      ArrowDown: active >= last ? 0 : active + 1,
      ArrowUp: active <= 0 ? last : active - 1,
      PageDown: Math.min(active + LEAP, last),
      PageUp: Math.max(active - LEAP, 0),
    };
    const to = moves[event.key];
    const isToggle = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey);
    if (isToggle) dialog.current?.close();
    else if (to !== undefined) setChosen(Math.max(to, 0));
    else if (event.key === 'Enter') {
      const item = found[active];
      if (item) choose(item);
    } else return;
    event.preventDefault();
  };

  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events -- a click beside it; Esc is the dialog's own
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-label="Search and commands"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === event.currentTarget) event.currentTarget.close();
      }}
    >
      <div className={styles.inside}>
        <div className={styles.field}>
          <Search size={18} aria-hidden="true" />
          <input
            type="text"
            role="combobox"
            aria-label="Search pages, workers, sessions and commands"
            aria-expanded={found.length > 0}
            aria-controls={`${id}-list`}
            aria-autocomplete="list"
            aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
            placeholder="Pages, workers, sessions, commands…"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            // eslint-disable-next-line jsx-a11y/no-autofocus -- whoever opened it wants to type
            autoFocus
            value={query}
            onChange={(event) => {
              setQuery(event.target.value);
              setChosen(0);
            }}
            onKeyDown={onKeyDown}
          />
          <button
            type="button"
            className={styles.close}
            onClick={() => {
              dialog.current?.close();
            }}
          >
            Esc<span className="visually-hidden">, close</span>
          </button>
        </div>
        <div
          role="listbox"
          id={`${id}-list`}
          className={styles.list}
          aria-label="Found"
          tabIndex={-1}
        >
          {found.map((item, index) => (
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the input has the focus and takes the keys
            <div
              key={item.key}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active}
              className={styles.item}
              onClick={() => {
                choose(item);
              }}
            >
              <item.icon size={16} aria-hidden="true" />
              <span className={styles.label}>{item.label}</span>{' '}
              <span className={styles.detail}>{item.detail}</span>{' '}
              <span className={styles.kind}>{item.kind}</span>
            </div>
          ))}
        </div>
        <p className={styles.foot} role="status">
          {failed
            ? 'Copying failed.'
            : found.length === 0
              ? `Nothing is like that${loading ? ' so far' : ''}.`
              : `${plural(found.length, 'result')}${loading ? ', more are on their way' : ''}`}
        </p>
      </div>
    </dialog>
  );
}

/** Everything that can be found; workers and sessions are fetched as it opens. */
function useItems(): { items: Item[]; loading: boolean } {
  const { data: status } = useView('status');
  const pool = !status || hasPool(status);
  const { all } = useGroups();
  const workers = useQuery({ ...workersQuery, enabled: pool, refetchInterval: false });
  const sessions = useQuery({ ...sessionsQuery, refetchInterval: false });
  const theme = useTheme();
  const session = useSession();
  return {
    items: [
      ...pageItems(all),
      ...commandItems(theme, status, location.hostname, session),
      ...workerItems(workers.data?.workers ?? []),
      ...sessionItems(sessions.data ?? []),
    ],
    loading: (pool && workers.isLoading) || sessions.isLoading,
  };
}

/** What is offered before anything is typed: some of each kind. */
function beginning(items: readonly Item[]): Item[] {
  const counts = new Map<string, number>();
  return items.filter(({ kind }) => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return kind === 'Page' || count <= FIRST;
  });
}

/** Does what an item is for, once the palette is closed. */
function useAct(onHelp: () => void): (act: Act) => void {
  const navigate = useNavigate();
  const client = useQueryClient();
  return (act) => {
    if ('page' in act) void navigate({ to: act.page }).then(focusMain);
    else if ('worker' in act) {
      void navigate({ to: '/workers/$id', params: { id: act.worker } }).then(focusMain);
    } else if ('session' in act) {
      void navigate({ to: '/scope/sessions/$id', params: { id: act.session } }).then(focusMain);
    } else if ('open' in act) location.assign(act.open);
    else if ('theme' in act) setTheme(act.theme);
    else if ('ask' in act && act.ask === 'help') onHelp();
    else if ('ask' in act && act.ask === 'sign-out') void leave();
    else if ('ask' in act) {
      void askForToken({ reason: 'send', wrong: false }).then((given) => {
        // With the token there may be more to see.
        if (given) void client.invalidateQueries();
      });
    }
  };
}

/** Whoever went to another page begins at its top, not at the button they came from. */
function focusMain(): void {
  document.getElementById('main')?.focus({ preventScroll: true });
}

/** Copies a text, or the page's address when there is none. */
function copyInside(dialog: HTMLDialogElement | null, text: string): Promise<boolean> {
  return copyText(text === '' ? location.href : text, dialog ?? undefined);
}
