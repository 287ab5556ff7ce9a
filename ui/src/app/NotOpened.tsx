import { useEffect, useRef } from 'react';
import { Button } from '../components/Button';
import dialogStyles from '../components/Dialog.module.css';

interface NotOpenedProps {
  title: string;
  /** Its code could not be fetched; otherwise it failed while drawing itself. */
  away: boolean;
  onRetry: () => void;
  onClose: () => void;
}

/** In place of a dialog that cannot be shown. */
export function NotOpened(props: NotOpenedProps) {
  const dialog = useRef<HTMLDialogElement>(null);

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  return (
    <dialog
      ref={dialog}
      className={dialogStyles.dialog}
      aria-labelledby="not-opened-title"
      onClose={props.onClose}
    >
      <h2 id="not-opened-title">{props.title}</h2>
      <p role="alert">
        {props.away ? 'This could not be loaded: the server does not answer.' : 'This broke.'}
      </p>
      <div className={dialogStyles.actions}>
        <Button
          onClick={() => {
            dialog.current?.close();
          }}
        >
          Close
        </Button>
        <Button tone="primary" onClick={props.onRetry}>
          Try again
        </Button>
      </div>
    </dialog>
  );
}
