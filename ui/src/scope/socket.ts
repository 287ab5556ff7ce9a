import type { Socket } from '../api/live';
import { socketProtocols } from './client';

/** Opens the browser's own WebSocket for the messages of one session, or of all. */
export function connectMessages(session: string | undefined): Socket {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const query = session ? `?session_id=${encodeURIComponent(session)}` : '';
  return new WebSocket(`${scheme}//${location.host}/api/ws${query}`, socketProtocols()) as Socket;
}
