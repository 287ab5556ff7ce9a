const WILDCARDS = new Set(['', '0.0.0.0', '::', '[::]', '*']);

/**
 * A Stratum address that a miner can be given. A pool that listens on every
 * interface reports no usable host; then it is the one that this page came
 * from, which the reader evidently can reach.
 */
export function reachableURL(url: string, pageHost: string): string {
  const match = /^([a-z0-9+]+:\/\/)(.*):(\d+)$/i.exec(url);
  if (!match) return url;
  const [, scheme = '', host = '', port = ''] = match;
  if (!WILDCARDS.has(host)) return url;
  return `${scheme}${pageHost}:${port}`;
}

/** How addresses begin on a network, so that people take the right one. */
export function addressHint(network: string): string {
  switch (network) {
    case 'main':
    case 'mainnet':
      return 'bc1…, 1… or 3…';
    case 'regtest':
      return 'bcrt1…';
    case '':
      return 'bc1…, tb1… or bcrt1…';
    default:
      return 'tb1…';
  }
}

/** A network's name for people. */
export function networkName(network: string): string {
  switch (network) {
    case 'main':
      return 'mainnet';
    case 'test':
      return 'testnet3';
    default:
      return network;
  }
}

/** Whether an address can be reached from its own machine only. */
export function isLoopback(url: string): boolean {
  const host = /^[a-z0-9+]+:\/\/(.*):\d+$/i.exec(url)?.[1] ?? '';
  return /^(127(\.\d{1,3}){3}|\[::1\]|::1|localhost)$/i.test(host);
}
