import { bech32, bech32m, createBase58check } from '@scure/base';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat } from './bytes';

/** The chains, by Bitcoin Core's names. */
export type Network = 'main' | 'test' | 'testnet4' | 'signet' | 'regtest';

/** Kinds of scripts that have an address. */
export type Kind = 'P2PKH' | 'P2SH' | 'P2WPKH' | 'P2WSH' | 'P2TR';

/** An address that pays nobody here; `message` is a sentence without its full stop. */
export class AddressError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AddressError';
  }
}

interface Prefixes {
  hrp: string;
  p2pkh: number;
  p2sh: number;
}

const mainnet: Prefixes = { hrp: 'bc', p2pkh: 0x00, p2sh: 0x05 };
const testnet: Prefixes = { hrp: 'tb', p2pkh: 0x6f, p2sh: 0xc4 };
const networks: Record<Network, Prefixes> = {
  main: mainnet,
  test: testnet,
  testnet4: testnet,
  signet: testnet,
  regtest: { ...testnet, hrp: 'bcrt' },
};

const OWNERS: Record<string, string> = {
  bc: 'mainnet',
  tb: 'testnet or signet',
  bcrt: 'regtest',
};

/** Longest text that Bech32 may have (BIP173). */
const LONGEST = 90;

const base58check = createBase58check(sha256);

const OP_0 = 0x00;
const OP_1 = 0x51;
const P2PKH = { front: Uint8Array.of(0x76, 0xa9, 20), back: Uint8Array.of(0x88, 0xac) };
const P2SH = { front: Uint8Array.of(0xa9, 20), back: Uint8Array.of(0x87) };

export function isNetwork(name: string): name is Network {
  return Object.hasOwn(networks, name);
}

/**
 * The script that pays an address on a network: P2PKH, P2SH (BIP16), P2WPKH,
 * P2WSH (BIP141, BIP173) or P2TR (BIP341, BIP350). Throws AddressError for
 * everything that nobody could spend, and for the addresses of other networks.
 */
export function payoutScript(address: string, network: Network): Uint8Array {
  if (address.length > LONGEST) throw new AddressError('it is too long for an address');
  const wanted = networks[network];
  // No Base58 address begins with a Bech32 prefix, so that decides how to read on.
  const hrp = address.slice(0, Math.max(address.lastIndexOf('1'), 0)).toLowerCase();
  const owner = Object.hasOwn(OWNERS, hrp) ? OWNERS[hrp] : undefined;
  if (owner !== undefined) {
    const script = witnessScript(address);
    if (hrp !== wanted.hrp)
      throw new AddressError(`it is an address of ${owner}, and this is ${network}`);
    return script;
  }
  return base58Script(address, wanted, network);
}

function base58Script(address: string, wanted: Prefixes, network: Network): Uint8Array {
  let payload: Uint8Array;
  try {
    payload = base58check.decode(address);
  } catch {
    throw new AddressError('a character or the checksum is wrong');
  }
  const [version] = payload;
  const hash = payload.subarray(1);
  if (hash.length !== 20) throw new AddressError('it is no address of Bitcoin');
  if (version === wanted.p2pkh) return concat(P2PKH.front, hash, P2PKH.back);
  if (version === wanted.p2sh) return concat(P2SH.front, hash, P2SH.back);
  const other =
    version === mainnet.p2pkh || version === mainnet.p2sh ? 'mainnet' : 'a test network';
  const known = [mainnet, testnet].some((p) => version === p.p2pkh || version === p.p2sh);
  throw new AddressError(
    known ? `it is an address of ${other}, and this is ${network}` : 'it is no address of Bitcoin',
  );
}

/** The script of a Bech32 address, whatever its network. */
function witnessScript(address: string): Uint8Array {
  const text = address as `${string}1${string}`;
  const old = bech32.decodeUnsafe(text);
  const words = (old ?? bech32m.decodeUnsafe(text))?.words;
  if (!words || words.length === 0) throw new AddressError('a character or the checksum is wrong');
  const [version] = words;
  let program: Uint8Array;
  try {
    program = Uint8Array.from(bech32.fromWords(words.slice(1)));
  } catch {
    throw new AddressError('its padding is wrong');
  }
  if ((version === 0) !== (old !== undefined)) {
    throw new AddressError('its checksum is of the wrong kind for its version');
  }
  if (version === 0 && (program.length === 20 || program.length === 32)) {
    return concat(Uint8Array.of(OP_0, program.length), program);
  }
  if (version === 1 && program.length === 32) return concat(Uint8Array.of(OP_1, 32), program);
  throw new AddressError('no rules protect coins that are sent there');
}

/** The kind of an output script; undefined for one that has no address. */
export function scriptKind(script: Uint8Array): Kind | undefined {
  const begins = (front: Uint8Array) => front.every((byte, i) => script[i] === byte);
  const ends = (back: Uint8Array) =>
    back.every((byte, i) => script[script.length - back.length + i] === byte);
  if (script.length === 25 && begins(P2PKH.front) && ends(P2PKH.back)) return 'P2PKH';
  if (script.length === 23 && begins(P2SH.front) && ends(P2SH.back)) return 'P2SH';
  if (script.length === 22 && begins(Uint8Array.of(OP_0, 20))) return 'P2WPKH';
  if (script.length === 34 && begins(Uint8Array.of(OP_0, 32))) return 'P2WSH';
  if (script.length === 34 && begins(Uint8Array.of(OP_1, 32))) return 'P2TR';
  return undefined;
}

/** The address that a script pays on a network, the inverse of payoutScript; undefined if none. */
export function addressOf(script: Uint8Array, network: Network): string | undefined {
  const { hrp, p2pkh, p2sh } = networks[network];
  const base58 = (version: number, hash: Uint8Array) =>
    base58check.encode(concat(Uint8Array.of(version), hash));
  switch (scriptKind(script)) {
    case 'P2PKH':
      return base58(p2pkh, script.subarray(3, 23));
    case 'P2SH':
      return base58(p2sh, script.subarray(2, 22));
    case 'P2WPKH':
    case 'P2WSH':
      return bech32.encode(hrp, [0, ...bech32.toWords(script.subarray(2))]);
    case 'P2TR':
      return bech32m.encode(hrp, [1, ...bech32m.toWords(script.subarray(2))]);
    default:
      return undefined;
  }
}

/** The address in a worker's name: what stands before the first dot. */
export function addressIn(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? name : name.slice(0, dot);
}
