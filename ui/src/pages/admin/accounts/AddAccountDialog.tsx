import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { FormDialog } from '../../../components/FormDialog';
import { Segmented } from '../../../components/Segmented';
import styles from './AccountsPage.module.css';
import { accountsQuery, addAccount, type GivenRole } from './api';
import { ROLES } from './words';

/** Makes an account with a password of this server. */
export function AddAccountDialog(props: {
  onDone: (name: string, password: string) => void;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<GivenRole>('viewer');
  const adding = useMutation({
    mutationFn: addAccount,
    onSuccess: ({ password }) => {
      props.onDone(name.trim(), password);
      return client.invalidateQueries({ queryKey: accountsQuery.queryKey });
    },
  });
  return (
    <FormDialog
      title="Add an account"
      action={adding.isPending ? 'Adding…' : 'Add'}
      busy={adding.isPending}
      ready={name.trim() !== ''}
      error={adding.error}
      onSubmit={() => {
        adding.mutate({
          name: name.trim(),
          role,
          ...(email.trim() !== '' && { email: email.trim() }),
        });
      }}
      onClose={props.onClose}
    >
      <p>A password is made and shown once, for you to hand over.</p>
      <label>
        Name to sign in with
        <input
          value={name}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          required
          onChange={(event) => {
            setName(event.target.value);
          }}
        />
      </label>
      <label>
        E-mail (optional)
        <input
          type="email"
          value={email}
          autoComplete="off"
          onChange={(event) => {
            setEmail(event.target.value);
          }}
        />
      </label>
      <div className={styles.role}>
        <Segmented legend="Role" options={ROLES} value={role} onChange={setRole} />
        <p>{ROLES.find((r) => r.value === role)?.means}</p>
      </div>
    </FormDialog>
  );
}
