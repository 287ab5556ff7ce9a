import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { refusalText } from '../../../api/client';
import { Button } from '../../../components/Button';
import dialogStyles from '../../../components/Dialog.module.css';
import { Modal, ModalClose } from '../../../components/Modal';
import { PlainText } from '../../../components/PlainText';
import { Segmented } from '../../../components/Segmented';
import { plural } from '../../../lib/format';
import styles from './AccountsPage.module.css';
import {
  accountsQuery,
  changeAccount,
  deleteAccount,
  endSessions,
  resetPassword,
  type Account,
  type AccountChange,
} from './api';
import { providerName, ROLES } from './words';

interface ManageDialogProps {
  account: Account;
  /** It is the account of whoever looks at it. */
  own: boolean;
  onPassword: (password: string) => void;
  onDeleted: () => void;
  onClose: () => void;
}

/** What an operator can do with an account. Each part takes effect by its own button. */
export function ManageDialog({ account, own, onPassword, onDeleted, onClose }: ManageDialogProps) {
  const client = useQueryClient();
  const [outcome, setOutcome] = useState('');
  const [typed, setTyped] = useState('');
  const local = account.provider === 'local';

  const task = useMutation({
    mutationFn: (run: () => Promise<unknown>) => run(),
    onSettled: () => client.invalidateQueries({ queryKey: accountsQuery.queryKey }),
  });
  const run = (words: string, what: () => Promise<unknown>) => {
    setOutcome('');
    task.mutate(what, {
      onSuccess: () => {
        setOutcome(words);
      },
    });
  };
  const change = (words: string, what: AccountChange) => {
    run(words, () => changeAccount(account.id, what));
  };
  const busy = task.isPending;

  return (
    <Modal title={<PlainText text={account.name} />} onClose={onClose}>
      <p className={styles.about}>
        Signs in with {providerName(account.provider)}
        {own && '; this is you'}. {plural(account.sessions, 'session')},{' '}
        {plural(account.saved_workers, 'saved worker')}.
      </p>
      <Part title="Role" text={ROLES.find((r) => r.value === givenRole(account))?.means}>
        <Segmented
          legend="Role"
          options={ROLES}
          value={givenRole(account)}
          onChange={(role) => {
            change(`The role is ${role} now.`, { role });
          }}
        />
      </Part>
      <Part
        title={account.disabled ? 'Disabled' : 'Enabled'}
        text={
          account.disabled
            ? 'Cannot sign in. What was saved is kept.'
            : 'Disabling ends all sessions and keeps what was saved.'
        }
      >
        <Button
          small
          disabled={busy}
          onClick={() => {
            change(account.disabled ? 'It is enabled.' : 'It is disabled.', {
              disabled: !account.disabled,
            });
          }}
        >
          {account.disabled ? 'Enable' : 'Disable'}
        </Button>
      </Part>
      <Part title="Sessions" text="Whoever is signed in with it has to sign in again.">
        <Button
          small
          disabled={busy || account.sessions === 0}
          onClick={() => {
            run('All its sessions are ended.', () => endSessions(account.id));
          }}
        >
          End all
        </Button>
      </Part>
      {local && (
        <Part title="Password" text="A new one is made and shown once; the old one is void.">
          <Button
            small
            disabled={busy}
            onClick={() => {
              run('', async () => {
                const { password } = await resetPassword(account.id);
                onPassword(password);
              });
            }}
          >
            Reset
          </Button>
        </Part>
      )}
      <form
        className={styles.delete}
        onSubmit={(event) => {
          event.preventDefault();
          if (typed !== account.name || busy) return;
          run('', async () => {
            await deleteAccount(account.id);
            onDeleted();
          });
        }}
      >
        <label>
          To delete it with its saved workers and alerts, type its name
          <input
            value={typed}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            onChange={(event) => {
              setTyped(event.target.value);
            }}
          />
        </label>
        <Button type="submit" tone="danger" disabled={busy || typed !== account.name}>
          Delete
        </Button>
      </form>
      <p className={styles.outcome} role="status">
        {outcome}
      </p>
      {task.error !== null && (
        <p className={dialogStyles.wrong} role="alert">
          {refusalText(task.error)}
        </p>
      )}
      <div className={dialogStyles.actions}>
        <ModalClose>Close</ModalClose>
      </div>
    </Modal>
  );
}

/** An owner is a viewer who has proven something. */
function givenRole(account: Account): 'viewer' | 'operator' {
  return account.role === 'operator' ? 'operator' : 'viewer';
}

function Part(props: { title: string; text: string | undefined; children: ReactNode }) {
  return (
    <div className={styles.part}>
      <div>
        <h3>{props.title}</h3>
        <p>{props.text}</p>
      </div>
      {props.children}
    </div>
  );
}
