import { Facts } from '../../../components/Facts';
import { Pill } from '../../../components/Pill';
import { Time } from '../../../components/Time';
import { formatDifficulty, formatDuration, sentence } from '../../../lib/format';
import type { Decoded } from '../../../scope/types';
import { JobView } from '../job/JobView';
import styles from './DecodedView.module.css';
import { JSONTree } from './JSONTree';

/** A message in words: a sentence, what is wrong with it, and its fields with their meaning. */
export function DecodedView({ decoded: d }: { decoded: Decoded }) {
  return (
    <div data-testid="decoded">
      <p className={styles.summary}>{d.summary}</p>
      {d.accepted !== undefined && (
        <p className={styles.line}>
          <Pill tone={d.accepted ? 'good' : 'bad'}>{d.accepted ? '✓ Success' : '✗ Rejected'}</Pill>
        </p>
      )}
      {d.problems && d.problems.length > 0 && (
        <ul className={styles.problems} aria-label="Problems">
          {d.problems.map((p) => (
            <li key={p.field + p.problem}>
              <code>{p.field}</code> {sentence(p.problem)}
            </li>
          ))}
        </ul>
      )}
      {d.error && (
        <Facts
          items={[
            ['Error code', String(d.error.code)],
            ['Message', d.error.message],
            ...(d.error.meaning === '' ? [] : ([['Meaning', d.error.meaning]] as const)),
          ]}
        />
      )}
      {d.submit && (
        <Facts
          items={[
            ['Worker', d.submit.worker],
            ['Job', <code key="job">{d.submit.job_id}</code>],
            ['Extranonce2', <code key="extranonce2">{d.submit.extranonce2}</code>],
            ['Time', timed(d.submit.ntime, d.submit.time)],
            ['Nonce', <code key="nonce">{d.submit.nonce}</code>],
            [
              'Version bits',
              d.submit.version_bits ? <code key="bits">{d.submit.version_bits}</code> : 'not sent',
            ],
          ]}
        />
      )}
      {d.header && <HeaderFacts header={d.header} />}
      {d.job && <JobView job={d.job} />}
      {d.difficulty && (
        <Facts
          items={[
            ['Difficulty', formatDifficulty(d.difficulty.value)],
            ['Target', <code key="target">{d.difficulty.target}</code>],
          ]}
        />
      )}
      {Object.entries(rest(d)).map(([name, value]) => (
        <JSONTree key={name} value={{ [name]: value }} />
      ))}
    </div>
  );
}

function timed(hex: string, time: string | undefined) {
  return (
    <>
      <code>{hex}</code>
      {time !== undefined && (
        <>
          {' '}
          (<Time at={time} />)
        </>
      )}
    </>
  );
}

/** The parts that need no more than their names. */
function rest(d: Decoded): Record<string, unknown> {
  const parts = {
    subscribe: d.subscribe,
    'subscribe result': d.subscribe_result,
    configure: d.configure,
    'configure result': d.configure_result,
    authorize: d.authorize,
    extranonce: d.extranonce,
    'version mask': d.version_mask,
    reconnect: d.reconnect && { ...d.reconnect, wait: formatDuration(d.reconnect.wait_s) },
    text: d.text,
  };
  return Object.fromEntries(Object.entries(parts).filter(([, v]) => v !== undefined));
}

function HeaderFacts({ header: h }: { header: NonNullable<Decoded['header']> }) {
  return (
    <>
      <h4 className={styles.heading}>Block header, rebuilt</h4>
      <Facts
        items={[
          ['Hash', <code key="hash">{h.hash}</code>],
          ['True difficulty', formatDifficulty(h.difficulty)],
          ['Asked for', h.target > 0 ? formatDifficulty(h.target) : 'not known'],
          [
            'Enough',
            h.enough === null ? (
              'not known'
            ) : (
              <Pill key="enough" tone={h.block ? 'gold' : h.enough ? 'good' : 'bad'}>
                {h.block ? 'Yes, and a block!' : h.enough ? 'Yes' : 'No'}
              </Pill>
            ),
          ],
          ['Previous block', <code key="prev">{h.prev_hash}</code>],
          ['Merkle root', <code key="root">{h.merkle_root}</code>],
          ['Coinbase', <code key="coinbase">{h.coinbase_txid}</code>],
          ['Version', <code key="version">{h.version}</code>],
          ['nBits', <code key="nbits">{h.nbits}</code>],
          ['80 bytes', <code key="header">{h.header}</code>],
        ]}
      />
    </>
  );
}
