import type { ReactNode } from 'react';
import { refusalText } from '../api/client';
import { Button } from './Button';
import styles from './Dialog.module.css';
import { Modal, ModalClose } from './Modal';

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
  return (
    <Modal title={title} onClose={onClose}>
      {children}
      {error !== null && (
        <p className={styles.wrong} role="alert">
          {refusalText(error)}
        </p>
      )}
      <div className={styles.actions}>
        <ModalClose>Cancel</ModalClose>
        <Button tone="danger" disabled={busy} onClick={onConfirm}>
          {action}
        </Button>
      </div>
    </Modal>
  );
}
