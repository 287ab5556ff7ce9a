import { useState } from 'react';
import type { FoundBlock } from '../../api/types';
import { parseTime } from '../../lib/format';

/** Tells the blocks that were found since the page was opened from those that were there. */
export function useNewBlocks(blocks: FoundBlock[] | undefined): (block: FoundBlock) => boolean {
  const [newest, setNewest] = useState<number>();
  // By the server's own times, whatever this computer's clock says.
  if (newest === undefined && blocks) setNewest(foundAt(blocks[0]));
  return (block) => newest !== undefined && foundAt(block) > newest;
}

function foundAt(block: FoundBlock | undefined): number {
  return parseTime(block?.timestamp) ?? 0;
}
