// Words of states, statuses, numbers and times. States and their colours are those of the HTML
// report, which the server hands over in states.js.
import { states } from './states.js';

const urgencies = new Map(states.map((s, rank) => [s.slug, { ...s, rank }]));

// Which state of the API is which of the report; scanner/report/internal/wording decides in the
// same way.
const slugs = {
  live: 'live', 'id-active-secret-mismatch': 'id-live', unknown: 'unknown', 'not-verifiable': 'unverifiable',
  'canary-suspected': 'canary', expired: 'expired', invalid: 'invalid',
};

// slugOf returns the class of the state of a row.
export function slugOf(row) {
  if (row.state === 'live' && row.user_kind === 'root') return 'root';
  if (row.state === 'skipped') return row.skipped === 'id-only' ? 'lone' : 'unverified';
  return slugs[row.state] ?? 'unknown';
}

// wordOf returns how the state of a row is written.
export const wordOf = (slug) => urgencies.get(slug)?.word ?? 'UNKNOWN';

export const isLive = (row) => row.state === 'live';

// statuses are those of triage, with their words.
export const statuses = [
  ['open', 'open'], ['acknowledged', 'acknowledged'], ['false-alarm', 'false alarm'], ['shut-off', 'shut off'], ['fixed', 'fixed'],
];

const statusWords = new Map(statuses);
export const statusWord = (status) => statusWords.get(status) ?? status ?? '';

// number writes 24154 as 24,154.
export const number = (n) => Number(n).toLocaleString('en');

// plural writes "1 repository" and "2,000 repositories".
export function plural(n, noun) {
  if (n === 1) return '1 ' + noun;
  return number(n) + ' ' + (noun.endsWith('ry') ? noun.slice(0, -1) + 'ies' : noun + 's');
}

// span writes a number of seconds as people say it: 40 s, 12 min, 5 h, 3 days.
export function span(seconds) {
  const s = Math.max(0, seconds);
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 90 * 60) return `${Math.round(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.round(s / 3600)} h`;
  return plural(Math.round(s / 86400), 'day');
}

// isTime reports whether the API knows a time: Go's zero time is none.
export const isTime = (text) => Boolean(text) && !text.startsWith('0001-');

// age writes how long ago a time is, by the clock of the server.
export const age = (text, now) => span((now - Date.parse(text)) / 1000);

// day and minute write a time of UTC.
export const day = (text) => (isTime(text) ? new Date(text).toISOString().slice(0, 10) : '');
export const minute = (text) => (isTime(text) ? new Date(text).toISOString().slice(0, 16).replace('T', ' ') : '');

// repoName is the name of a repository for people: owner/name of an address, else repo.
export function repoName(repo) {
  try {
    const u = new URL(repo);
    return decodeURI(u.pathname).replace(/^\/+|\/+$/g, '').replace(/\.git$/, '') || repo;
  } catch {
    return repo ?? '';
  }
}
