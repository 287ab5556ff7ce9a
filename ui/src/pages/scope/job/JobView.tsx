import { CopyableTable } from '../../../components/CopyableTable';
import { Facts } from '../../../components/Facts';
import { Pill } from '../../../components/Pill';
import { Time } from '../../../components/Time';
import {
  formatAmount,
  formatBTC,
  formatCount,
  formatDifficulty,
  formatPercent,
  sentence,
} from '../../../lib/format';
import type { DecodedCoinbase, DecodedJob } from '../../../scope/types';
import { Branches } from './Branches';
import styles from './JobView.module.css';

/** A job taken apart: what block it makes, who its coinbase pays, and its merkle branches. */
export function JobView({ job: j }: { job: DecodedJob }) {
  // The document cannot say so, but a coinbase that could not be read is null.
  const coinbase = j.coinbase as DecodedCoinbase | null;
  return (
    <div className={styles.job}>
      <p className={styles.badges}>
        <Pill tone={j.clean_jobs ? 'bad' : 'neutral'}>
          {j.clean_jobs ? 'Clean: older jobs are worthless' : 'Older jobs still count'}
        </Pill>
        {j.empty_block && <Pill tone="warn">Empty: no transactions</Pill>}
        {coinbase?.tags?.map((tag) => (
          <Pill key={tag} tone="good">
            {tag}
          </Pill>
        ))}
      </p>
      {coinbase && <Outputs coinbase={coinbase} />}
      <Facts
        items={[
          ['Height', coinbase && coinbase.height >= 0 ? formatCount(coinbase.height) : 'not told'],
          ['Previous block', <code key="prev">{j.prev_hash}</code>],
          [
            'Network difficulty',
            <>
              {formatDifficulty(j.network_difficulty)} (nBits <code>{j.nbits}</code>)
            </>,
          ],
          [
            'Difficulty of shares',
            j.set_difficulty > 0 ? formatDifficulty(j.set_difficulty) : 'not known',
          ],
          [
            'Time',
            <>
              <Time at={j.time} />
              {j.skew_s !== null && `, ${skewText(j.skew_s)}`}
            </>,
          ],
          [
            'Version',
            <>
              <code>{j.version}</code>
              {j.signals && j.signals.length > 0 && `, signals on bit ${j.signals.join(', ')}`}
            </>,
          ],
          ['Job', <code key="id">{j.job_id}</code>],
        ]}
      />
      <h4 className={styles.heading}>
        Merkle branches <span>{j.merkle_branches?.length ?? 0}</span>
      </h4>
      <Branches branches={j.merkle_branches ?? []} />
      {coinbase && <CoinbaseFacts coinbase={coinbase} />}
    </div>
  );
}

/** How far a job's time is from the clock. */
function skewText(seconds: number): string {
  const whole = Math.abs(seconds);
  if (whole < 2) return 'as on the clock';
  return `${formatCount(Math.round(whole))} s ${seconds > 0 ? 'ahead of' : 'behind'} the clock`;
}

/** Who a coinbase pays. */
export function Outputs({ coinbase: c }: { coinbase: DecodedCoinbase }) {
  const outputs = c.outputs ?? [];
  return (
    <CopyableTable
      inPlace
      className={styles.outputs}
      caption="Outputs of the coinbase"
      header={['To', 'Amount (sats)', 'Part (%)']}
      rows={outputs.map((o) => [
        o.address || (o.label ?? o.text ?? o.type),
        o.value_sats,
        o.percent,
      ])}
    >
      <caption>
        Coinbase pays {formatBTC(c.total_sats)}
        {c.subsidy_sats > 0 &&
          `: ${formatBTC(c.subsidy_sats)} new, ${formatAmount(c.fees_sats)} in fees`}
      </caption>
      <thead className="visually-hidden">
        <tr>
          <th scope="col">To</th>
          <th scope="col">Amount</th>
          <th scope="col">Part</th>
        </tr>
      </thead>
      <tbody>
        {outputs.map((o, i) => (
          <tr key={i}>
            <td>
              {o.address ? (
                <code>{o.address}</code>
              ) : (
                <span className={styles.data}>{o.label ?? o.text ?? o.type}</span>
              )}
            </td>
            <td>{o.value_sats === 0 ? '0' : formatBTC(o.value_sats)}</td>
            <td>{o.value_sats === 0 ? '' : formatPercent(o.percent / 100)}</td>
          </tr>
        ))}
      </tbody>
      {c.output_count > outputs.length && (
        <tfoot>
          <tr>
            <td colSpan={3}>and {formatCount(c.output_count - outputs.length)} more outputs</td>
          </tr>
        </tfoot>
      )}
    </CopyableTable>
  );
}

function CoinbaseFacts({ coinbase: c }: { coinbase: DecodedCoinbase }) {
  return (
    <details className={styles.more}>
      <summary>Coinbase transaction, {formatCount(c.size)} bytes</summary>
      <Facts
        items={[
          ['Txid', <code key="txid">{c.txid}</code>],
          ['Extranonce1', <code key="e1">{c.extranonce1}</code>],
          ['Extranonce2', <code key="e2">{c.extranonce2}</code>],
          ['Script as text', <code key="text">{c.text}</code>],
          ['Script', <code key="script">{c.script_sig}</code>],
          ['Witness commitment', <code key="w">{c.witness_commitment || 'none'}</code>],
        ]}
      />
      {c.extranonces_guessed && (
        <p className={styles.note}>
          {sentence('the extranonces are guesses, since the subscription was not captured')}
        </p>
      )}
    </details>
  );
}
