import type { ReactNode } from 'react';
import type { WorkerCoinbase } from '../../api/workers';
import { CopyButton } from '../../components/CopyButton';
import { Facts } from '../../components/Facts';
import type { Segment } from '../../lib/coinbase/decode';
import { outputRoles, type Verification } from '../../lib/coinbase/verify';
import { formatCount, plural } from '../../lib/format';
import styles from './CoinbaseDetails.module.css';

/** How a run of bytes is marked. */
type Mark = 'height' | 'extranonce1' | 'extranonce2' | 'tag' | 'yours' | 'others' | 'plain';

const MARKS: readonly [Mark, string][] = [
  ['height', 'Height'],
  ['extranonce1', 'Extranonce1'],
  ['extranonce2', 'Extranonce2'],
  ['tag', 'Tag'],
  ['yours', 'Your payout'],
  ['others', 'Other outputs'],
];

/** The transaction byte by byte, and the header that comes of it. */
export function CoinbaseDetails(props: { found: Verification; coinbase: WorkerCoinbase }) {
  const { found, coinbase: c } = props;
  const { coinbase } = found;
  if (!coinbase) return null;
  const roles = outputRoles(found, c);
  const mark = ({ part, output }: Segment): Mark => {
    if (output !== undefined) return roles[output] === 'payout' ? 'yours' : 'others';
    return part === 'frame' || part === 'script' || part === 'value' || part === 'payee'
      ? 'plain'
      : part;
  };
  return (
    <>
      <Facts
        items={[
          ['Height', coinbase.height === undefined ? 'not told' : formatCount(coinbase.height)],
          ['Pool’s tag', coinbase.tag === '' ? 'none' : coinbase.tag],
          ['Txid', <code key="txid">{found.txid}</code>],
          ['Merkle root', <code key="root">{found.root}</code>],
          ['Previous block', <code key="prev">{c.prev_hash}</code>],
          ['Job', <code key="job">{c.job_id}</code>],
        ]}
      />
      <Bytes name="Coinbase transaction" hex={c.tx}>
        <p className={styles.hex} data-testid="coinbase-hex">
          {coinbase.segments.map((s) => (
            <span key={s.from} data-mark={mark(s)} title={s.label}>
              {c.tx.slice(2 * s.from, 2 * s.to)}
            </span>
          ))}
        </p>
        <ul className={styles.legend} aria-label="Colours">
          {MARKS.map(([name, text]) => (
            <li key={name}>
              <i data-mark={name} aria-hidden="true" />
              {text}
            </li>
          ))}
        </ul>
      </Bytes>
      {found.header !== undefined && <HeaderBytes header={found.header} />}
    </>
  );
}

/** Where each field of a header ends, bytes. */
const FIELDS: readonly [string, number][] = [
  ['Version', 4],
  ['Previous block', 36],
  ['Merkle root: commits to the payout', 68],
  ['Time', 72],
  ['nBits: the target', 76],
  ['Nonce: the miner counts here', 80],
];

function HeaderBytes({ header }: { header: string }) {
  return (
    <Bytes name="Header that is hashed" hex={header}>
      <p className={styles.hex}>
        {FIELDS.map(([label, end], i) => (
          <span
            key={label}
            data-mark={i === 2 ? 'yours' : i % 2 === 0 ? 'others' : 'plain'}
            title={label}
          >
            {header.slice(2 * (FIELDS[i - 1]?.[1] ?? 0), 2 * end)}
          </span>
        ))}
      </p>
      <p className={styles.note}>
        The miner changes the time, the nonce, the bits of the version that it may roll, and
        extranonce2, which changes the merkle root. None of it changes who is paid.
      </p>
    </Bytes>
  );
}

function Bytes(props: { name: string; hex: string; children: ReactNode }) {
  const { name, hex, children } = props;
  return (
    <section className={styles.bytes} aria-label={name}>
      <h3>
        {name} <span>{plural(hex.length / 2, 'byte')}</span>
        <CopyButton text={hex} label={`Copy: ${name}`} />
      </h3>
      {children}
    </section>
  );
}
