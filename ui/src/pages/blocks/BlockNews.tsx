import { useBlocks } from '../../api/LiveProvider';
import { formatCount } from '../../lib/format';
import { useNewBlocks } from './useNewBlocks';

/** Tells screen readers of a block found while the page was open. */
export function BlockNews() {
  const { data: blocks } = useBlocks();
  const isNew = useNewBlocks(blocks);
  const newest = blocks?.[0];
  return (
    <p className="visually-hidden" role="status">
      {newest &&
        isNew(newest) &&
        `Block ${formatCount(newest.height)} found by ${newest.display_worker}`}
    </p>
  );
}
