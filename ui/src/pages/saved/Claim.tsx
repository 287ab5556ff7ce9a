import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { refusalText } from '../../api/client';
import {
  claimWorker,
  giveUpWorker,
  proveBySignature,
  savedQuery,
  type Claim as ClaimAnswer,
} from '../../api/saved';
import { Button } from '../../components/Button';
import { CopyButton } from '../../components/CopyButton';
import { Segmented } from '../../components/Segmented';
import { Skeleton } from '../../components/Skeleton';
import { useNow } from '../../lib/clock';
import { formatTimer, parseTime, sentence } from '../../lib/format';
import { CodeInstructions } from './CodeInstructions';
import type { SavedWorker } from './group';
import styles from './WorkerDialog.module.css';

type Way = 'password' | 'signature';

/** Proves that a worker is one's own, by its password field or by its address's key. */
export function Claim({ worker: w }: { worker: SavedWorker }) {
  const client = useQueryClient();
  const [way, setWay] = useState<Way>('password');
  const [made, setMade] = useState<ClaimAnswer>();
  const renew = () => client.invalidateQueries({ queryKey: savedQuery.queryKey });
  const begin = useMutation({
    mutationFn: () => claimWorker(w.hash),
    onSuccess: (claim) => {
      setMade(claim);
      return renew();
    },
  });
  const cancel = useMutation({
    mutationFn: () => giveUpWorker(w.hash),
    onSuccess: () => {
      setMade(undefined);
      return renew();
    },
  });
  // What the server says of it is newer; what to sign is only in the answer of the claim.
  const claim = w.claim ?? made;

  return (
    <section>
      <h3>Is it yours?</h3>
      {!claim ? (
        <>
          <p className={styles.text}>
            Prove it once, and you may restart this worker, set its difficulty and look at every
            line of its wire.
          </p>
          <div className={styles.actions}>
            <Button
              disabled={begin.isPending}
              onClick={() => {
                begin.mutate();
              }}
            >
              {begin.isPending ? 'One moment…' : 'Prove that it is mine'}
            </Button>
          </div>
        </>
      ) : (
        <>
          <Segmented
            legend="How to prove it"
            options={[
              { value: 'password', label: 'Miner’s password field' },
              { value: 'signature', label: 'Signature of the address' },
            ]}
            value={way}
            onChange={(next: Way) => {
              setWay(next);
              // The same claim again, with what to sign.
              if (next === 'signature' && !made) begin.mutate();
            }}
          />
          {way === 'password' ? (
            <ByPassword
              code={claim.code}
              expiresAt={claim.expires_at}
              waiting={claim.waiting === true}
              refused={claim.refused}
              onRenew={() => {
                begin.mutate();
              }}
            />
          ) : (
            <BySignature worker={w} claim={made} />
          )}
          <div className={styles.actions}>
            <Button
              small
              disabled={cancel.isPending}
              onClick={() => {
                cancel.mutate();
              }}
            >
              Cancel
            </Button>
          </div>
        </>
      )}
      {(begin.error ?? cancel.error) && (
        <p className={styles.failed} role="alert">
          {refusalText(begin.error ?? cancel.error)}
        </p>
      )}
    </section>
  );
}

function ByPassword(props: {
  code: string;
  expiresAt: string;
  waiting: boolean;
  refused: string | undefined;
  onRenew: () => void;
}) {
  const now = useNow();
  const left = Math.max(((parseTime(props.expiresAt) ?? 0) - now) / 1000, 0);
  if (left === 0) {
    return (
      <div className={styles.waiting} data-over="true">
        <p role="status">The code has expired and nobody sent it.</p>
        <Button small onClick={props.onRenew}>
          Make a new one
        </Button>
      </div>
    );
  }
  return (
    <>
      <p className={styles.text}>
        Put this code into the miner’s <strong>password</strong> for this pool, alone or beside what
        is there, and let the miner connect anew. The name stays as it is.
      </p>
      <p className={styles.code}>
        <code data-testid="claim-code">{props.code}</code>
        <CopyButton text={props.code} label="Copy the code" />
      </p>
      <div className={styles.waiting}>
        <i aria-hidden="true" />
        <p role="status">
          {props.waiting
            ? 'The code came. Waiting for the first accepted shares…'
            : 'Waiting for the miner…'}
        </p>
        <span title="Until the code expires">{formatTimer(left)}</span>
      </div>
      {props.refused !== undefined && (
        <p className={styles.failed} role="alert">
          The code came, but does not count: {sentence(props.refused)}
        </p>
      )}
      <CodeInstructions code={props.code} />
    </>
  );
}

function BySignature(props: { worker: SavedWorker; claim: ClaimAnswer | undefined }) {
  const { worker: w, claim } = props;
  const client = useQueryClient();
  const id = useId();
  const [signature, setSignature] = useState('');
  const prove = useMutation({
    mutationFn: () => proveBySignature(w.hash, signature.trim()),
    onSuccess: () => client.invalidateQueries({ queryKey: savedQuery.queryKey }),
  });
  if (!claim) {
    return (
      <p className={styles.text}>
        <Skeleton width="32ch" />
      </p>
    );
  }
  if (claim.address === undefined) {
    return (
      <p className={styles.text}>
        This worker’s name does not begin with a payout address, so that there is no key to sign
        with. Use the password field.
      </p>
    );
  }
  return (
    <form
      className={styles.sign}
      onSubmit={(event) => {
        event.preventDefault();
        if (signature.trim() !== '' && !prove.isPending) prove.mutate();
      }}
    >
      <p className={styles.text}>
        Sign this message with the wallet that holds the address (BIP-322; Sparrow and others do
        it), and paste the signature. It moves no coins.
      </p>
      <dl>
        <dt>Address</dt>
        <dd>
          <code>{claim.address}</code>
          <CopyButton text={claim.address} label="Copy the address" />
        </dd>
        <dt>Message</dt>
        <dd>
          <code>{claim.message}</code>
          <CopyButton text={claim.message} label="Copy the message" />
        </dd>
      </dl>
      <label htmlFor={id}>Signature</label>
      <textarea
        id={id}
        rows={3}
        value={signature}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        placeholder="AkcwRAIg… (Base64)"
        onChange={(event) => {
          setSignature(event.target.value);
          if (prove.isError) prove.reset();
        }}
      />
      {prove.isError && (
        <p className={styles.failed} role="alert">
          {refusalText(prove.error)}
        </p>
      )}
      <div className={styles.actions}>
        <Button
          type="submit"
          tone="primary"
          disabled={prove.isPending || prove.isSuccess || signature.trim() === ''}
        >
          {prove.isPending ? 'Checking…' : 'Check the signature'}
        </Button>
      </div>
    </form>
  );
}
