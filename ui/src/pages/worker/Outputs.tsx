import type { WorkerCoinbase } from '../../api/workers';
import { CopyableTable } from '../../components/CopyableTable';
import { Pill, type Tone } from '../../components/Pill';
import { toHex } from '../../lib/coinbase/bytes';
import { outputRoles, type Role, type Verification } from '../../lib/coinbase/verify';
import { formatBTC, formatPercent } from '../../lib/format';
import styles from './Outputs.module.css';

const ROLES: Record<Role, { text: string; tone: Tone }> = {
  payout: { text: 'Yours', tone: 'good' },
  fee: { text: 'Fee', tone: 'neutral' },
  donation: { text: 'Donation', tone: 'neutral' },
  commitment: { text: 'Witness commitment', tone: 'neutral' },
  other: { text: 'Other', tone: 'warn' },
};

/** Who the coinbase pays, as its bytes say it. */
export function Outputs({ found, coinbase }: { found: Verification; coinbase: WorkerCoinbase }) {
  const roles = outputRoles(found, coinbase);
  const outputs = found.coinbase?.outputs ?? [];
  const total = outputs.reduce((sum, o) => sum + o.value, 0);
  if (outputs.length === 0) return null;
  return (
    <CopyableTable
      className={styles.outputs}
      caption="Outputs"
      header={['Role', 'Kind', 'To', 'Amount (sats)']}
      rows={outputs.map((o, i) => [
        ROLES[roles[i] ?? 'other'].text,
        o.kind,
        o.address ?? toHex(o.script),
        o.value,
      ])}
    >
      <caption>Outputs, read from the transaction</caption>
      <thead className="visually-hidden">
        <tr>
          <th scope="col">To</th>
          <th scope="col">Amount</th>
        </tr>
      </thead>
      <tbody>
        {outputs.map((output, i) => {
          const role = ROLES[roles[i] ?? 'other'];
          return (
            <tr key={i} data-role={roles[i]}>
              <td>
                <p className={styles.role}>
                  <Pill tone={role.tone}>{role.text}</Pill>
                  {output.kind !== undefined && <small>{output.kind}</small>}
                </p>
                <code>{output.address ?? toHex(output.script)}</code>
              </td>
              <td>
                {formatBTC(output.value)}
                {output.value > 0 && <small>{formatPercent(output.value / total)}</small>}
              </td>
            </tr>
          );
        })}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Together</th>
          <td>{formatBTC(total)}</td>
        </tr>
      </tfoot>
    </CopyableTable>
  );
}
