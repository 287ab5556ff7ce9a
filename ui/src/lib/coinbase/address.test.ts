import { describe, expect, it } from 'vitest';
import { addressIn, addressOf, payoutScript, scriptKind, type Network } from './address';
import { fromHex, toHex } from './bytes';

const paid = (address: string, network: Network) => toHex(payoutScript(address, network));

/** Address, script, kind, and the networks that share its form. */
const good: [string, string, string, Network[]][] = [
  // BIP173 and BIP350
  [
    'BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4',
    '0014751e76e8199196d454941c45d1b3a323f1433bd6',
    'P2WPKH',
    ['main'],
  ],
  [
    'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7',
    '00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262',
    'P2WSH',
    ['test', 'testnet4', 'signet'],
  ],
  [
    'tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy',
    '0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433',
    'P2WSH',
    ['test'],
  ],
  [
    'tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c',
    '5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433',
    'P2TR',
    ['test', 'signet'],
  ],
  [
    'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
    '512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
    'P2TR',
    ['main'],
  ],
  // The same key hash on regtest, as Bitcoin Core writes it
  [
    'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
    '0014751e76e8199196d454941c45d1b3a323f1433bd6',
    'P2WPKH',
    ['regtest'],
  ],
  // BIP16's and the genesis block's kinds
  [
    '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
    '76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac',
    'P2PKH',
    ['main'],
  ],
  [
    '3P14159f73E4gFr7JterCCQh9QjiTjiZrG',
    'a914e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a87',
    'P2SH',
    ['main'],
  ],
  [
    'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn',
    '76a914243f1394f44554f4ce3fd68649c19adc483ce92488ac',
    'P2PKH',
    ['test', 'testnet4', 'signet', 'regtest'],
  ],
  [
    '2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc',
    'a9144e9f39ca4688ff102128ea4ccda34105324305b087',
    'P2SH',
    ['test', 'testnet4', 'signet', 'regtest'],
  ],
];

describe('payoutScript', () => {
  it.each(good)('%s', (address, script, kind, networks) => {
    for (const network of networks) {
      expect(paid(address, network)).toBe(script);
      const lower = /^(bc|tb)/i.test(address) ? address.toLowerCase() : address;
      expect(addressOf(fromHex(script, 'script'), network)).toBe(lower);
    }
    expect(scriptKind(fromHex(script, 'script'))).toBe(kind);
  });

  it.each([
    ['bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0', 'test', /mainnet/],
    ['tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx', 'main', /testnet/],
    ['tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx', 'regtest', /testnet/],
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', 'regtest', /mainnet/],
    ['mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn', 'main', /test network/],
  ] as const)('%s is not for %s', (address, network, why) => {
    expect(() => payoutScript(address, network)).toThrow(why);
  });

  it.each([
    // BIP350: invalid addresses
    ['tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut', 'main'],
    ['bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd', 'main'],
    ['tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf', 'test'],
    ['BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL', 'main'],
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh', 'main'],
    ['tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47', 'test'],
    ['bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4', 'main'],
    ['BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R', 'main'],
    ['bc1pw5dgrnzv', 'main'],
    ['bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav', 'main'],
    ['BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P', 'main'],
    ['tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq', 'test'],
    ['bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf', 'main'],
    ['tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j', 'test'],
    ['bc1gmk9yu', 'main'],
    // BIP350: good checksums, but versions without rules
    ['bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y', 'main'],
    ['BC1SW50QGDZ25J', 'main'],
    ['bc1zw508d6qejxtdg4y5r3zaeswyk9', 'main'],
    // the anchor program, which anybody can spend
    ['bc1pfeessrawgf', 'main'],
    // a typing error in Base58, and what is no address at all
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb', 'main'],
    ['', 'main'],
    ['1', 'main'],
    ['rig', 'main'],
    ['bc1', 'main'],
    ['__proto__1', 'main'],
    [`bc1${'q'.repeat(200)}`, 'main'],
  ] as const)('refuses %s', (address, network) => {
    expect(() => payoutScript(address, network)).toThrow();
  });
});

it.each([
  ['6a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf9'],
  [''],
  ['0014751e76e8199196d454941c45d1b3a323f1433b'],
  ['76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ad'],
  ['5220000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433'],
])('a script without an address: %s', (script) => {
  expect(addressOf(fromHex(script, 'script'), 'main')).toBeUndefined();
});

it.each([
  ['bc1qabc.rig', 'bc1qabc'],
  ['bc1qabc.garage.s19', 'bc1qabc'],
  ['bc1qabc', 'bc1qabc'],
  ['.rig', ''],
])('the address in %s', (name, address) => {
  expect(addressIn(name)).toBe(address);
});
