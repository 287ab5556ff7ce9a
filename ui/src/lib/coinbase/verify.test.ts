import { describe, expect, it } from 'vitest';
import { formatBTC } from '../format';
import { payoutScript } from './address';
import { fromHex, reversed, toHex } from './bytes';
import { decodeCoinbase, readHeight } from './decode';
import { doubleSHA256, merkleRoot, serializeHeader } from './hash';
import { coinbaseVectors, shareVectors, type CoinbaseVector } from './vectors';
import { subsidy, verifyCoinbase } from './verify';

const vectors = coinbaseVectors();
const withFee = vectors.find((v) => v.fee_sats > 0 && v.network === 'main');
if (!withFee) throw new Error('no vector has a fee');

const verify = (v: CoinbaseVector, name = `${v.address}.rig`) => verifyCoinbase(v, { name });

describe('coinbases that the server makes', () => {
  it('are of every network and every kind', () => {
    expect(new Set(vectors.map((v) => v.network)).size).toBe(5);
    const kinds = vectors.map((v) => verify(v).coinbase?.outputs[0]?.kind);
    expect(new Set(kinds)).toEqual(new Set(['P2PKH', 'P2SH', 'P2WPKH', 'P2WSH', 'P2TR']));
  });

  it.each(vectors.map((v) => [v.name, v] as const))('%s', (_, v) => {
    const found = verify(v);
    expect(found.fault).toBeUndefined();
    expect(found.steps.map((s) => s.state)).toEqual(found.steps.map(() => 'passed'));
    expect(found.pays).toBe(v.value_sats - v.fee_sats);
    expect(found.own).toEqual([0]);
    expect(found.coinbase?.height).toBe(v.height);
    expect(found.coinbase?.tag).toBe(v.tag);
    expect(found.coinbase?.outputs[0]?.address).toBe(v.address);
    expect(found.coinbase?.outputs.at(-1)?.commitment).toBe(true);
    expect(found.txid).toBe(v.txid);
    expect(found.root).toBe(v.merkle_root);
    expect(found.header).toBe(v.header);
  });

  it('are marked from the first byte to the last', () => {
    for (const v of vectors) {
      const segments = verify(v).coinbase?.segments ?? [];
      let at = 0;
      for (const s of segments) {
        expect(s.from).toBe(at);
        at = s.to;
      }
      expect(at).toBe(v.tx.length / 2);
      const part = (name: string) => {
        const s = segments.find((x) => x.part === name);
        return s && v.tx.slice(2 * s.from, 2 * s.to);
      };
      expect(part('extranonce1')).toBe(v.extranonce1);
      expect(part('extranonce2')).toBe('00'.repeat(v.extranonce2_size));
    }
  });
});

describe('what another pool recorded', () => {
  it.each(shareVectors().map((v) => [v.name, v] as const))('%s', (_, v) => {
    const bytes = fromHex(v.coinb1 + v.extranonce1 + v.extranonce2 + v.coinb2, 'coinbase');
    const id = doubleSHA256(bytes);
    expect(toHex(reversed(id))).toBe(v.coinbase_txid);

    const mask = parseInt(v.mask || '0', 16);
    const rolled = parseInt(v.version_bits || '0', 16);
    // Stratum turns the bytes of each word of the hash round.
    const words = v.prevhash.match(/.{8}/g) ?? [];
    const previous = words.flatMap((w) => [...reversed(fromHex(w, 'word'))]);
    const header = serializeHeader({
      version: ((parseInt(v.version, 16) & ~mask) | (rolled & mask)) >>> 0,
      previous: Uint8Array.from(previous),
      root: merkleRoot(
        id,
        v.branches.map((b) => fromHex(b, 'branch')),
      ),
      time: parseInt(v.ntime, 16),
      bits: parseInt(v.nbits, 16),
      nonce: parseInt(v.nonce, 16),
    });
    expect(toHex(header)).toBe(v.header);

    const at = v.coinb1.length / 2;
    const sizes = { size1: v.extranonce1.length / 2, size2: v.extranonce2.length / 2 };
    const { height, outputs } = decodeCoinbase(bytes, { at, ...sizes }, 'main');
    expect(height).toBeGreaterThan(0);
    expect(outputs.some((o) => o.value > 0 && o.address !== undefined)).toBe(true);
  });
});

/** Changes one byte of a transaction. */
function flip(v: CoinbaseVector, byte: number, to?: number): CoinbaseVector {
  const bytes = fromHex(v.tx, 'tx');
  bytes[byte] = to ?? (bytes[byte] ?? 0) ^ 1;
  return { ...v, tx: toHex(bytes) };
}

/** The transaction with a text in it replaced. */
function replace(v: CoinbaseVector, from: string, to: string): CoinbaseVector {
  expect(v.tx).toContain(from);
  return { ...v, tx: v.tx.replace(from, to) };
}

const le64 = (value: number) => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return toHex(bytes);
};

describe('coinbases that do not pay as they should', () => {
  const v = withFee;
  const script = toHex(payoutScript(v.address, 'main'));
  const thief = `76a914${'11'.repeat(20)}88ac`;
  const pays = v.value_sats - v.fee_sats;

  it.each<[string, CoinbaseVector, RegExp]>([
    [
      'pays somebody else of the same kind',
      replace(v, script, `a914${'11'.repeat(20)}87`),
      /no output pays 3P14159f/,
    ],
    [
      'pays another kind of script',
      replace(v, `17${script}`, `19${thief}`),
      /no output pays 3P14159f/,
    ],
    [
      'pays one satoshi less',
      replace(v, le64(pays), le64(pays - 1)),
      /the output pays 311,604,828 satoshis, .* is 311,604,829/,
    ],
    ['pays one satoshi more', replace(v, le64(pays), le64(pays + 1)), /the output pays/],
    [
      'takes more fee than announced',
      {
        ...replace(
          replace(v, le64(pays), le64(pays - 500)),
          le64(v.fee_sats),
          le64(v.fee_sats + 500),
        ),
        fee_sats: v.fee_sats + 500,
      },
      /the fee is .* and 1.5 % of the value is/,
    ],
    [
      'burns what is left',
      replace(v, le64(v.fee_sats), le64(v.fee_sats - 10)),
      /the other outputs take/,
    ],
    [
      'sends the fee elsewhere',
      { ...v, fee_script: thief },
      /the fee is 4,745,251 satoshis, and its script gets nothing/,
    ],
    [
      'says that there is less to pay',
      { ...v, value_sats: v.value_sats - 10_000_000 },
      /the output pays/,
    ],
    [
      'hides coins of the block',
      {
        ...replace(replace(v, le64(pays), le64(200_000_000)), le64(v.fee_sats), le64(0)),
        value_sats: 200_000_000,
        fee_sats: 0,
        fee_percent: 0,
      },
      /new coins alone are 312,500,000/,
    ],
    [
      'is for another height',
      { ...v, height: v.height + 1 },
      /is for height 912346, the job is for 912347/,
    ],
    [
      'has another extranonce1',
      { ...v, extranonce1: 'a1b2c3d5' },
      /where extranonce1 a1b2c3d5 should be/,
    ],
    [
      'has extranonces outside its script',
      { ...v, script_offset: 2 },
      /extranonces are not inside/,
    ],
    [
      'has extranonces that run into the outputs',
      { ...v, extranonce2_size: 60 },
      /extranonces are not inside/,
    ],
    ['spends other coins', flip(v, 5), /it is no coinbase/],
    ['spends from another index', flip(v, 37, 0), /it is no coinbase/],
    ['is cut short', { ...v, tx: v.tx.slice(0, -2) }, /ends after/],
    ['has something behind it', { ...v, tx: `${v.tx}00` }, /followed by 1 byte/],
    ['is no hexadecimal text', { ...v, tx: 'zz' }, /not hexadecimal/],
    ['is empty', { ...v, tx: '' }, /ends after 0 bytes/],
    [
      'pays more than there is',
      replace(v, le64(pays), 'ffffffffffffff7f'),
      /more than all bitcoins/,
    ],
    ['is for a network that is none', { ...v, network: 'litecoin' }, /network “litecoin”/],
    ['is for a network of other addresses', { ...v, network: 'regtest' }, /address of mainnet/],
    ['has a branch that is too short', { ...v, branches: ['00'] }, /merkle branch 1 has 1 bytes/],
    ['has no time', { ...v, ntime: '' }, /the time is not eight/],
    ['names an impossible fee', { ...v, fee_sats: -1 }, /a fee cannot be -1/],
    ['names an impossible value', { ...v, value_sats: NaN }, /a block cannot pay NaN/],
  ])('%s', (_, corrupted, why) => {
    const found = verify(corrupted);
    expect(found.pays).toBeUndefined();
    expect(found.fault).toMatch(why);
    expect(found.steps.filter((s) => s.state === 'failed').length).toBeGreaterThan(0);
  });

  it('fails for whatever byte of what is owed is changed', () => {
    const at = v.tx.indexOf(le64(pays)) / 2;
    for (let byte = at; byte < at + 8 + 1 + script.length / 2; byte++) {
      for (const bit of [1, 0x80]) {
        const to = parseInt(v.tx.slice(2 * byte, 2 * byte + 2), 16) ^ bit;
        expect(verify(flip(v, byte, to)).pays).toBeUndefined();
      }
    }
  });

  it('fails for whatever the miner counts in, only in what it hashes', () => {
    const found = verify(flip(v, v.script_offset + 4, 1));
    expect(found.pays).toBe(pays);
    expect(found.txid).not.toBe(v.txid);
    expect(found.header).not.toBe(v.header);
  });

  it('does not take the server’s word for the script', () => {
    const stolen = replace(v, `17${script}`, `19${thief}`);
    const found = verify({ ...stolen, payout_script: thief, payout_sats: pays });
    expect(found.pays).toBeUndefined();
  });

  it('fails for another address than the worker’s', () => {
    const found = verify(v, 'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0.rig');
    expect(found.fault).toMatch(/no output pays bc1p0xlx/);
  });

  it('fails for a typing error', () => {
    expect(verify(v, `${v.address}x.rig`).fault).toMatch(/the address is not understood/);
  });

  it('fails when the name is not the one that was asked for', () => {
    const found = verifyCoinbase(v, { name: `${v.address}.rig`, nameProven: false });
    expect(found.pays).toBeUndefined();
    expect(found.fault).toMatch(/SHA-256/);
  });

  it('says what could not be looked at', () => {
    const { steps } = verify({ ...v, tx: '00' });
    expect(steps.filter((s) => s.state === 'missing').length).toBeGreaterThan(3);
  });
});

it('names the amount to the last satoshi', () => {
  const { steps } = verify(withFee);
  const amount = formatBTC(withFee.value_sats - withFee.fee_sats);
  expect(steps.some((s) => s.detail.includes(amount))).toBe(true);
});

it.each([
  ['00', 0, 1],
  ['51', 1, 1],
  ['60', 16, 1],
  ['0111', 17, 2],
  ['028000', 128, 3],
  ['0343d10c', 840_003, 4],
  ['0400008000', 8_388_608, 5],
])('height %s', (script, value, size) => {
  expect(readHeight(fromHex(script, 'script'))).toEqual({ value, size });
});

it.each([
  '',
  '03',
  '0343d1',
  '0380d18c',
  '0200ff',
  '021100',
  '0110',
  '4c0343d10c',
  '06010203040506',
])('no height in “%s”', (script) => {
  expect(readHeight(fromHex(script, 'script'))).toBeUndefined();
});

it.each([
  [0, 'main', 50],
  [209_999, 'main', 50],
  [210_000, 'main', 25],
  [840_000, 'signet', 3.125],
  [149, 'regtest', 50],
  [150, 'regtest', 25],
  [100_000_000, 'main', 0],
] as const)('new coins at %d on %s', (height, network, coins) => {
  expect(subsidy(height, network)).toBe(coins * 1e8);
});
