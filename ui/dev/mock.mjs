// A stand-in for the server's API, with data that changes, for people who work
// on the page: `npm run mock`, then `npm run dev` beside it, or `npm run build`
// and open the mock itself (it serves dist/ under the real security policy).
//
//   node dev/mock.mjs --port 8000 --scene demo
//
// Scenes: demo (a devnet, blocks every 20 s), mainnet (home miners against the
// real difficulty), empty (no miner yet), waiting (no node yet), error (500s).
// GET /mock/cut closes every WebSocket; GET /mock/silence makes them fall silent.
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { answerOperator } from './mock-admin.mjs';
import { people } from './mock-people.mjs';

const { values: args } = parseArgs({
  options: {
    port: { type: 'string', default: '8000' },
    scene: { type: 'string', default: 'demo' },
    interval: { type: 'string', default: '20' },
  },
});
const scene = args.scene;
const mainnet = scene === 'mainnet';
const blockInterval = Number(args.interval) * 1000;
const dist = join(import.meta.dirname, '../dist');
const started = Date.now();

const iso = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
const wobble = (value, part) => value * (1 + (Math.random() * 2 - 1) * part);
const hex = (bytes) => randomBytes(bytes).toString('hex');

// ── the world ──

const network = mainnet
  ? {
      name: 'main',
      difficulty: 146_472_570_619_930.8,
      height: 912_345,
      address: 'bc1qw508...kv8f3t4',
    }
  : { name: 'regtest', difficulty: 0.0117, height: 212, address: 'bcrt1qw5...glq9yx6' };

const miners = (
  mainnet
    ? [
        ['bitaxe-gamma', 1.21e12, 1843, '', 'bitaxe'],
        ['nerdqaxe', 4.93e12, 7512, '', 'NerdQAxe'],
        ['garage.s19', 98.4e12, 152_300, '', 'cgminer'],
        ['avalon-nano', 3.9e12, 5930, '≈', 'cgminer'],
        ['nerdminer', 78_300, 0.0012, '~', 'NerdMinerV2'],
      ]
    : [
        ['demo-1', 2.31e6, 0.0021, '', 'poolscope-miner'],
        ['demo-2', 1.12e6, 0.0011, '≈', 'poolscope-miner'],
        ['demo-3', 0.52e6, 0.0005, '~', 'poolscope-miner'],
      ]
).map(([rig, hashrate, difficulty, accuracy, agent], i) => ({
  name: `${network.address}.${rig}`,
  hashrate,
  difficulty,
  accuracy,
  agent,
  accepted: mainnet ? 4200 - i * 713 : 12 + i * 7,
  id: hex(4),
}));
if (scene === 'empty' || scene === 'waiting') miners.length = 0;

const total = () => miners.reduce((sum, m) => sum + m.hashrate, 0);
const blocks = [];
const tips = [started - 61_000, started - 42_000, started - 19_000, started - 4_000].map((at) =>
  mainnet ? at - 260_000 : at,
);
const rejected = miners.length ? { stale: 3, low_difficulty: 1 } : {};
let best = {
  worker: miners[0]?.name ?? '',
  difficulty: mainnet ? 3.42e9 : 0.31,
  at: started - 9e6,
};
const bests = miners.length
  ? Array.from({ length: 12 }, (_, i) => ({
      worker: miners[i % miners.length].name,
      difficulty: best.difficulty / (1 + i * 0.43),
      at: started - i * 3.1e6,
      hash: `...${hex(8)}`,
    }))
  : [];
let templateAt = started - 4_000;
let templateTxs = mainnet ? 3120 : 14;

const drawBest = (work) => work / Math.max(Math.random(), 1e-9);
const recent = [];
for (let at = started - 360_000; at < started; at += 5_000) {
  recent.push(point(at, 5));
}

function point(at, seconds) {
  const rate = miners.length ? wobble(total(), 0.04) : 0;
  const shares = miners.length ? 1 + Math.floor(Math.random() * 4) * (seconds / 5) : 0;
  return {
    at: iso(at),
    hashrate: rate,
    accepted: shares,
    rejected: Math.random() < 0.05 ? 1 : 0,
    best_share: shares ? drawBest((rate * seconds) / 2 ** 32 / 3) : 0,
    block_height: network.height,
  };
}

function foundBlock(at) {
  network.height++;
  tips.push(at);
  while (tips.length > 4) tips.shift();
  templateAt = at;
  templateTxs = mainnet ? templateTxs : 3 + Math.floor(Math.random() * 20);
  for (const b of blocks) b.confirmations++;
  const miner = miners[Math.floor(Math.random() ** 2 * miners.length)];
  if (!miner) return;
  blocks.unshift({
    at,
    height: network.height,
    hash: `...${hex(8)}`,
    worker: miner.name,
    diff: network.difficulty * (1 + Math.random() * 3),
    confirmations: 1,
    stale: Math.random() < 0.04,
  });
  if (blocks.length > 100) blocks.pop();
}
if (scene === 'demo') {
  for (let i = 9; i > 0; i--) foundBlock(started - i * blockInterval - Math.random() * 9_000);
}
if (mainnet) blocks.length = 0;

// ── the views ──

function overview() {
  return {
    api_version: '1',
    active_miners: miners.length,
    active_tls_miners: miners.length > 2 ? 1 : 0,
    ...(miners.length && { shares_per_minute: miners.length * 14.7, pool_hashrate: total() }),
    pool_tag: '/poolscope/',
    render_duration: 81_000,
    workers: miners.map((m) => ({
      name: m.name,
      display_name: m.name,
      rolling_hashrate: m.hashrate,
      ...(m.accuracy && { hashrate_accuracy: m.accuracy }),
      difficulty: m.difficulty,
      vardiff: m.difficulty,
      share_rate: wobble(14.8, 0.03),
      accepted: m.accepted,
      connection_id: m.id,
    })),
    banned_workers: [],
    best_shares: bests.map((b) => ({
      worker: b.worker,
      difficulty: b.difficulty,
      timestamp: iso(b.at),
      hash: b.hash,
    })),
    miner_types: [...new Set(miners.map((m) => m.agent))].map((name) => ({
      name,
      total_workers: miners.filter((m) => m.agent === name).length,
      versions: [{ version: '2.1', workers: miners.filter((m) => m.agent === name).length }],
    })),
  };
}

function poolHashrate(history) {
  return {
    api_version: '1',
    pool_hashrate: total(),
    ...(history && { pool_hashrate_history: recent.map(({ at, hashrate }) => ({ at, hashrate })) }),
    block_height: network.height,
    block_difficulty: network.difficulty,
    block_time_left_sec: Math.ceil((tips[3] + 600_000 - Date.now()) / 1000),
    recent_block_times: tips.map(iso),
    next_difficulty_retarget: {
      height: 2016,
      blocks_away: 1804,
      duration_estimate: '12 days 12 hours',
    },
    template_tx_fees_sats: 21_400,
    template_updated_at: iso(templateAt),
    updated_at: iso(Date.now()),
  };
}

function blockList(limit) {
  return blocks.slice(0, limit).map((b) => ({
    height: b.height,
    hash: b.hash,
    display_hash: b.hash,
    worker: b.worker,
    display_worker: b.worker,
    timestamp: iso(b.at),
    share_diff: b.diff,
    pool_fee_sats: 0,
    worker_payout_sats: 5_000_021_400,
    confirmations: b.stale ? 0 : b.confirmations,
    result: b.stale ? 'stale' : b.confirmations >= 6 ? 'winning' : 'possible',
  }));
}

function status() {
  const waiting = scene === 'waiting';
  return {
    api_version: '1',
    version: 'mock',
    network: network.name,
    state: waiting ? 'waiting_for_node' : 'mining',
    reason: waiting ? 'the node at 127.0.0.1:8332 does not answer: connection refused' : '',
    started_at: iso(started),
    stratum: [
      { url: 'stratum+tcp://127.0.0.1:3333', tls: false, connections: miners.length },
      { url: 'stratum+ssl://127.0.0.1:4333', tls: true, connections: 0 },
    ],
    tag: '/poolscope/',
    fee_percent: 0,
    ...(!waiting && {
      template: {
        id: '4f',
        height: network.height + 1,
        prev_hash: '00000000000000000001' + hex(22),
        bits: '207fffff',
        network_difficulty: network.difficulty,
        transactions: templateTxs,
        fees_sats: mainnet ? 2_431_877 : templateTxs * 1_410,
        value_sats: mainnet ? 314_931_877 : 5_000_000_000 + templateTxs * 1_410,
        weight: mainnet ? 3_993_212 : 2_900 + templateTxs * 561,
        created_at: iso(templateAt),
        updated_at: iso(templateAt + Math.floor((Date.now() - templateAt) / 30_000) * 30_000),
        node: 'devnet',
      },
    }),
    nodes: [
      waiting
        ? {
            name: 'main',
            address: '127.0.0.1:8332',
            state: 'unreachable',
            reason: 'connection refused: is bitcoind running, and is rpcport right?',
            height: 0,
            headers: 0,
            latency_ms: 0,
            zmq: false,
            active: false,
            version: '',
          }
        : {
            name: mainnet ? 'attic' : 'devnet',
            address: '127.0.0.1:18443',
            state: 'ready',
            reason: '',
            height: network.height,
            headers: network.height,
            latency_ms: wobble(1.9, 0.3),
            zmq: true,
            active: true,
            version: mainnet ? '/Satoshi:29.1.0/' : '/poolscope-devnet:0.1.0/',
          },
      ...(mainnet
        ? [
            {
              name: 'spare',
              address: '10.0.0.7:8332',
              state: 'syncing',
              reason: 'downloading blocks: 902112 of 912345',
              height: 902_112,
              headers: 912_345,
              latency_ms: 4.2,
              zmq: false,
              active: false,
              version: '/Satoshi:28.0.0/',
            },
          ]
        : []),
    ],
    connections: miners.length,
    tls_connections: miners.length > 2 ? 1 : 0,
    authorized: miners.length,
    accepted: miners.reduce((sum, m) => sum + m.accepted, 0),
    rejected: Object.values(rejected).reduce((a, b) => a + b, 0),
    accepted_work: 12.5,
    rejects: miners.length
      ? [
          {
            reason: 'stale',
            text: 'Stale',
            advice:
              'The share was for the previous block. A few of them after each block are normal; many mean a slow network between miner and pool.',
            count: rejected.stale,
          },
          {
            reason: 'low_difficulty',
            text: 'Above target',
            advice:
              'The share was too easy for the difficulty of its job. Overclocked or faulty chips and a wrong difficulty setting cause this.',
            count: rejected.low_difficulty,
          },
          {
            reason: 'duplicate',
            text: 'Duplicate',
            advice: 'The same share was sent twice.',
            count: 0,
          },
        ]
      : [],
    closes: [{ reason: 'closed_by_miner', count: 2 }],
    drops: [{ reason: 'notify_replaced', count: 1 }],
    ...(best.worker && {
      best_share: {
        worker: best.worker,
        difficulty: best.difficulty,
        timestamp: iso(best.at),
        hash: `...${hex(8)}`,
      },
    }),
    hashrate: total(),
    shares_per_minute: miners.length * 14.7,
    blocks_accepted: blocks.length,
    blocks_errored: 0,
  };
}

function nodePage() {
  const waiting = scene === 'waiting';
  return {
    api_version: '1',
    node_network: network.name,
    node_subversion: '/Satoshi:29.1.0/',
    node_blocks: waiting ? 0 : network.height,
    node_headers: waiting ? 0 : network.height,
    node_initial_block_download: false,
    node_connections: mainnet ? 24 : 0,
    node_connections_in: mainnet ? 14 : 0,
    node_connections_out: mainnet ? 10 : 0,
    node_peers: Array.from({ length: mainnet ? 24 : 0 }, (_, i) => ({
      display: `203.0.113.${i + 1}:8333`,
      ping_ms: i === 5 ? 0 : 4 + ((i * 37) % 211),
      connected_at: Math.floor(started / 1000) - i * i * 900,
    })),
    node_pruned: false,
    node_size_on_disk_bytes: mainnet ? 712_345_678_901 : 1_200_000,
    genesis_hash: '00'.repeat(16) + hex(16),
    genesis_match: !waiting,
    best_block_hash: '00'.repeat(10) + hex(22),
  };
}

function serverPage() {
  const waiting = scene === 'waiting';
  return {
    api_version: '1',
    uptime: (Date.now() - started) * 1e6,
    rpc_healthy: !waiting,
    ...(waiting && { rpc_error: 'dial tcp [address]: connection refused' }),
    rpc_disconnects: 1,
    rpc_reconnects: waiting ? 0 : 1,
    job_feed: {
      error_history: ['event: templates from devnet'],
      zmq_healthy: !waiting,
      zmq_disconnects: 0,
      zmq_reconnects: 0,
      block_height: network.height,
      block_bits: '207fffff',
      block_difficulty: network.difficulty,
      block_time: iso(templateAt),
    },
    process_goroutines: 42,
    process_cpu_percent: wobble(4, 0.3),
    go_mem_alloc_bytes: 21e6,
    go_mem_sys_bytes: 42e6,
    process_rss_bytes: 52e6,
    system_mem_total_bytes: 8.6e9,
    system_mem_free_bytes: 6.4e9,
    system_mem_used_bytes: 2.2e9,
    system_load1: wobble(0.5, 0.2),
    system_load5: 0.4,
    system_load15: 0.3,
  };
}

function poolPage() {
  return {
    api_version: '1',
    blocks_accepted: blocks.length,
    blocks_errored: 0,
    rpc_gbt_last_sec: 0.012,
    rpc_gbt_max_sec: 0.25,
    rpc_gbt_count: 77,
    rpc_submit_last_sec: 0.04,
    rpc_submit_max_sec: 0.06,
    rpc_submit_count: blocks.length,
    rpc_errors: 4,
    share_errors: 0,
    rpc_gbt_min_1h_sec: 0.008,
    rpc_gbt_avg_1h_sec: 0.015,
    rpc_gbt_max_1h_sec: 0.09,
    error_history: [{ at: iso(started), type: 'rpc', message: 'call to [address] failed' }],
  };
}

const bans = [
  {
    address: '203.0.113.7',
    since: iso(started),
    until: iso(started + 3_600_000),
    level: 1,
    reason: 'connections dropped, the last for: Invalid nonce',
    manual: false,
  },
];

function history(range) {
  if (range === '6m') return { range, step_seconds: 5, points: recent };
  const [step, count] = range === '24h' ? [300, 288] : [3600, 720];
  const points = [];
  for (let i = count; i > 0; i--) {
    const p = point(Date.now() - i * step * 1000, step);
    p.hashrate *= 1 + 0.15 * Math.sin(i / (count / 9)) - (i % 97 < 3 ? 0.5 : 0);
    points.push(p);
  }
  return { range, step_seconds: step, points };
}

// ── WebSocket, as much of RFC 6455 as sending text needs ──

const sockets = new Set();
let silent = false;

/** What was sent last, by topic: only changes go out. */
const latest = new Map();

function frame(text) {
  const body = Buffer.from(text);
  const head =
    body.length < 126
      ? Buffer.from([0x81, body.length])
      : body.length < 65_536
        ? Buffer.from([0x81, 126, body.length >> 8, body.length & 255])
        : Buffer.concat([Buffer.from([0x81, 127, 0, 0, 0, 0]), uint32(body.length)]);
  return Buffer.concat([head, body]);
}

function uint32(n) {
  const b = Buffer.alloc(4);
  b.writeUInt32BE(n);
  return b;
}

function upgrade(request, socket) {
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  const client = { socket, seq: 0 };
  const gone = () => sockets.delete(client);
  socket.on('close', gone);
  socket.on('error', gone);
  socket.on('data', (data) => {
    if ((data[0] & 15) === 8) socket.end();
  });
  sockets.add(client);
  send(client, 'snapshot', {
    overview: overview(),
    hashrate: poolHashrate(true),
    blocks: blockList(10),
    status: status(),
  });
}

function send(client, topic, data) {
  client.seq++;
  client.socket.write(frame(JSON.stringify({ seq: client.seq, topic, data })));
}

// ── time goes on ──

let next = started + blockInterval / 2;
setInterval(() => {
  for (const m of miners) {
    m.hashrate = wobble(m.hashrate, 0.006);
    if (Math.random() < 0.25) m.accepted++;
  }
  if (Date.now() > next && scene === 'demo') {
    foundBlock(Date.now());
    next = Date.now() + blockInterval * (0.5 + Math.random());
    rejected.stale += Math.random() < 0.3 ? 1 : 0;
  }
  if (Date.now() - Date.parse(recent.at(-1).at) >= 5_000) {
    recent.push(point(Date.now(), 5));
    recent.shift();
  }
  if (silent) return;
  const views = { overview: overview(), hashrate: poolHashrate(false), blocks: blockList(10) };
  for (const [topic, view] of Object.entries({ ...views, status: status() })) {
    const text = JSON.stringify(view);
    if (latest.get(topic) === text) continue;
    latest.set(topic, text);
    for (const client of sockets) send(client, topic, view);
  }
}, 1000);

// ── HTTP ──

const mime = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

async function file(path) {
  const name = normalize(path).replace(/^(\.\.[/\\])+/, '');
  try {
    return [extname(name), await readFile(join(dist, name))];
  } catch {
    return ['.html', await readFile(join(dist, 'index.html'))];
  }
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://mock');
  if (await people(request, response, url.pathname)) return;
  const routes = {
    '/api/overview': overview,
    '/api/pool-hashrate': () => poolHashrate(url.searchParams.get('include_history') === '1'),
    '/api/blocks': () => blockList(Number(url.searchParams.get('limit') ?? 10)),
    '/api/status': status,
    '/api/node': nodePage,
    '/api/server': serverPage,
    '/api/pool-page': poolPage,
    '/api/bans': () => ({ api_version: '1', bans }),
    '/api/history': () => history(url.searchParams.get('range') ?? '6m'),
  };
  const answer = await answerOperator(request, url);
  if (answer) {
    const type = answer.value === undefined ? 'text/plain' : 'application/json';
    response
      .writeHead(answer.status, { 'Content-Type': type, 'Cache-Control': 'no-store' })
      .end(answer.value === undefined ? `${answer.text}\n` : JSON.stringify(answer.value));
    return;
  }
  const view = routes[url.pathname];
  if (view && scene === 'error') {
    response.writeHead(500, { 'Content-Type': 'text/plain' }).end('internal error\n');
  } else if (view) {
    response
      .writeHead(200, {
        'Content-Type': 'application/json',
        'Cache-Control': 'no-cache, no-store, must-revalidate',
      })
      .end(JSON.stringify(view()));
  } else if (url.pathname === '/mock/cut') {
    for (const { socket } of sockets) socket.destroy();
    response.end('cut\n');
  } else if (url.pathname === '/mock/silence') {
    silent = !silent;
    response.end(`silent: ${silent}\n`);
  } else {
    const [ext, body] = await file(url.pathname === '/' ? 'index.html' : url.pathname);
    response
      .writeHead(200, {
        'Content-Type': mime[ext] ?? 'application/octet-stream',
        'Content-Security-Policy': "default-src 'self'",
        'Content-Encoding': 'gzip',
      })
      .end(gzipSync(body));
  }
});
server.on('upgrade', (request, socket) => {
  if (request.url !== '/api/live' || scene === 'error') socket.destroy();
  else upgrade(request, socket);
});
server.listen(Number(args.port), '127.0.0.1', () => {
  console.log(`mock (${scene}) on http://127.0.0.1:${server.address().port}`);
});
