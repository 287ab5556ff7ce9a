import { MalformedError, Reader } from './bytes';

/** All bitcoins that can ever be, in satoshis. */
export const MAX_MONEY = 21_000_000 * 100_000_000;

export interface TxInput {
  /** The transaction that is spent, in the order in which it is hashed; zeros in a coinbase. */
  previous: Uint8Array;
  index: number;
  script: Uint8Array;
  /** Where the script begins in the transaction, bytes. */
  scriptAt: number;
  sequence: number;
}

export interface TxOutput {
  /** Satoshis. */
  value: number;
  script: Uint8Array;
  /** Where the output begins and ends in the transaction, bytes. */
  from: number;
  to: number;
}

export interface Transaction {
  version: number;
  inputs: TxInput[];
  outputs: TxOutput[];
  lockTime: number;
}

/**
 * Reads a transaction serialised without witness, which is what its id is the
 * hash of. Throws MalformedError unless it is one from the first to the last byte.
 */
export function parseTransaction(bytes: Uint8Array): Transaction {
  const reader = new Reader(bytes);
  const version = reader.uint32();
  const inputs = Array.from({ length: count(reader, 41) }, () => readInput(reader));
  if (inputs.length === 0) throw new MalformedError('the transaction has no input');
  const outputs = Array.from({ length: count(reader, 9) }, () => readOutput(reader));
  const lockTime = reader.uint32();
  if (reader.left > 0) {
    throw new MalformedError(
      `the transaction is followed by ${reader.left} bytes that are not part of it`,
    );
  }
  return { version, inputs, outputs, lockTime };
}

/** A number of things of at least `least` bytes each. */
function count(reader: Reader, least: number): number {
  const many = reader.size();
  if (many * least > reader.left) throw new MalformedError('the transaction is cut short');
  return many;
}

function readInput(reader: Reader): TxInput {
  const previous = reader.take(32);
  const index = reader.uint32();
  const length = reader.size();
  const scriptAt = reader.at;
  const script = reader.take(length);
  return { previous, index, script, scriptAt, sequence: reader.uint32() };
}

function readOutput(reader: Reader): TxOutput {
  const from = reader.at;
  const value = reader.uint64();
  if (value > BigInt(MAX_MONEY)) {
    throw new MalformedError(
      `an output of ${value} satoshis is more than all bitcoins there can be`,
    );
  }
  const script = reader.take(reader.size());
  return { value: Number(value), script, from, to: reader.at };
}

/** Whether the transaction creates coins: one input that spends nothing. */
export function isCoinbase(tx: Transaction): boolean {
  const [input] = tx.inputs;
  return (
    tx.inputs.length === 1 &&
    input?.index === 0xffffffff &&
    input.previous.every((byte) => byte === 0)
  );
}
