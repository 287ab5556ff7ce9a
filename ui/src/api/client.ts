import { sentence } from '../lib/format';

/** An answer that was not 2xx; `message` is the server's plain text. */
export class ApiError extends Error {
  readonly status: number;
  /** Seconds to wait before asking again (Retry-After); undefined where the server does not say. */
  readonly retryAfter: number | undefined;

  constructor(status: number, message: string, retryAfter?: number) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const text = (await response.text()).trim();
  const wait = Number(response.headers.get('Retry-After') ?? NaN);
  return new ApiError(
    response.status,
    text === '' ? response.statusText : text,
    Number.isFinite(wait) && wait >= 0 ? wait : undefined,
  );
}

/**
 * Fetches a JSON view, as the holder of a token where one is given. Rejects
 * with ApiError, or TypeError when nobody answers.
 */
export async function fetchJSON<T>(path: string, signal?: AbortSignal, token = ''): Promise<T> {
  const response = await fetch(path, {
    headers: {
      Accept: 'application/json',
      ...(token !== '' && { Authorization: `Bearer ${token}` }),
    },
    ...(signal && { signal }),
  });
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

/**
 * Sends or changes something as whoever is signed in, by the session's cookie;
 * as the holder of a token besides where one is given. The answer's body is
 * undefined where there is none. Rejects like fetchJSON.
 */
export async function sendJSON<T>(
  method: 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
  token = '',
): Promise<T> {
  const response = await fetch(path, {
    method,
    headers: {
      Accept: 'application/json',
      ...(token !== '' && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw await refusal(response);
  const text = await response.text();
  return (text.trim() === '' ? undefined : JSON.parse(text)) as T;
}

/** Whether an error says that this is not for whoever asked. */
export function isRefused(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 403);
}

/** An error in words for people. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) return `The server answered ${error.status}: ${error.message}`;
  if (error instanceof TypeError) return 'The server does not answer.';
  return error instanceof Error ? error.message : String(error);
}

/** Answers whose text is meant for whoever asked: what was wrong with what they sent, or why not now. */
const FOR_PEOPLE = new Set([400, 403, 404, 409, 413, 422, 429]);

/** An error in words for people, the server's own where it says what was wrong with a request. */
export function refusalText(error: unknown): string {
  if (error instanceof ApiError && FOR_PEOPLE.has(error.status)) return sentence(error.message);
  return errorText(error);
}
