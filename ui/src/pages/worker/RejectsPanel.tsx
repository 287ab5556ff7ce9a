import type { Worker } from '../../api/workers';
import { Empty } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { RejectList } from '../../components/RejectList';
import { formatCount } from '../../lib/format';

/** Why a worker's shares were refused, and what to do about it. */
export function RejectsPanel({ worker: w }: { worker: Worker | undefined }) {
  return (
    <Panel title="Rejected shares">
      {w?.rejects.every((r) => r.count === 0) === true ? (
        <Empty title="No share was rejected">
          {w.accepted > 0 ? `All ${formatCount(w.accepted)} so far were good.` : undefined}
        </Empty>
      ) : (
        <RejectList rejects={w?.rejects} all={w ? w.accepted + w.rejected : 0} />
      )}
    </Panel>
  );
}
