import { useMutation, useQuery } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { ApiError, errorText, refusalText } from '../../../api/client';
import { Button } from '../../../components/Button';
import dialogStyles from '../../../components/Dialog.module.css';
import { Modal, ModalClose } from '../../../components/Modal';
import { checkSettings, saveSettings, type Check, type Saved } from './api';
import { DiffView } from './DiffView';
import type { Changes, Form } from './model';
import styles from './ReviewDialog.module.css';

interface ReviewDialogProps {
  form: Form;
  changes: Changes;
  onReload: () => void;
  onSaved: (saved: Saved) => void;
  onClose: () => void;
}

/** Shows what saving would do to the file and to the program, before it does. */
export function ReviewDialog({ form, changes, onReload, onSaved, onClose }: ReviewDialogProps) {
  const { data: check, error } = useQuery({
    queryKey: ['admin', 'settings', 'review', form.base, JSON.stringify(changes)],
    queryFn: () => checkSettings(changes),
    staleTime: Infinity,
    gcTime: 0,
  });
  const save = useMutation({ mutationFn: saveSettings, onSuccess: onSaved });
  const conflict =
    save.error instanceof ApiError && save.error.status === 409 ? save.error : undefined;
  const dangerous = dangerousOf(form, changes);

  return (
    <Modal
      title="Save these changes?"
      className={`${dialogStyles.dialog ?? ''} ${styles.wide ?? ''}`}
      onClose={onClose}
    >
      {error !== null && (
        <p className={dialogStyles.wrong} role="alert">
          {errorText(error)}
        </p>
      )}
      {!check && error === null && <p role="status">Looking at them…</p>}
      {check && <Outcome check={check} dangerous={dangerous} />}
      {conflict ? (
        <div className={styles.conflict} role="alert">
          <p>{refusalText(conflict)}</p>
          <p>
            Nothing was saved. What you entered is kept, as far as it fits what the file says now.
          </p>
          <Button onClick={onReload}>Load the file anew</Button>
        </div>
      ) : (
        save.error !== null && (
          <p className={dialogStyles.wrong} role="alert">
            {refusalText(save.error)}
          </p>
        )
      )}
      <div className={dialogStyles.actions}>
        <ModalClose>Back</ModalClose>
        <Button
          tone={dangerous.length > 0 ? 'danger' : 'primary'}
          disabled={!check || check.problems.size > 0 || save.isPending || conflict !== undefined}
          onClick={() => {
            save.mutate({ changes, base: form.base });
          }}
        >
          {save.isPending ? 'Saving…' : 'Save'}
        </Button>
      </div>
    </Modal>
  );
}

/** Changed keys of which a mistake keeps miners, operators or money away. */
function dangerousOf(form: Form, changes: Changes): string[] {
  const known = new Set(
    [...form.sections, ...form.templates]
      .flatMap((section) => section.settings)
      .filter((setting) => setting.dangerous)
      .map((setting) => plainKey(setting.key)),
  );
  const sections = new Set([...known].map((key) => key.slice(0, key.lastIndexOf('.'))));
  return Object.keys(changes).filter(
    (key) => known.has(plainKey(key)) || sections.has(plainKey(`${key}.`).slice(0, -1)),
  );
}

/** A key without the number of its section. */
function plainKey(key: string): string {
  return key.replaceAll(/\.(\d+|\*)\./g, '.');
}

function Outcome({ check, dangerous }: { check: Check; dangerous: readonly string[] }) {
  return (
    <>
      {check.problems.size > 0 && (
        <div className={dialogStyles.wrong} role="alert">
          {[...check.problems].map(([key, problem]) => (
            <p key={key}>
              {key !== '' && <code>{key}</code>} {problem}
            </p>
          ))}
        </div>
      )}
      {dangerous.length > 0 && (
        <div className={styles.danger}>
          <TriangleAlert size={18} aria-hidden="true" />
          <div>
            <p>A mistake in these keeps miners, operators or money away. Look at them twice:</p>
            <Keys keys={dangerous} />
          </div>
        </div>
      )}
      {check.warnings.map((warning) => (
        <p key={warning} className={styles.warning}>
          {warning}
        </p>
      ))}
      <div className={styles.when}>
        {check.live.length > 0 && (
          <div>
            <h3>In force at once</h3>
            <Keys keys={check.live} />
          </div>
        )}
        {check.restart.length > 0 && (
          <div>
            <h3>After a restart</h3>
            <Keys keys={check.restart} />
          </div>
        )}
      </div>
      <DiffView text={check.diff} />
      <p className={dialogStyles.hint}>
        Comments and the order of the file stay. A copy of the file as it is now is kept beside it.
      </p>
    </>
  );
}

function Keys({ keys }: { keys: readonly string[] }) {
  return (
    <ul className={styles.keys}>
      {keys.map((key) => (
        <li key={key}>
          <code>{key}</code>
        </li>
      ))}
    </ul>
  );
}
