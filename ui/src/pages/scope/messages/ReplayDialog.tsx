import { useMutation, useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { errorText } from '../../../api/client';
import { Button } from '../../../components/Button';
import dialogStyles from '../../../components/Dialog.module.css';
import { Modal, ModalClose } from '../../../components/Modal';
import { Pill } from '../../../components/Pill';
import { Segmented } from '../../../components/Segmented';
import { formatLatency, sentence } from '../../../lib/format';
import { send } from '../../../scope/client';
import { messageQuery } from '../../../scope/queries';
import {
  messageFault,
  replayVerdict,
  submitFields,
  submitMessage,
  type SubmitFields,
} from '../../../scope/replay';
import type { Message, ReplayAnswer } from '../../../scope/types';
import styles from './ReplayDialog.module.css';
import { ShareView } from './ShareView';

const FIELDS: { key: keyof SubmitFields; label: string; hint: string }[] = [
  { key: 'worker', label: 'Worker', hint: 'wallet.worker' },
  { key: 'job', label: 'Job', hint: 'from mining.notify' },
  { key: 'extranonce2', label: 'Extranonce2', hint: 'hex' },
  { key: 'ntime', label: 'nTime', hint: 'hex, 8 digits' },
  { key: 'nonce', label: 'Nonce', hint: 'hex, 8 digits' },
  { key: 'versionBits', label: 'Version bits', hint: 'hex (BIP320), optional' },
  { key: 'id', label: 'Message id', hint: 'yours; the wire gets one of its own' },
];

interface ReplayDialogProps {
  message: Message;
  onClose: () => void;
  onOpen: (id: string) => void;
}

/** Edits a captured share, sends it to the pool again, and shows what came of it. */
export function ReplayDialog({ message, onClose, onOpen }: ReplayDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const captured = submitFields(message);
  const [raw, setRaw] = useState(() => JSON.stringify(message.decoded));
  const [fields, setFields] = useState(captured);
  const [form, setForm] = useState<'fields' | 'raw'>(captured ? 'fields' : 'raw');
  const text = form === 'fields' && fields ? submitMessage(fields, message) : raw;
  const fault = messageFault(text);
  const replay = useMutation({
    mutationFn: () =>
      send<ReplayAnswer>('POST', `/api/messages/${encodeURIComponent(message.id)}/replay`, {
        modified_message: text,
      }),
    meta: { progress: 'Sending to the pool' },
  });

  return (
    <Modal
      ref={dialog}
      title="Send this share again"
      onClose={onClose}
      onKeyDown={(event) => {
        // Esc must not close the panel below as well.
        event.stopPropagation();
      }}
    >
      <p className={dialogStyles.hint}>
        On the session’s own connection to the pool, under an id of the scope’s own: the miner’s
        answers are not touched.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (fault === '') replay.mutate();
        }}
      >
        <div className={styles.form}>
          <Segmented
            legend="Edit as"
            options={[
              { value: 'fields', label: 'Fields' },
              { value: 'raw', label: 'Raw JSON' },
            ]}
            value={form}
            onChange={(next) => {
              // What was typed in one form goes on in the other.
              if (next === 'raw') setRaw(text);
              else setFields(fieldsOf(raw) ?? fields);
              setForm(next);
            }}
          />
        </div>
        {form === 'fields' && fields ? (
          <div className={styles.fields}>
            {FIELDS.map(({ key, label, hint }) => (
              <label key={key}>
                {label} <small>{hint}</small>
                <input
                  value={fields[key]}
                  spellCheck={false}
                  autoComplete="off"
                  onChange={(event) => {
                    setFields({ ...fields, [key]: event.target.value });
                  }}
                />
              </label>
            ))}
          </div>
        ) : (
          <label>
            Message
            <textarea
              rows={7}
              spellCheck={false}
              value={raw}
              onChange={(event) => {
                setRaw(event.target.value);
              }}
            />
          </label>
        )}
        {fault !== '' && (
          <p className={dialogStyles.wrong} role="alert">
            {sentence(fault)}
          </p>
        )}
        <Outcome
          pending={replay.isPending}
          error={replay.error}
          answer={replay.data}
          onOpen={(id) => {
            dialog.current?.close();
            onOpen(id);
          }}
        />
        <div className={dialogStyles.actions}>
          <ModalClose>{replay.data ? 'Close' : 'Cancel'}</ModalClose>
          <Button type="submit" tone="primary" disabled={fault !== '' || replay.isPending}>
            {replay.isPending ? 'Replaying…' : replay.data ? 'Send again' : 'Replay to Pool'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** The fields of an edited text; undefined while it is no mining.submit. */
function fieldsOf(raw: string): SubmitFields | undefined {
  try {
    return submitFields({ decoded: JSON.parse(raw) as Record<string, unknown> });
  } catch {
    return undefined;
  }
}

/** What came of it: an answer, good or bad, or why there is none. */
function Outcome(props: {
  pending: boolean;
  error: Error | null;
  answer: ReplayAnswer | undefined;
  onOpen: (id: string) => void;
}) {
  const { pending, error, answer, onOpen } = props;
  const id = answer?.message_id;
  const { data: recorded } = useQuery({ ...messageQuery(id ?? ''), enabled: id != null });
  if (pending) {
    return (
      <p className={styles.outcome} role="status">
        Waiting for the pool’s answer, ten seconds at most…
      </p>
    );
  }
  if (error) {
    return (
      <p className={styles.outcome} data-tone="bad" role="alert">
        {sentence(errorText(error))}
      </p>
    );
  }
  if (!answer) return null;
  const verdict = replayVerdict(answer.pool_response);
  const tone = !answer.success ? 'bad' : verdict.accepted ? 'good' : 'warn';
  return (
    <div className={styles.outcome} data-tone={tone} role="status" data-testid="replay-outcome">
      <p>
        <Pill tone={tone}>
          {!answer.success ? 'No answer' : verdict.accepted ? 'Accepted' : 'Rejected'}
        </Pill>{' '}
        {!answer.success && sentence(answer.error ?? 'The pool did not answer')}
        {answer.success && verdict.accepted && 'The pool accepted the share.'}
        {answer.success &&
          !verdict.accepted &&
          `The pool rejected the share${verdict.reason === '' ? '' : `: ${verdict.reason}`}.`}
        {answer.latency_ms !== null && ` After ${formatLatency(answer.latency_ms)}.`}
      </p>
      {recorded?.share && <ShareView share={recorded.share} />}
      {id != null && (
        <Button
          small
          onClick={() => {
            onOpen(id);
          }}
        >
          Open what was sent
        </Button>
      )}
    </div>
  );
}
