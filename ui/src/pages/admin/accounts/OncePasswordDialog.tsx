import { KeyRound } from 'lucide-react';
import { useEffect, useId, useRef } from 'react';
import { Button } from '../../../components/Button';
import { CopyButton } from '../../../components/CopyButton';
import dialogStyles from '../../../components/Dialog.module.css';
import { PlainText } from '../../../components/PlainText';
import styles from './AccountsPage.module.css';

/** Shows a password that nobody can show again. It closes by its button alone, not by a slip of a key. */
export function OncePasswordDialog(props: { name: string; password: string; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  return (
    <dialog
      ref={dialog}
      className={dialogStyles.dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
      }}
      onClose={props.onClose}
    >
      <h2 id={heading}>
        <KeyRound size={18} aria-hidden="true" />
        Password of <PlainText text={props.name} />
      </h2>
      <p>Hand it over now: it is not kept, and cannot be shown again.</p>
      <p className={styles.once}>
        <code data-testid="once-password">{props.password}</code>
        <CopyButton text={props.password} label="Copy the password" />
      </p>
      <div className={dialogStyles.actions}>
        <Button
          tone="primary"
          onClick={() => {
            dialog.current?.close();
          }}
        >
          I have it
        </Button>
      </div>
    </dialog>
  );
}
