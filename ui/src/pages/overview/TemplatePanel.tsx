import type { ReactNode } from 'react';
import { useView } from '../../api/LiveProvider';
import type { Overview, Status } from '../../api/types';
import { Facts } from '../../components/Facts';
import { Empty, Failure } from '../../components/Message';
import { Meter } from '../../components/Meter';
import { Panel } from '../../components/Panel';
import { Skeleton } from '../../components/Skeleton';
import { Time } from '../../components/Time';
import {
  formatAmount,
  formatBTC,
  formatCount,
  formatDifficulty,
  formatFiat,
  shortHash,
} from '../../lib/format';
import styles from './TemplatePanel.module.css';

/** Weight units that a block may have. */
const MAX_WEIGHT = 4_000_000;

/** The reward in money, on the network whose coins have a price, while one is known. */
function worth(
  status: Status | undefined,
  overview: Overview | undefined,
): (readonly [string, ReactNode])[] {
  const price = overview?.btc_price_fiat;
  const currency = overview?.fiat_currency;
  if (price === undefined || status?.network !== 'main' || !status.template) return [];
  return [
    ['Worth', `≈ ${formatFiat((status.template.value_sats / 1e8) * price, currency)}`],
    [
      'Price of a bitcoin',
      <>
        {formatFiat(price, currency)}, <Time at={overview?.btc_price_updated_at} ago />
      </>,
    ],
  ];
}

/** What is being mined right now. */
export function TemplatePanel() {
  const { data: status, error } = useView('status');
  const { data: hashrate } = useView('hashrate');
  const { data: overview } = useView('overview');
  const template = status?.template;
  const retarget = hashrate?.next_difficulty_retarget;
  const aside = template && (
    <span className={styles.age}>
      <Time at={template.created_at} ago />
    </span>
  );

  let content: ReactNode;
  if (status && !template) {
    content = <Empty title="No template yet">The pool asks its node for one every second.</Empty>;
  } else if (!status && error) {
    content = <Failure error={error} />;
  } else {
    content = (
      <>
        <p className={styles.height} data-testid="template-height">
          {template ? `#${formatCount(template.height)}` : <Skeleton width="5ch" />}
        </p>
        <Facts
          items={[
            ['Reward', template && formatBTC(template.value_sats)],
            ['Of which fees', template && formatAmount(template.fees_sats)],
            ...worth(status, overview),
            ['Transactions', template && formatCount(template.transactions)],
            ['Filled', template && <Meter part={template.weight / MAX_WEIGHT} />],
            ['Network difficulty', template && formatDifficulty(template.network_difficulty)],
            [
              'Next change',
              hashrate &&
                (retarget
                  ? `in ${formatCount(retarget.blocks_away)} blocks`
                  : 'none on this network'),
            ],
            [
              'On top of',
              template && <code title={template.prev_hash}>{shortHash(template.prev_hash)}</code>,
            ],
            ['Checked with the node', template && <Time at={template.updated_at} ago />],
          ]}
        />
      </>
    );
  }
  return (
    <Panel title="Block being mined" aside={aside}>
      {content}
    </Panel>
  );
}
