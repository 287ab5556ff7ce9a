import { addressIn, AddressError, isNetwork, payoutScript, type Network } from './address';
import { fromHex, MalformedError, reversed, sameBytes, toHex } from './bytes';
import { decodeCoinbase, type DecodedCoinbase } from './decode';
import { doubleSHA256, merkleRoot, serializeHeader } from './hash';
import { MAX_MONEY } from './transaction';
import type { WorkerCoinbase } from '../../api/workers';
import { formatBTC, formatCount, NONE, plural } from '../format';

/** What came of one step of the verification. */
export interface Step {
  title: string;
  /** What was found, or what differs. */
  detail: string;
  /** `missing`: could not be looked at, because something before it failed. */
  state: 'passed' | 'failed' | 'missing';
}

/** A coinbase, taken apart and checked in this browser. */
export interface Verification {
  /** Satoshis to the address; undefined unless every step passed. */
  pays: number | undefined;
  /** The first thing that is wrong, as a sentence without its full stop. */
  fault: string | undefined;
  steps: Step[];
  /** The rest as far as it could be had. */
  coinbase: DecodedCoinbase | undefined;
  /** The outputs that pay the address. */
  own: number[];
  address: string;
  txid: string | undefined;
  root: string | undefined;
  /** The 80 bytes of the header, with nonce 0. */
  header: string | undefined;
}

/** Whose coinbase it should be. */
export interface Owner {
  /** The worker's full name, or an address of the owner's. */
  name: string;
  /** Whether the name is the one that the owner asked by; undefined when that cannot be told. */
  nameProven?: boolean | undefined;
}

/** A step that did not pass. */
class Differs extends Error {}

function differ(detail: string): never {
  throw new Differs(detail);
}

/**
 * Checks that a coinbase pays its worker: from the address in the worker's
 * name, by our own code, and not from what the server says that the script is.
 * Every later step needs the earlier ones it builds on; the others go on, so
 * that everything that is wrong is named.
 */
export function verifyCoinbase(c: WorkerCoinbase, owner: Owner): Verification {
  const address = addressIn(owner.name.trim());
  const found: Verification = {
    pays: undefined,
    fault: undefined,
    steps: [],
    coinbase: undefined,
    own: [],
    address,
    txid: undefined,
    root: undefined,
    header: undefined,
  };
  const run = <T>(title: string, look: () => { detail: string; result: T } | undefined) => {
    try {
      const seen = look();
      const state = seen ? 'passed' : 'missing';
      found.steps.push({
        title,
        detail: seen?.detail ?? 'Not looked at: a step before it failed',
        state,
      });
      return seen?.result;
    } catch (error) {
      const detail = faultText(error);
      found.fault ??= detail;
      found.steps.push({ title, detail, state: 'failed' });
      return undefined;
    }
  };
  const passed = (detail: string) => ({ detail, result: true as const });

  if (owner.nameProven !== undefined) {
    run('The name is the one that was asked for', () =>
      owner.nameProven === true
        ? passed('Its SHA-256 is the key in the address of this page')
        : differ('its SHA-256 is not the key in the address of this page'),
    );
  }
  const network = run('The network is known', () =>
    isNetwork(c.network)
      ? { detail: c.network, result: c.network }
      : differ(`the network “${c.network}” is not one of Bitcoin’s`),
  );
  const script = run('The address is turned into a script', () => {
    if (network === undefined) return undefined;
    const result = payoutScript(address, network);
    return { detail: `${address} is ${toHex(result)}`, result };
  });
  const bytes = run('The transaction is a coinbase', () => {
    if (network === undefined) return undefined;
    const tx = fromHex(c.tx, 'the transaction');
    const size1 = fromHex(c.extranonce1, 'extranonce1').length;
    const at = { at: c.script_offset, size1, size2: c.extranonce2_size };
    found.coinbase = decodeCoinbase(tx, at, network);
    return {
      detail: `${plural(tx.length, 'byte')}, an input that spends nothing, ${plural(found.coinbase.outputs.length, 'output')}`,
      result: tx,
    };
  });
  const coinbase = found.coinbase;
  const value = c.value_sats;
  // The donation is taken out of the fee: both are what the worker does not get.
  const fee = c.fee_sats + c.donation_sats;

  run('It is for the block that is mined now', () => {
    if (!coinbase) return undefined;
    if (coinbase.height !== c.height) {
      differ(`the coinbase is for height ${coinbase.height ?? NONE}, the job is for ${c.height}`);
    }
    return passed(`Height ${formatCount(c.height)} (BIP34)`);
  });
  run('This connection’s extranonce is in it', () => {
    if (!bytes) return undefined;
    const extranonce1 = fromHex(c.extranonce1, 'extranonce1');
    const there = bytes.subarray(c.script_offset, c.script_offset + extranonce1.length);
    if (!sameBytes(there, extranonce1)) {
      differ(`the coinbase has ${toHex(there)} where extranonce1 ${c.extranonce1} should be`);
    }
    return passed(
      `${c.extranonce1}, and ${plural(c.extranonce2_size, 'byte')} for the miner to count in`,
    );
  });
  run('An output pays exactly that script', () => {
    if (!coinbase || !script) return undefined;
    found.own = coinbase.outputs.flatMap((o, i) => (sameBytes(o.script, script) ? [i] : []));
    if (found.own.length === 0) differ(`no output pays ${address}`);
    if (found.own.length > 1) differ(`${found.own.length} outputs pay ${address}, and one should`);
    return passed(`Output ${(found.own[0] ?? 0) + 1} of ${coinbase.outputs.length}`);
  });
  const own = found.own.length === 1 ? coinbase?.outputs[found.own[0] ?? 0] : undefined;
  run('It pays the value less the fee, to the satoshi', () => {
    if (!own) return undefined;
    amounts(c);
    if (own.value !== value - fee) {
      differ(
        `the output pays ${sats(own.value)}, and ${sats(value)} less a fee of ${sats(fee)} is ${sats(value - fee)}`,
      );
    }
    return passed(`${formatBTC(value)} − ${formatBTC(fee)} = ${formatBTC(own.value)}`);
  });
  run('The fee is not more than announced', () => {
    amounts(c);
    const most = feeOf(value, c.fee_percent);
    if (fee > most)
      differ(`the fee is ${sats(fee)}, and ${c.fee_percent} % of the value is ${sats(most)}`);
    return passed(
      fee === 0 ? 'There is no fee' : `${c.fee_percent} % of the value is ${formatBTC(most)}`,
    );
  });
  run('The other outputs are the fee and nothing else', () => {
    if (!coinbase || !own) return undefined;
    const others = coinbase.outputs.filter((o) => o !== own);
    const rest = others.reduce((sum, o) => sum + o.value, 0);
    if (rest !== fee) differ(`the other outputs take ${sats(rest)}, the fee is ${sats(fee)}`);
    const parts = [
      ['fee', c.fee_script, c.fee_sats],
      ['donation', c.donation_script, c.donation_sats],
    ] as const;
    for (const [what, script, part] of parts) {
      if (script === undefined) continue;
      const to = fromHex(script, `the script of the ${what}`);
      const takes = others.find((o) => sameBytes(o.script, to))?.value;
      if (takes !== part) {
        differ(
          `the ${what} is ${sats(part)}, and its script gets ${takes === undefined ? 'nothing' : sats(takes)}`,
        );
      }
    }
    return passed(fee === 0 ? 'They pay nothing' : sats(rest));
  });
  run('All outputs add up to what the block may pay', () => {
    if (!coinbase) return undefined;
    amounts(c);
    const total = coinbase.outputs.reduce((sum, o) => sum + o.value, 0);
    if (total !== value)
      differ(`the outputs add up to ${sats(total)}, the block may pay ${sats(value)}`);
    return passed(formatBTC(total));
  });
  run('That is at least the new coins of this height', () => {
    if (network === undefined) return undefined;
    const least = subsidy(c.height, network);
    if (value < least)
      differ(`the block may pay ${sats(value)}, and new coins alone are ${sats(least)}`);
    // How often a regtest chain halves is up to who runs it: what is fees is not known there.
    return passed(
      network === 'regtest'
        ? `At least ${formatBTC(least)}`
        : `${formatBTC(least)} new, ${formatBTC(value - least)} in fees of transactions`,
    );
  });
  const id = run('The coinbase is hashed', () => {
    if (!bytes) return undefined;
    const result = doubleSHA256(bytes);
    found.txid = toHex(reversed(result));
    return { detail: `Txid ${found.txid}`, result };
  });
  const root = run('Its hash and the branches make the merkle root', () => {
    if (!id) return undefined;
    const branches = c.branches.map((b, i) => hash(b, `merkle branch ${i + 1}`));
    const result = merkleRoot(id, branches);
    found.root = toHex(reversed(result));
    return { detail: `${plural(branches.length, 'branch', 'branches')}: ${found.root}`, result };
  });
  run('The header is put together', () => {
    if (!root) return undefined;
    const header = serializeHeader({
      version: word(c.version, 'the version'),
      previous: reversed(hash(c.prev_hash, 'the hash of the previous block')),
      root,
      time: word(c.ntime, 'the time'),
      bits: word(c.bits, 'nBits'),
      nonce: 0,
    });
    found.header = toHex(header);
    return passed('80 bytes that commit to this payout, with nonce and extranonce2 at zero');
  });

  if (found.fault === undefined && own) found.pays = own.value;
  return found;
}

/** What an output is for. */
export type Role = 'payout' | 'fee' | 'donation' | 'commitment' | 'other';

/** What each output is for, by what was found out here. */
export function outputRoles(found: Verification, c: WorkerCoinbase): Role[] {
  return (found.coinbase?.outputs ?? []).map((output, i) => {
    if (found.own.includes(i)) return 'payout';
    if (output.commitment) return 'commitment';
    const script = toHex(output.script);
    if (script === c.fee_script?.toLowerCase()) return 'fee';
    return script === c.donation_script?.toLowerCase() ? 'donation' : 'other';
  });
}

function faultText(error: unknown): string {
  if (error instanceof Differs || error instanceof MalformedError) return error.message;
  if (error instanceof AddressError) return `the address is not understood: ${error.message}`;
  return `the check itself failed: ${String(error)}`;
}

/** Refuses amounts that no block can have. */
function amounts(c: WorkerCoinbase): void {
  const good = (sats: number) => Number.isSafeInteger(sats) && sats >= 0 && sats <= MAX_MONEY;
  if (!good(c.value_sats)) differ(`a block cannot pay ${c.value_sats} satoshis`);
  if (!good(c.fee_sats)) differ(`a fee cannot be ${c.fee_sats} satoshis`);
  if (!good(c.donation_sats)) differ(`a donation cannot be ${c.donation_sats} satoshis`);
}

/** Millionths of the value; what rounding leaves is the miner's. */
function feeOf(value: number, percent: number): number {
  const millionths = Math.round(percent * 1e4);
  if (!Number.isSafeInteger(millionths) || millionths < 0) differ(`a fee cannot be ${percent} %`);
  return Number((BigInt(value) * BigInt(millionths)) / 1_000_000n);
}

/** The new coins of a block, satoshis: halved every 210,000 blocks, on regtest every 150. */
export function subsidy(height: number, network: Network): number {
  const halvings = Math.floor(height / (network === 'regtest' ? 150 : 210_000));
  return halvings >= 64 || halvings < 0 ? 0 : Math.floor(5_000_000_000 / 2 ** halvings);
}

function hash(text: string, what: string): Uint8Array {
  const bytes = fromHex(text, what);
  if (bytes.length !== 32) differ(`${what} has ${bytes.length} bytes and not 32`);
  return bytes;
}

/** A 32-bit number in eight hexadecimal digits. */
function word(text: string, what: string): number {
  if (!/^[0-9a-fA-F]{8}$/.test(text)) differ(`${what} is not eight hexadecimal digits`);
  return parseInt(text, 16);
}

function sats(value: number): string {
  return `${formatCount(value)} satoshis`;
}
