import { useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { Component, lazy, Suspense, useEffect, useState, type ReactNode } from 'react';
import { load, LoadFailure } from '../lib/load';
import { useTask } from '../lib/progress';
import styles from './Commands.module.css';
import { NotOpened } from './NotOpened';
import { isTyping, Shortcuts, singleKeys } from './shortcuts';

const fetchPalette = () => load(() => import('./palette/Palette'));
const fetchHelp = () => load(() => import('./ShortcutsDialog'));

/** The dialogs, each fetched when first drawn. One that failed stays so: then they are made anew. */
const makeDialogs = () => ({
  Palette: lazy(async () => ({ default: (await fetchPalette()).Palette })),
  ShortcutsDialog: lazy(async () => ({ default: (await fetchHelp()).ShortcutsDialog })),
});

/** The button of the command palette, the keys of the whole page, and what they open. */
export function Commands() {
  const [open, setOpen] = useState<'palette' | 'help'>();
  const [failed, setFailed] = useState<{ which: 'palette' | 'help'; away: boolean }>();
  const [{ Palette, ShortcutsDialog }, setDialogs] = useState(makeDialogs);
  const navigate = useNavigate();

  // So that they are at hand when the server is not.
  useEffect(
    () =>
      whenIdle(() => {
        void Promise.allSettled([fetchPalette(), fetchHelp()]);
      }),
    [],
  );

  useEffect(() => {
    // Also while its code is on its way: what is typed then is meant for it.
    if (open !== undefined) return;
    const shortcuts = new Shortcuts();
    const onKeyDown = (event: KeyboardEvent) => {
      // What lies over the page has the keys for itself.
      if (event.defaultPrevented || document.querySelector('dialog[open]')) return;
      const single = singleKeys() && !isTyping(event.target);
      const command = shortcuts.press(event, event.timeStamp, single);
      if (!command) return;
      event.preventDefault();
      if (command.do === 'go') void navigate({ to: command.to });
      else if (command.do === 'search' && focusSearch()) return;
      else setOpen(command.do === 'help' ? 'help' : 'palette');
    };
    document.addEventListener('keydown', onKeyDown);
    return () => {
      document.removeEventListener('keydown', onKeyDown);
    };
  }, [navigate, open]);

  // One that closes late must not close what was opened after it.
  const close = (which: typeof open) => {
    setOpen((now) => (now === which ? undefined : now));
  };
  return (
    <>
      <button
        type="button"
        className={styles.button}
        aria-label="Search and commands, Ctrl K"
        aria-haspopup="dialog"
        aria-keyshortcuts="Control+K Meta+K"
        title="Search and commands (Ctrl+K)"
        onClick={() => {
          setOpen('palette');
        }}
      >
        <Search size={17} aria-hidden="true" />
        <kbd className={styles.key} aria-hidden="true">
          {/Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘ K' : 'Ctrl K'}
        </kbd>
      </button>
      {open !== undefined && (
        <Boundary
          key={open}
          onError={(error) => {
            close(open);
            setFailed({ which: open, away: error instanceof LoadFailure });
            setDialogs(makeDialogs());
          }}
        >
          <Suspense fallback={<Opening />}>
            {open === 'palette' && (
              <Palette
                onClose={() => {
                  close('palette');
                }}
                onHelp={() => {
                  setOpen('help');
                }}
              />
            )}
            {open === 'help' && (
              <ShortcutsDialog
                onClose={() => {
                  close('help');
                }}
              />
            )}
          </Suspense>
        </Boundary>
      )}
      {failed !== undefined && (
        <NotOpened
          title={failed.which === 'help' ? 'Keyboard shortcuts' : 'Search and commands'}
          away={failed.away}
          onRetry={() => {
            setFailed(undefined);
            setOpen(failed.which);
          }}
          onClose={() => {
            setFailed(undefined);
          }}
        />
      )}
    </>
  );
}

/** Keeps what fails inside from taking the page with it. */
class Boundary extends Component<{ onError: (error: unknown) => void; children: ReactNode }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch(error: unknown) {
    this.props.onError(error);
  }

  override render() {
    return this.state.failed ? null : this.props.children;
  }
}

/** Calls back once the browser has nothing better to do; the answer calls it off. */
function whenIdle(callback: () => void): () => void {
  // Safari knows no idle time.
  if (!('requestIdleCallback' in window)) {
    const timer = setTimeout(callback, 3_000);
    return () => {
      clearTimeout(timer);
    };
  }
  const handle = requestIdleCallback(callback);
  return () => {
    cancelIdleCallback(handle);
  };
}

/** Holds the place of a dialog whose code is on its way. */
function Opening() {
  useTask('Opening');
  return null;
}

/** Goes to the page's own search, if it has one. */
function focusSearch(): boolean {
  const search = document.querySelector<HTMLInputElement>('main input[type="search"]');
  if (!search) return false;
  search.focus();
  search.select();
  return true;
}
