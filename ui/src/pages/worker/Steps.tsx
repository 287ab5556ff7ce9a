import { Check, Minus, X } from 'lucide-react';
import type { Step } from '../../lib/coinbase/verify';
import styles from './Steps.module.css';

const STATES = {
  passed: { Icon: Check, text: 'passed' },
  failed: { Icon: X, text: 'FAILED' },
  missing: { Icon: Minus, text: 'not looked at' },
} as const;

/** What was checked, one after the other. */
export function Steps({ steps }: { steps: readonly Step[] }) {
  return (
    <ol className={styles.steps} aria-label="What was checked">
      {steps.map((step) => {
        const { Icon, text } = STATES[step.state];
        return (
          <li key={step.title} data-state={step.state}>
            <Icon size={16} aria-hidden="true" />
            <div>
              <p>
                {step.title}
                <span className="visually-hidden">: {text}</span>
              </p>
              <p className={styles.detail}>{step.detail}</p>
            </div>
          </li>
        );
      })}
    </ol>
  );
}
