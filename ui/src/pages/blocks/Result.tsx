import type { FoundBlock } from '../../api/types';
import { Pill } from '../../components/Pill';
import { plural } from '../../lib/format';

/** Confirmations from which on a block counts as settled. */
const DEEP = 6;

/** What became of a block, in words. */
export function Result({ block }: { block: FoundBlock }) {
  const deep = block.confirmations ?? 0;
  if (block.result === 'stale') {
    return <Pill tone="bad">Stale, another block won</Pill>;
  }
  if (block.result === 'winning' || deep >= DEEP) {
    return <Pill tone="good">Confirmed, {plural(deep, 'block')} deep</Pill>;
  }
  if (deep > 0) {
    return (
      <Pill tone="gold">
        {deep} of {DEEP} confirmations
      </Pill>
    );
  }
  return <Pill>Sent to the node</Pill>;
}
