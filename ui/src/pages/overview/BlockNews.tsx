import { useBlocks } from '../../api/LiveProvider';
import { formatCount } from '../../lib/format';
import { useState } from 'react';

/** Tells screen readers of a block found while the page was open. */
export function BlockNews() {
  const { data: blocks } = useBlocks();
  const newest = blocks?.[0];
  const [first, setFirst] = useState<string>();
  if (first === undefined && blocks) setFirst(newest?.hash ?? 'none');
  const news = newest && first !== undefined && newest.hash !== first;
  return (
    <p className="visually-hidden" role="status">
      {news && `Block ${formatCount(newest.height)} found by ${newest.display_worker}`}
    </p>
  );
}
