import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useRef, useState } from 'react';
import { alertsQuery, confirmChannel, sendChannelCode, type AlertChannel } from '../../api/alerts';
import { ApiError, refusalText } from '../../api/client';
import { Button } from '../../components/Button';
import { Modal, ModalClose } from '../../components/Modal';
import { sentence } from '../../lib/format';
import styles from './AlertDialog.module.css';

/** Takes the code that was sent to a mailbox, which proves that it is somebody's own. */
export function CodeDialog({ channel, onClose }: { channel: AlertChannel; onClose: () => void }) {
  const client = useQueryClient();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [code, setCode] = useState('');
  const confirm = useMutation({
    mutationFn: () => confirmChannel(channel.id, code.trim()),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: alertsQuery.queryKey });
      dialog.current?.close();
    },
  });
  const again = useMutation({ mutationFn: () => sendChannelCode(channel.id) });
  const failure = confirm.error ?? again.error;

  return (
    <Modal ref={dialog} title="Is it yours?" className={styles.dialog} onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (code.trim() !== '' && !confirm.isPending) confirm.mutate();
        }}
      >
        <p>
          A code was sent to <strong dir="auto">{channel.settings.address ?? channel.name}</strong>.
          It may take a minute; look among the unwanted mail, too.
        </p>
        <div>
          <label htmlFor={id}>Code</label>
          <input
            id={id}
            value={code}
            autoComplete="one-time-code"
            autoCapitalize="none"
            spellCheck={false}
            // eslint-disable-next-line jsx-a11y/no-autofocus -- the dialog is about nothing else
            autoFocus
            onChange={(event) => {
              setCode(event.target.value);
              if (!confirm.isIdle) confirm.reset();
            }}
          />
        </div>
        {failure && (
          <p className={styles.failed} role="alert">
            {failure instanceof ApiError && failure.status === 429
              ? sentence(failure.message)
              : refusalText(failure)}
          </p>
        )}
        <p className={styles.hint} role="status">
          {again.isSuccess && 'Another code is on its way; the first counts no more.'}
        </p>
        <div className={styles.actions}>
          <Button
            disabled={again.isPending}
            onClick={() => {
              confirm.reset();
              again.mutate();
            }}
          >
            Send another
          </Button>
          <ModalClose>Later</ModalClose>
          <Button type="submit" tone="primary" disabled={confirm.isPending || code.trim() === ''}>
            {confirm.isPending ? 'Checking…' : 'Confirm'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
