/** Characters of a payout address that stay readable at either end. */
const ENDS = 8;

/**
 * A worker's name as the public sees it, the same as the server's: the payout
 * address before the first dot is shortened, and only characters that are safe
 * everywhere come through.
 */
export function censorWorker(name: string): string {
  const dot = name.indexOf('.');
  const address = clean(dot < 0 ? name : name.slice(0, dot));
  const rig = dot < 0 ? '' : clean(name.slice(dot + 1));
  const head =
    address.length <= 2 * ENDS + 3
      ? address
      : `${address.slice(0, ENDS)}...${address.slice(-ENDS)}`;
  if (rig === '') return head;
  return `${head}.${head === address ? rig : rig.replaceAll(address, head)}`;
}

function clean(text: string): string {
  return text.replace(/[^a-zA-Z0-9._-]/g, '');
}
