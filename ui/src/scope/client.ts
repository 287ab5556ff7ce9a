import { ApiError } from '../api/client';
import { isOperatorSignedIn } from '../api/session';
import { askForToken, readingNeedsToken, readToken, token } from './access';

/** Something was not done since the reader closed the dialog that asked for the token. */
export class NotAllowed extends Error {
  constructor() {
    super('Nothing was sent: that is for operators, or with the access token.');
    this.name = 'NotAllowed';
  }
}

/** An error's text: the API tells `{"detail": text}`, or a list of what is wrong. */
export function detailText(body: string, fallback: string): string {
  let detail: unknown;
  try {
    detail = (JSON.parse(body) as { detail?: unknown }).detail;
  } catch {
    return body.trim() === '' ? fallback : body.trim();
  }
  if (typeof detail === 'string') return detail;
  if (!Array.isArray(detail)) return fallback;
  const problems = detail as { loc?: (string | number)[]; msg?: string }[];
  return problems.map((p) => `${p.loc?.at(-1) ?? ''}: ${p.msg ?? ''}`).join('; ');
}

async function refusal(response: Response): Promise<ApiError> {
  const text = detailText(await response.text(), response.statusText);
  return new ApiError(response.status, text);
}

/** Whether an answer says that a token is missing or wrong. */
function wantsToken(response: Response): boolean {
  return response.status === 401;
}

function headers(secret: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    Accept: 'application/json',
    ...(secret !== '' && { Authorization: `Bearer ${secret}` }),
    ...more,
  };
}

/**
 * Reads. On this machine that needs no token; where it does, it is asked for
 * once, and then sent along.
 */
export async function read(path: string, signal?: AbortSignal): Promise<Response> {
  for (;;) {
    const secret = readToken();
    const response = await fetch(path, { headers: headers(secret), ...(signal && { signal }) });
    if (response.ok) return response;
    if (!wantsToken(response)) throw await refusal(response);
    if (secret === '' && token() !== '') {
      readingNeedsToken();
      continue;
    }
    if (readToken() !== secret) continue; // given meanwhile
    if (!(await askForToken({ reason: 'read', wrong: secret !== '' })))
      throw await refusal(response);
    readingNeedsToken();
  }
}

export async function readJSON<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await read(path, signal)).json()) as T;
}

/**
 * Sends or changes something: as the operator who is signed in, or with the
 * token, which is asked for when it is not known.
 */
export async function send<T>(
  method: 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<T> {
  let asks = token() === '' && !isOperatorSignedIn();
  for (;;) {
    if (asks && !(await askForToken({ reason: 'send', wrong: token() !== '' }))) {
      throw new NotAllowed();
    }
    const response = await fetch(path, {
      method,
      headers: headers(token(), body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (response.ok) return (await response.json()) as T;
    if (!wantsToken(response)) throw await refusal(response);
    asks = true;
  }
}

/** Subprotocols of a WebSocket: pages cannot set headers, so the token goes there. */
export function socketProtocols(): string[] {
  const secret = readToken();
  if (secret === '') return ['poolscope'];
  const bytes = new TextEncoder().encode(secret);
  const base64 = btoa(String.fromCharCode(...bytes));
  const url = base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  return ['poolscope', `bearer.${url}`];
}
