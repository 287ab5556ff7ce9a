import type { ReactNode } from 'react';
import { refusalText } from '../api/client';
import { Button } from './Button';
import styles from './Dialog.module.css';
import { Modal, ModalClose } from './Modal';

interface FormDialogProps {
  title: string;
  /** The fields, and what will come of it. */
  children: ReactNode;
  /** What the button that does it says. */
  action: string;
  tone?: 'primary' | 'danger';
  busy: boolean;
  /** Whether what was entered is enough. */
  ready?: boolean;
  /** Why it failed; null while it did not. */
  error: unknown;
  onSubmit: () => void;
  onClose: () => void;
}

/** Asks for what something needs before it is done. It stays open until it is closed, so that a failure is seen. */
export function FormDialog(props: FormDialogProps) {
  const { title, children, action, tone = 'primary', busy, ready = true, error } = props;
  return (
    <Modal title={title} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !busy) props.onSubmit();
        }}
      >
        {children}
        {error !== null && (
          <p className={styles.wrong} role="alert">
            {refusalText(error)}
          </p>
        )}
        <div className={styles.actions}>
          <ModalClose>Cancel</ModalClose>
          <Button type="submit" tone={tone} disabled={busy || !ready}>
            {action}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
