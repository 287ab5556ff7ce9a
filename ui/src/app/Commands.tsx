import { useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import { useTask } from '../lib/progress';
import styles from './Commands.module.css';
import { isTyping, Shortcuts, singleKeys } from './shortcuts';

const Palette = lazy(async () => ({ default: (await import('./palette/Palette')).Palette }));
const ShortcutsDialog = lazy(async () => ({
  default: (await import('./ShortcutsDialog')).ShortcutsDialog,
}));

/** The button of the command palette, the keys of the whole page, and what they open. */
export function Commands() {
  const [open, setOpen] = useState<'palette' | 'help'>();
  const navigate = useNavigate();

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
    </>
  );
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
