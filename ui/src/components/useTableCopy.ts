import { useCallback, useEffect, useRef, type RefObject } from 'react';
import { useBriefly } from '../lib/briefly';
import { copyText } from '../lib/clipboard';
import { plural } from '../lib/format';

/** What copying came to, shortly after it. */
export type Copied = Outcome | undefined;
type Outcome = { rows: number } | 'failed';

/** Rows as text, and how many of them. */
export interface Copy {
  text: string;
  rows: number;
}

/**
 * Lets a table be copied with Ctrl or Cmd+C while the focus is in it, and by a
 * button. `build` makes the text: of the chosen range when the reader has
 * selected more than one cell can hold, else (undefined) of the whole table. It
 * returns undefined where the browser's own copying is right.
 */
export function useTableCopy(
  frame: RefObject<HTMLElement | null>,
  build: (selected: Range | undefined) => Copy | undefined,
): { copied: Copied; copy: () => void } {
  const [copied, setCopied] = useBriefly<Outcome>();
  const latest = useRef(build);
  useEffect(() => {
    latest.current = build;
  });

  // On the document: with nothing selected, browsers do not agree whom they tell.
  useEffect(() => {
    const onCopy = (event: ClipboardEvent) => {
      const element = frame.current;
      if (!element || event.defaultPrevented || !event.clipboardData || inTextField()) return;
      const selection = window.getSelection();
      const range =
        selection && !selection.isCollapsed && selection.rangeCount > 0
          ? selection.getRangeAt(0)
          : undefined;
      if (range ? !range.intersectsNode(element) : !element.contains(document.activeElement)) {
        return;
      }
      const copy = latest.current(range);
      if (!copy) return;
      event.clipboardData.setData('text/plain', copy.text);
      event.preventDefault();
      setCopied({ rows: copy.rows });
    };
    document.addEventListener('copy', onCopy);
    return () => {
      document.removeEventListener('copy', onCopy);
    };
  }, [frame, setCopied]);

  const copy = useCallback(() => {
    const all = latest.current(undefined);
    if (!all) return;
    void copyText(all.text).then((done) => {
      setCopied(done ? { rows: all.rows } : 'failed');
    });
  }, [setCopied]);
  return { copied, copy };
}

/** What came of copying, in words; '' while there is nothing to say. */
export function copiedText(copied: Copied): string {
  if (copied === undefined) return '';
  return copied === 'failed' ? 'Copying failed' : `Copied ${plural(copied.rows, 'row')}`;
}

/** Whether the focus is where text is typed, whose own copying must stay. */
function inTextField(): boolean {
  const element = document.activeElement;
  return element instanceof HTMLTextAreaElement || element instanceof HTMLInputElement
    ? element instanceof HTMLTextAreaElement || element.type !== 'checkbox'
    : element instanceof HTMLElement && element.isContentEditable;
}
