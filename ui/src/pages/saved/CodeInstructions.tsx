import { useState } from 'react';
import { Field } from '../../components/Field';
import styles from './WorkerDialog.module.css';

/** Where each kind of miner has its password; `code` in the text stands for the code. */
const KINDS: readonly { name: string; steps: readonly string[] }[] = [
  {
    name: 'Bitaxe, NerdQAxe (AxeOS)',
    steps: [
      'Open the miner’s page in the browser and go to Pool settings.',
      'Replace “Stratum password” by the code, save, and restart the miner.',
    ],
  },
  {
    name: 'NerdMiner',
    steps: [
      'Hold its button until it opens the network “NerdMinerAP”, and join that.',
      'Put the code into “Pool password” and save; it restarts by itself.',
    ],
  },
  {
    name: 'Antminer, Whatsminer, Avalon',
    steps: [
      'Open the miner’s page and go to the miner’s (pool) configuration.',
      'In the row of this pool, put the code into “Password”, then save and apply.',
    ],
  },
  {
    name: 'Braiins OS, LuxOS, VNish',
    steps: [
      'Open the miner’s page, go to Pools and edit this one.',
      'Put the code into its password and save: it connects anew at once.',
    ],
  },
  {
    name: 'cgminer, cpuminer: command line',
    steps: ['Start it with the code as its password: -p code', 'Or “pass” in its configuration.'],
  },
];

/** How to get the code into the miner, for the kind at hand. */
export function CodeInstructions({ code }: { code: string }) {
  const [at, setAt] = useState(0);
  return (
    <div className={styles.how}>
      <Field label="My miner">
        <select
          value={at}
          onChange={(event) => {
            setAt(Number(event.target.value));
          }}
        >
          {KINDS.map(({ name }, i) => (
            <option key={name} value={i}>
              {name}
            </option>
          ))}
        </select>
      </Field>
      <ol>
        {KINDS[at]?.steps.map((step) => (
          <li key={step}>{step.replace(/-p code/, `-p ${code}`)}</li>
        ))}
        <li>Once it is proven here, put the old password back.</li>
      </ol>
    </div>
  );
}
