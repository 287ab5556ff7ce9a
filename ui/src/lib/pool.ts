import type { Status } from '../api/types';

/**
 * Whether a pool runs in this program. `poolscope scope` is a scope alone: it
 * listens for nobody as a pool, and knows no node.
 */
export function hasPool(status: Pick<Status, 'stratum' | 'nodes' | 'tag'>): boolean {
  return status.stratum.length > 0 || status.nodes.length > 0 || status.tag !== '';
}
