import type { FleetStatus, Order } from '../../../scope/types';
import { formatDifficulty, formatPerSecond, plural } from '../../../lib/format';

/** Most shares a second that one agent may be asked for; the server's bound. */
export const MOST_RATE = 1000;

/** What is typed into the form of an order. */
export interface OrderForm {
  rate: string;
  difficulty: string;
  /** The agents that it is for; '' for all. */
  agent: string;
}

/** The order that a form means, or what is wrong with it. */
export function readOrder({ rate, difficulty, agent }: OrderForm): Order | string {
  const shares = rate.trim() === '' ? NaN : Number(rate);
  if (!(shares >= 0 && shares <= MOST_RATE)) {
    return `The rate is a number from 0 to ${MOST_RATE} shares a second.`;
  }
  const least = difficulty.trim() === '' ? 0 : Number(difficulty);
  if (!(least >= 0 && least <= 1e15)) return 'The difficulty is a number from 0 up.';
  return { rate: shares, difficulty: least, ...(agent !== '' && { agents: [agent] }) };
}

/** The order in force, as a sentence. */
export function orderText(order: FleetStatus['order']): string {
  if (!order) return 'No order: agents keep to their own flags.';
  const whom =
    order.agents && order.agents.length > 0
      ? order.agents.length === 1
        ? order.agents[0]
        : plural(order.agents.length, 'agent')
      : 'Each agent';
  if (order.rate === 0) return `${whom} is to rest.`;
  const least =
    order.difficulty > 0 ? `, of difficulty ${formatDifficulty(order.difficulty)} or more` : '';
  return `${whom} is to find ${formatPerSecond(order.rate)} valid shares${least}.`;
}
