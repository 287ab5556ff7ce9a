import { KeyRound } from 'lucide-react';
import { CopyButton } from '../../../components/CopyButton';
import dialogStyles from '../../../components/Dialog.module.css';
import { Modal, ModalClose } from '../../../components/Modal';
import { PlainText } from '../../../components/PlainText';
import styles from './AccountsPage.module.css';

/** Shows a password that nobody can show again. It closes by its button alone, not by a slip of a key. */
export function OncePasswordDialog(props: { name: string; password: string; onClose: () => void }) {
  return (
    <Modal
      title={
        <>
          <KeyRound size={18} aria-hidden="true" />
          Password of <PlainText text={props.name} />
        </>
      }
      onCancel={(event) => {
        event.preventDefault();
      }}
      onClose={props.onClose}
    >
      <p>Hand it over now: it is not kept, and cannot be shown again.</p>
      <p className={styles.once}>
        <code data-testid="once-password">{props.password}</code>
        <CopyButton text={props.password} label="Copy the password" />
      </p>
      <div className={dialogStyles.actions}>
        <ModalClose tone="primary">I have it</ModalClose>
      </div>
    </Modal>
  );
}
