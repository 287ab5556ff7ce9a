/**
 * What a ban of an IP address covers: an IPv4 address itself, the /64 that an
 * IPv6 address is in, since a household has all of that. As internal/abuse has it.
 */
export function blockOf(address: string): string {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  if (mapped) return mapped[1] ?? bare;
  const groups = bare.includes(':') ? expand(bare) : undefined;
  if (!groups) return bare;
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  while (network.at(-1) === '0') network.pop();
  return `${network.join(':')}::/64`;
}

/** The eight numbers of an IPv6 address; undefined when it is none. */
function expand(text: string): number[] | undefined {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const front = numbers(head);
  const back = tail === undefined ? [] : numbers(tail);
  const missing = 8 - front.length - back.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...front, ...Array.from({ length: missing }, () => 0), ...back];
  return all.every((n) => n >= 0 && n <= 0xffff) ? all : undefined;
}

function numbers(part: string): number[] {
  return part === ''
    ? []
    : part.split(':').map((group) => (/^[\da-f]{1,4}$/i.test(group) ? parseInt(group, 16) : NaN));
}
