/** An answer that was not 2xx; `message` is the server's plain text. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
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
  if (!response.ok) {
    const text = (await response.text()).trim();
    throw new ApiError(response.status, text === '' ? response.statusText : text);
  }
  return (await response.json()) as T;
}

/** An error in words for people. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) return `The server answered ${error.status}: ${error.message}`;
  if (error instanceof TypeError) return 'The server does not answer.';
  return error instanceof Error ? error.message : String(error);
}
