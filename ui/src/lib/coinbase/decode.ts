import { addressOf, scriptKind, type Kind, type Network } from './address';
import { MalformedError } from './bytes';
import { isCoinbase, parseTransaction, type Transaction } from './transaction';

/** Where the extranonces are in a coinbase. */
export interface Extranonces {
  /** Where extranonce1 begins in the transaction, bytes. */
  at: number;
  size1: number;
  size2: number;
}

/** What a part of the transaction is. */
export type Part =
  'frame' | 'height' | 'script' | 'extranonce1' | 'extranonce2' | 'tag' | 'value' | 'payee';

/** A run of bytes of the transaction. */
export interface Segment {
  part: Part;
  label: string;
  from: number;
  to: number;
  /** Which output it belongs to. */
  output?: number;
}

export interface DecodedOutput {
  value: number;
  script: Uint8Array;
  kind: Kind | undefined;
  address: string | undefined;
  /** Whether it commits to the witnesses of the block (BIP141). */
  commitment: boolean;
}

export interface DecodedCoinbase {
  transaction: Transaction;
  /** Undefined when the script does not begin with one as BIP34 wants it. */
  height: number | undefined;
  /** The text that the pool leaves in its blocks; '' when there is none. */
  tag: string;
  outputs: DecodedOutput[];
  /** The whole transaction, from the first byte to the last, without a hole. */
  segments: Segment[];
}

/** Takes a coinbase apart. Throws MalformedError for what is none, or none with such extranonces. */
export function decodeCoinbase(
  bytes: Uint8Array,
  extranonces: Extranonces,
  network: Network,
): DecodedCoinbase {
  const transaction = parseTransaction(bytes);
  const [input] = transaction.inputs;
  if (!input || !isCoinbase(transaction)) {
    throw new MalformedError('the transaction spends other coins: it is no coinbase');
  }
  const { at, size1, size2 } = extranonces;
  const scriptEnd = input.scriptAt + input.script.length;
  if (size1 < 0 || size2 < 0 || at < input.scriptAt || at + size1 + size2 > scriptEnd) {
    throw new MalformedError('the extranonces are not inside the coinbase script');
  }
  const height = readHeight(input.script);
  const behind = bytes.subarray(at + size1 + size2, scriptEnd);
  const tag = readTag(behind);

  const segments: Segment[] = [];
  const put = (part: Part, label: string, to: number, output?: number) => {
    const from = segments.at(-1)?.to ?? 0;
    if (to > from)
      segments.push({ part, label, from, to, ...(output !== undefined && { output }) });
  };
  put('frame', 'Version, and an input that spends nothing', input.scriptAt);
  if (height)
    put('height', `Height ${height.value} (BIP34)`, Math.min(input.scriptAt + height.size, at));
  put('script', 'Script: what makes the pool’s jobs differ', at);
  put('extranonce1', 'Extranonce1: this connection’s own', at + size1);
  put('extranonce2', 'Extranonce2: the miner counts here', at + size1 + size2);
  put(tag === '' ? 'script' : 'tag', tag === '' ? 'Script' : `Tag: ${tag}`, scriptEnd);
  put('frame', 'Sequence, and the number of outputs', transaction.outputs[0]?.from ?? scriptEnd);
  transaction.outputs.forEach((o, i) => {
    put('value', `Output ${i + 1}: ${o.value} satoshis`, o.from + 8, i);
    put('payee', `Output ${i + 1}: script`, o.to, i);
  });
  put('frame', 'Lock time', bytes.length);

  return {
    transaction,
    height: height?.value,
    tag,
    outputs: transaction.outputs.map(({ value, script }) => ({
      value,
      script,
      kind: scriptKind(script),
      address: addressOf(script, network),
      commitment: isWitnessCommitment(script),
    })),
    segments,
  };
}

const OP_1 = 0x51;
const OP_16 = 0x60;

/** The height that a coinbase script begins with (BIP34), and how many bytes that takes. */
export function readHeight(script: Uint8Array): { value: number; size: number } | undefined {
  const [first] = script;
  if (first === undefined) return undefined;
  if (first === 0) return { value: 0, size: 1 };
  if (first >= OP_1 && first <= OP_16) return { value: first - OP_1 + 1, size: 1 };
  if (first > 5 || script.length < 1 + first) return undefined;
  let value = 0;
  for (let i = first; i >= 1; i--) value = value * 256 + (script[i] ?? 0);
  const top = script[first] ?? 0;
  // Negative, or longer than it needs to be: no node takes it.
  const padded = top === 0 && ((script[first - 1] ?? 0) < 0x80 || first === 1);
  if (top >= 0x80 || padded || value <= 16) return undefined;
  return { value, size: 1 + first };
}

const OP_PUSHDATA1 = 0x4c;
const PRINTABLE = /^[\p{L}\p{N}\p{P}\p{S} ]+$/u;

/** The text that is pushed in the rest of a script; '' unless all of it is text. */
function readTag(script: Uint8Array): string {
  const texts: string[] = [];
  for (let at = 0; at < script.length;) {
    let length = script[at++] ?? 0;
    if (length === OP_PUSHDATA1) length = script[at++] ?? 0;
    else if (length > OP_PUSHDATA1) return '';
    if (length === 0 || at + length > script.length) return '';
    const text = readText(script.subarray(at, at + length));
    if (text === undefined) return '';
    texts.push(text);
    at += length;
  }
  return texts.join(' ');
}

function readText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return PRINTABLE.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

const COMMITMENT = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

/** Whether a script commits to witnesses (BIP141). */
export function isWitnessCommitment(script: Uint8Array): boolean {
  return script.length >= 38 && COMMITMENT.every((byte, i) => script[i] === byte);
}
