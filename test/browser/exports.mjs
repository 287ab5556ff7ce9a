// Reads what the scope exports by the formats' own rules, and by nothing of
// the program's.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

/**
 * Checks a capture in JSON lines: every line names the SHA-256 of the line
 * before it. Returns its messages.
 */
export function readJSONL(bytes) {
  const lines = bytes.toString('utf8').split('\n');
  assert.equal(lines.pop(), '', 'the last line has an end');
  let before = null;
  const values = lines.map((line, i) => {
    const value = JSON.parse(line);
    assert.equal(value.prev, before, `line ${i + 1} is not chained to the one before`);
    before = createHash('sha256').update(line).digest('hex');
    return value;
  });
  const [header, ...messages] = values;
  const footer = messages.pop();
  assert.equal(header.type, 'header');
  assert.equal(footer.type, 'footer');
  assert.equal(footer.messages, messages.length);
  return messages;
}

/**
 * Takes a pcapng file apart (draft-ietf-opsawg-pcapng): blocks, and in each
 * packet Ethernet, IP and TCP. Returns what was said to each TCP port, in the
 * packets' order.
 */
export function readPcapng(bytes) {
  const said = new Map();
  let interfaces = 0;
  for (let at = 0; at < bytes.length;) {
    const type = bytes.readUInt32LE(at);
    const length = bytes.readUInt32LE(at + 4);
    assert.ok(length >= 12 && length % 4 === 0 && at + length <= bytes.length, `block at ${at}`);
    assert.equal(bytes.readUInt32LE(at + length - 4), length, `the block at ${at} ends otherwise`);
    if (at === 0) {
      assert.equal(type, 0x0a0d0d0a, 'a section header comes first');
      assert.equal(bytes.readUInt32LE(8), 0x1a2b3c4d, 'byte order');
    }
    if (type === 1) interfaces++;
    if (type === 6) {
      assert.ok(bytes.readUInt32LE(at + 8) < interfaces, 'a packet of no interface');
      const packet = bytes.subarray(at + 28, at + 28 + bytes.readUInt32LE(at + 20));
      const { port, payload } = readPacket(packet);
      said.set(port, Buffer.concat([said.get(port) ?? Buffer.alloc(0), payload]));
    }
    at += length;
  }
  return said;
}

/** Destination port and payload of a TCP packet in IPv4 in Ethernet. */
function readPacket(packet) {
  assert.equal(packet.readUInt16BE(12), 0x0800, 'IPv4');
  const ip = packet.subarray(14, 14 + packet.readUInt16BE(16));
  assert.equal(ip[9], 6, 'TCP');
  const tcp = ip.subarray((ip[0] & 15) * 4);
  return { port: tcp.readUInt16BE(2), payload: tcp.subarray((tcp[12] >> 4) * 4) };
}

/** Rows of a CSV file (RFC 4180), each as an object with the header's names. */
export function readCSV(text) {
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/y;
  const rows = [];
  for (let row = []; cell.lastIndex < text.length;) {
    const [, value, end] = cell.exec(text) ?? assert.fail(`no CSV after ${rows.length} rows`);
    row.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  const [names, ...values] = rows;
  return values.map((row) => {
    assert.equal(row.length, names.length, row.join());
    return Object.fromEntries(row.map((value, i) => [names[i], value]));
  });
}
