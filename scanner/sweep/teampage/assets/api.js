// Asks the API of the server. An answer is JSON, or an error of one of a few kinds.

const base = '/api/v1/';

// A Failed says why the server did not do what was asked. Its kind is "offline" (no answer),
// "signed-out", "forbidden", "conflict" (somebody else changed the finding), "refused" (what was sent
// is wrong, and message says how), "missing" or "broken".
export class Failed extends Error {
  constructor(kind, message, problem = {}) {
    super(message);
    this.kind = kind;
    this.problem = problem;
  }
}

const kinds = { 401: 'signed-out', 403: 'forbidden', 404: 'missing', 409: 'conflict', 412: 'conflict', 400: 'refused', 413: 'refused', 415: 'refused', 422: 'refused' };

// address returns the address of path with those of params that are set.
export function address(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of [value].flat()) if (one !== undefined && one !== null && one !== '') query.append(name, one);
  }
  const text = query.toString();
  return base + path + (text ? '?' + text : '');
}

async function ask(url, options) {
  let r;
  try {
    // A proxy that wants a new sign-in redirects to its own page.
    r = await fetch(url, { credentials: 'same-origin', redirect: 'manual', cache: 'no-store', ...options });
  } catch (err) {
    if (err.name === 'AbortError') throw err;
    throw new Failed('offline', 'The server does not answer.');
  }
  if (r.type === 'opaqueredirect') throw new Failed('signed-out', 'The sign-in has ended.');
  let body = null;
  if (/json/.test(r.headers.get('Content-Type') ?? '')) {
    try {
      body = await r.json();
    } catch (err) {
      if (err.name === 'AbortError') throw err;
      throw new Failed('broken', 'The answer of the server broke off.');
    }
  } else if (r.ok && r.status !== 204) {
    throw new Failed('signed-out', 'The server answered with another page: the sign-in may have ended.');
  }
  if (r.ok) return body;
  // This server says why in JSON. Without it a proxy answers: oauth2-proxy does so with 403 and its own page.
  if (r.status === 403 && !body) throw new Failed('signed-out', 'The sign-in has ended.');
  const kind = kinds[r.status] ?? (r.status >= 502 && r.status <= 504 ? 'offline' : 'broken');
  throw new Failed(kind, body?.detail || body?.title || `The server answered ${r.status}.`, body ?? {});
}

// get asks for path.
export const get = (path, params, signal) => ask(address(path, params), { signal });

// post sends body as JSON: a form of another site cannot.
export const post = (path, body) => ask(base + path, { method: 'POST', headers: { 'Content-Type': 'application/json', 'Stanch-Client': 'page' }, body: JSON.stringify(body) });

// leave ends the session, and leads to the sign-in. Without an answer the session may go on.
export async function leave() {
  let r;
  try {
    r = await fetch('/sign-out', { method: 'POST', credentials: 'same-origin', redirect: 'manual' });
  } catch {
    throw new Failed('offline', 'The server does not answer.');
  }
  if (r.type !== 'opaqueredirect') throw new Failed('broken', `The server answered ${r.status}: you may still be signed in.`);
  location.assign('/sign-in');
}
