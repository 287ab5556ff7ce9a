import { Link } from '@tanstack/react-router';
import { BadgeCheck, CircleAlert } from 'lucide-react';
import { useId, useMemo, useState } from 'react';
import type { Worker, WorkerCoinbase } from '../../api/workers';
import { Button } from '../../components/Button';
import { Empty } from '../../components/Message';
import { OperatorHint } from '../../components/OperatorHint';
import { Panel } from '../../components/Panel';
import { Skeleton } from '../../components/Skeleton';
import { verifyCoinbase, type Verification } from '../../lib/coinbase/verify';
import { formatBTC, formatCount, sentence } from '../../lib/format';
import { isNamed } from '../../lib/workerKey';
import { FindWorker } from '../workers/FindWorker';
import { CoinbaseDetails } from './CoinbaseDetails';
import styles from './CoinbasePanel.module.css';
import { Outputs } from './Outputs';
import { Steps } from './Steps';

/** What the worker's next block would pay, and to whom: taken apart and checked in this browser. */
export function CoinbasePanel({ id, worker }: { id: string; worker: Worker | undefined }) {
  return (
    <Panel title="What a block would pay">
      {!worker ? (
        <div className={styles.waiting} aria-busy="true">
          <Skeleton width="32ch" />
        </div>
      ) : worker.coinbase ? (
        <Verified key={worker.id} id={id} worker={worker} coinbase={worker.coinbase} />
      ) : worker.operator || worker.owner ? (
        <Empty title={worker.online ? 'It has no job yet' : 'It is not connected'}>
          Its coinbase is shown here while it works on one.
        </Empty>
      ) : (
        <div className={styles.locked}>
          <p>
            The coinbase that this worker hashes is shown to who knows its full name: it is taken
            apart and checked in your browser, whether it pays your address what it should.
          </p>
          <FindWorker label="Full name of this worker" id={worker.id} />
          <OperatorHint hidden="Or as the operator:" />
        </div>
      )}
    </Panel>
  );
}

function Verified(props: { id: string; worker: Worker; coinbase: WorkerCoinbase }) {
  const { id, worker, coinbase } = props;
  const [typed, setTyped] = useState<string>();
  const own = typed === undefined || typed.trim() === '';
  const found = useMemo(
    () =>
      verifyCoinbase(
        coinbase,
        own ? { name: worker.name, nameProven: isNamed(id, worker.name) } : { name: typed },
      ),
    [coinbase, worker.name, id, own, typed],
  );
  const connection = worker.connections_list.find((c) => c.id === coinbase.connection_id);
  return (
    <div className={styles.body}>
      <Verdict found={found} coinbase={coinbase} />
      <AddressField address={found.address} typed={typed} onType={setTyped} />
      <div className={styles.columns}>
        <div className={styles.column}>
          <Outputs found={found} coinbase={coinbase} />
          <CoinbaseDetails found={found} coinbase={coinbase} />
        </div>
        <div className={styles.column}>
          <Steps steps={found.steps} />
          <p className={styles.limits}>
            The server says that this is the job of connection <code>{coinbase.connection_id}</code>
            , and your browser checked all that follows from it.{' '}
            {connection?.scope_session !== undefined ? (
              <>
                What really went over the wire is{' '}
                <Link to="/scope/sessions/$id" params={{ id: connection.scope_session }}>
                  in the scope
                </Link>
                .
              </>
            ) : (
              'A scope between the miner and the pool shows what really goes over the wire.'
            )}
          </p>
        </div>
      </div>
    </div>
  );
}

/** The answer, in one look. */
function Verdict({ found, coinbase }: { found: Verification; coinbase: WorkerCoinbase }) {
  const good = found.pays !== undefined;
  const Icon = good ? BadgeCheck : CircleAlert;
  return (
    <div
      className={styles.verdict}
      data-good={good}
      data-testid="verdict"
      role={good ? 'status' : 'alert'}
    >
      <Icon size={28} aria-hidden="true" />
      <div>
        <p className={styles.headline}>
          {good
            ? `Pays you ${formatBTC(found.pays)}: verified in this browser`
            : 'Not verified: this coinbase does not pay as it should'}
        </p>
        <p>
          {good
            ? `To ${found.address}, if it finds block ${formatCount(coinbase.height)}.`
            : sentence(found.fault ?? 'the payout was not found')}
        </p>
      </div>
    </div>
  );
}

/** Whose address is looked for: the worker's, or one that the reader types. */
function AddressField(props: {
  address: string;
  typed: string | undefined;
  onType: (typed: string | undefined) => void;
}) {
  const { address, typed, onType } = props;
  const id = useId();
  if (typed === undefined) {
    return (
      <p className={styles.address}>
        <span>
          Checked against the address in the worker’s name: <code>{address}</code>
        </span>
        <Button
          small
          onClick={() => {
            onType('');
          }}
        >
          Type mine instead
        </Button>
      </p>
    );
  }
  return (
    <p className={styles.address}>
      <label htmlFor={id}>Checked against</label>
      <input
        id={id}
        type="text"
        value={typed}
        placeholder={address}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        // eslint-disable-next-line jsx-a11y/no-autofocus -- it takes the place of the button that was clicked
        autoFocus
        onChange={(event) => {
          onType(event.target.value);
        }}
      />
      <Button
        small
        onClick={() => {
          onType(undefined);
        }}
      >
        The worker’s own
      </Button>
    </p>
  );
}
