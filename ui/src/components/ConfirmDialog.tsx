import { useEffect, useId, useRef, type ReactNode } from 'react';
import { errorText } from '../api/client';
import { Button } from './Button';
import styles from './Dialog.module.css';

interface ConfirmDialogProps {
  title: string;
  /** What will come of it. */
  children: ReactNode;
  /** What the button that does it says. */
  action: string;
  busy: boolean;
  /** Why it failed; null while it did not. */
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks once more before something is done. It stays open until it is closed, so that a failure is seen. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, children, action, busy, error, onConfirm, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  return (
    <dialog ref={dialog} className={styles.dialog} aria-labelledby={heading} onClose={onClose}>
      <h2 id={heading}>{title}</h2>
      {children}
      {error !== null && (
        <p className={styles.wrong} role="alert">
          {errorText(error)}
        </p>
      )}
      <div className={styles.actions}>
        <Button
          onClick={() => {
            dialog.current?.close();
          }}
        >
          Cancel
        </Button>
        <Button tone="danger" disabled={busy} onClick={onConfirm}>
          {action}
        </Button>
      </div>
    </dialog>
  );
}
