// The details of a finding: the command that shuts it off, its places, the work on it, its history.
import { append, copyable, el, fill, foreign, quoted } from './dom.js';
import { get } from './api.js';
import { day, isLive, isTime, minute, number, plural, repoName, statusWord } from './words.js';
import { form } from './triage.js';

const shownPlaces = 50;

// load asks for the finding of row and shows it. A form in which the reader has begun to write
// stays as it is.
export async function load(row, page) {
  if (!row.more.hasChildNodes()) row.more.append(el('p', { class: 'dim' }, 'Loading…'));
  const asked = (row.asked = (row.asked ?? 0) + 1);
  let found;
  try {
    found = await get('findings/' + encodeURIComponent(row.data.fingerprint));
  } catch (err) {
    if (asked === row.asked) {
      fill(row.more, el('p', {}, err.kind === 'missing' ? 'It is gone: no repository that is swept has it any more.' : err.message, ' ',
        el('button', { type: 'button', on: { click: () => load(row, page) } }, 'Try again')));
    }
    page.failed(err, true);
    return;
  }
  if (asked !== row.asked) return;
  show(row, found, page);
}

function show(row, found, page) {
  const f = found.finding ?? found;
  const editor = row.editor?.isDirty() ? row.editor : null;
  const left = el('div', {}, advice(row, found, f), places(f), history(found));
  const right = el('div', {});
  if (page.may.triage) {
    row.editor = editor ?? form([row], page);
    append(right, el('h3', { class: 'form' }, 'Work on it'), row.editor.el);
  }
  append(right, el('h3', {}, 'Known'), known(row, f));
  row.more.replaceChildren(left, right);
}

// advice shows the commands of the API.
function advice(row, found, f) {
  const commands = found.commands ?? [];
  if (commands.length === 0) return null;
  return [
    el('h3', {}, isLive(row.data) ? 'Shut it off' : 'Commands'),
    commands.map((c) => copyable(c, 'cmd', 'the command')),
    f.ignored && el('p', { class: 'dim' }, 'Ignored: ', foreign(f.ignored)),
  ];
}

function places(f) {
  const list = f.locations ?? [];
  const all = list.length + (f.locations_omitted ?? 0);
  const items = list.map(place);
  const rest = items.splice(shownPlaces);
  const ul = el('ul', { class: 'places' }, items);
  const button = rest.length > 0 && el('button', { type: 'button', on: { click: () => { ul.append(...rest); button.remove(); } } }, `Show ${number(rest.length)} more`);
  return [el('h3', {}, plural(all, 'place')), ul, button, f.locations_omitted > 0 && el('p', { class: 'dim' }, `${number(f.locations_omitted)} more are in the database.`)];
}

function place(l) {
  const at = (l.path || l.ref || l.kind || '') + (l.line ? ':' + l.line : '');
  const about = [l.commit && 'commit ' + l.commit.slice(0, 10), [l.author, l.email].filter(Boolean).join(' '), isTime(l.time) && 'committed ' + day(l.time),
    l.at_head === false ? 'only in history' : l.at_head && 'still at HEAD', l.ignored && 'ignored: ' + l.ignored].filter(Boolean);
  const address = pageOf(l);
  return el('li', {},
    el('span', { class: 'repo' }, foreign(repoName(l.repo))), ' ',
    address ? el('a', { href: address, target: '_blank', rel: 'noreferrer noopener' }, foreign(at)) : foreign(at),
    el('span', { class: 'dim' }, about.map((text, i) => [i > 0 && ' · ', foreign(text)]).flat()));
}

// pageOf returns the page of GitHub that shows a place, or "": the rules are those of the HTML report
// (scanner/report/html/markup.go).
export function pageOf(l) {
  let u;
  try { u = new URL(l.repo); } catch { return ''; }
  if (!/^https?:$/.test(u.protocol) || u.username || u.password) return '';
  try {
    const text = new URL(l.path); // an issue, a comment, a release
    if (text.host === u.host && /^https?:$/.test(text.protocol) && !text.username && !text.password) return text.origin + text.pathname + text.hash;
  } catch { /* a path is no address */ }
  if (!/^[0-9a-f]{40,64}$/.test(l.commit ?? '')) return '';
  const repo = u.origin + u.pathname.replace(/\/+$/, '').replace(/\.git$/, '');
  if (l.kind === 'commit') return `${repo}/commit/${l.commit}`;
  const [name, member] = (l.path ?? '').split('!');
  if (l.kind !== 'blob' || !name || name.split('/').some((p) => p === '' || p === '.' || p === '..') || quoted(name) !== name || /\[redacted[\] ]/.test(name)) return '';
  return `${repo}/blob/${l.commit}/${name.split('/').map(encodeURIComponent).join('/')}${l.line && member === undefined ? '#L' + l.line : ''}`;
}

const risks = ['', 'worth knowing', 'bad', 'act now'];

function known(row, f) {
  const dl = el('dl', {});
  const field = (name, value) => { if (value) dl.append(el('dt', {}, name), el('dd', {}, value)); };
  const id = f.identity ?? {};
  const at = (t) => isTime(t) && el('time', { datetime: t }, minute(t));
  field('why', f.reason && foreign(f.reason));
  field('not ignored, since it is live', f.overruled && foreign(f.overruled));
  field('account', f.account && foreign(f.account));
  field('identity', (id.kind || id.name) && foreign([id.kind, id.name].filter(Boolean).join(' ')));
  field('arn', id.arn && foreign(id.arn));
  for (const x of (f.facts ?? []).toSorted((a, b) => (b.risk ?? 0) - (a.risk ?? 0))) {
    const risk = Math.min(Math.max(x.risk ?? 0, 0), 3);
    dl.append(el('dt', {}, foreign(x.name)), el('dd', { class: 'risk' + risk }, foreign(x.value), risks[risk] && [' ', el('span', { class: 'tag' }, risks[risk])]));
  }
  field('AWS was asked', at(f.verified_at));
  field('first seen', at(f.history?.first_seen ?? row.data.first_seen));
  field('last seen', at(f.history?.last_seen));
  field('gone from HEAD', at(f.history?.gone_since));
  field('dead since', at(f.history?.dead_since));
  field('rule', f.rule && foreign(f.rule));
  field('fingerprint', copyable(row.data.fingerprint, 'id', 'the fingerprint'));
  return dl;
}

// history lists the changes of state and those by people, the newest first.
function history(found) {
  const events = [...(found.states ?? []), ...(found.changes ?? [])];
  if (events.length === 0) return null;
  const items = events.toSorted((a, b) => (a.at < b.at ? 1 : -1)).map((e) => el('li', {},
    el('time', { datetime: e.at }, minute(e.at)), ' ', e.who && [el('b', {}, foreign(e.who)), ' '], said(e),
    e.comment && el('q', {}, foreign(e.comment)), e.why && foreign(e.why), e.reason && el('span', { class: 'dim' }, foreign(e.reason)), e.via && el('span', { class: 'dim' }, ` (${viaWord[e.via] ?? ''})`)));
  return [el('h3', {}, 'History'), el('ol', { class: 'events' }, items)];
}

const viaWord = { cli: 'at the command line', page: 'on the page', api: 'by the API', sweep: 'by a sweep', time: 'by itself' };

function said(e) {
  const parts = [];
  if (e.state) parts.push(el('span', {}, 'AWS: ', foreign(e.state)));
  if (e.status) parts.push(el('span', {}, statusWord(e.status)));
  if (e.status) parts.push(e.owner ? el('span', {}, 'owner ', foreign(e.owner)) : el('span', {}, 'no owner'));
  if (isTime(e.until)) parts.push('until ' + day(e.until));
  return [parts.flatMap((p, i) => (i > 0 ? [', ', p] : [p])), ' '];
}
