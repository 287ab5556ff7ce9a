import type { Socket } from '../api/live';
import { socketProtocols } from './client';

function connect(path: string): Socket {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(`${scheme}//${location.host}${path}`, socketProtocols()) as Socket;
}

/** Opens the browser's own WebSocket for the messages of one session, or of all. */
export function connectMessages(session: string | undefined): Socket {
  return connect(`/api/ws${session ? `?session_id=${encodeURIComponent(session)}` : ''}`);
}

/** Opens the browser's own WebSocket for what the fleet's agents tell. */
export function connectAgents(): Socket {
  return connect('/api/ws/agents');
}
