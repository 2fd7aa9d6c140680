// The top of the page: whether anything is live that nobody works on, what is new, how old the data
// is, and where the findings are.
import { el, fill, foreign, svg } from './dom.js';
import { link } from './filters.js';
import { age, isTime, minute, number, plural, span } from './words.js';
import { read } from './summary.js';

const shown = 8; // repositories, and owners

// a returns a link to a view. The numbers here are of all targets, and so are the views.
const a = (filter, ...children) => el('a', { href: link(filter) }, ...children);

// overview shows a summary.
export function overview(summary, page) {
  const s = read(summary);
  const now = page.now();
  fill(document.getElementById('age'), swept(s, now));
  headline(s);
  fill(document.getElementById('tiles'), tiles(s));
  fill(document.getElementById('swept'), missed(s));
  document.getElementById('now').hidden = false;
  const shares = document.getElementById('shares');
  const parts = [
    share('By repository', 'repository', s.repositories),
    share('By owner', 'owner', s.owners),
    time(s, now),
  ].filter(Boolean);
  shares.hidden = parts.length === 0;
  fill(shares, parts);
  document.title = (s.nobodys > 0 ? `(${number(s.nobodys)}) ` : '') + (page.filter.target || 'Findings') + ' – stanch';
}

// headline answers: is anything live that nobody works on?
function headline(s) {
  const box = document.getElementById('now');
  const known = s.failed + s.due === 0 && s.targets.length > 0; // unread is never clean
  const calm = s.nobodys > 0 ? 'alarm' : s.live + s.unknown > 0 || !known ? 'watched' : 'calm';
  box.className = 'now ' + calm;
  const h1 = document.getElementById('h-now');
  const about = document.getElementById('now-about');
  const keys = (n) => (n === 1 ? '1 key is' : `${number(n)} keys are`);
  if (s.nobodys > 0) fill(h1, `${keys(s.nobodys)} live, and nobody works on ${s.nobodys === 1 ? 'it' : 'them'}`);
  else if (s.live > 0) fill(h1, `${keys(s.live)} live, and somebody works on ${s.live === 1 ? 'it' : 'each of them'}`);
  else if (s.total === 0 && s.running) fill(h1, 'The first sweep still runs');
  else if (s.total === 0) fill(h1, s.targets.length === 0 ? 'Nothing is swept yet' : 'Nothing is found');
  else fill(h1, 'No key is known to be live');
  if (s.targets.length === 0) fill(about, 'Name an owner or a repository to sweep: ', el('code', { class: 'cmd' }, 'stanch sweep add OWNER'));
  else if (s.total === 0) fill(about, s.running ? 'Findings come as repositories are read.' : 'No leaked credential is known in the repositories that were read.');
  else {
    fill(about, `${plural(s.live, 'key')} of ${plural(s.total, 'finding')} ${s.live === 1 ? 'was' : 'were'} live when AWS was last asked`,
      s.worked > 0 && [', ', a({ state: 'live' }, `${number(s.worked)} with an owner or a status`)], '.');
  }
}

function tiles(s) {
  const tile = (kind, n, words, filter) => el('li', { class: kind + (n === 0 ? ' none' : '') }, a(filter, el('b', {}, number(n)), ' ' + words));
  return [
    tile('nobody', s.nobodys, 'live, nobody’s', { state: 'live', status: 'open', owner: '-' }),
    tile('live', s.live, 'live', { state: 'live' }),
    s.freshLive > 0 && tile('live', s.freshLive, 'live and new since yesterday', { state: 'live', since: '1d' }),
    tile('new', s.fresh, 'new since yesterday', { since: '1d' }),
    s.unknown > 0 && tile('unknown', s.unknown, 'unknown: take them for live', { state: 'unknown,id-active-secret-mismatch' }),
  ];
}

// sweptAgo says whether a first sweep still runs.
export const sweptAgo = (summary) => ({ running: summary ? read(summary).running : false });

// swept says how old the data is, by target.
function swept(s, now) {
  return s.targets.map((t, i) => [i > 0 && ' · ', foreign(t.name), ' ', state(t, now)]).flat();
}

function state(t, now) {
  if (isTime(t.ended)) {
    return [el('time', { datetime: t.ended, title: minute(t.ended), class: t.late ? 'late' : undefined }, `swept ${age(t.ended, now)} ago`), t.running && ', a sweep runs'];
  }
  return t.running ? el('span', { class: 'late' }, 'the first sweep runs') : el('span', { class: 'late' }, 'not swept yet');
}

function missed(s) {
  const parts = [];
  if (s.due > 0) parts.push(el('p', {}, `The sweep has yet to look at ${plural(s.due, 'repository')}.`));
  if (s.failed > 0) {
    parts.push(el('p', { class: 'bad' }, `${plural(s.failed, 'repository')} could not be read: there may be more leaks in ${s.failed === 1 ? 'it' : 'them'}. `,
      el('a', { href: '/report.html' }, 'See why in the report')));
  }
  return parts;
}

// share lists the names with the most live and open findings.
function share(title, field, list) {
  if (list.length === 0) return null;
  const most = Math.max(...list.map((x) => x.open), 1);
  const rows = list.slice(0, shown).map((x) => {
    const width = (n) => ((n / most) * 100).toFixed(2);
    return el('tr', {},
      el('th', { scope: 'row' }, x.name === '' ? a({ owner: '-' }, 'nobody') : a({ [field]: x.name }, foreign(x.name))),
      el('td', { class: 'num' }, x.live > 0 ? el('b', {}, number(x.live)) : '0'), el('td', { class: 'num' }, number(x.open)),
      el('td', { class: 'bar' }, svg('svg', { viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        svg('rect', { class: 'rest', width: width(x.open), height: 8 }), svg('rect', { width: width(x.live), height: 8 }))));
  });
  return el('section', {}, el('h2', {}, title), el('table', {},
    el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, field === 'owner' ? 'Owner' : 'Repository'), el('th', { scope: 'col', class: 'num' }, 'Live'), el('th', { scope: 'col', class: 'num' }, 'Open'), el('td', {}))),
    el('tbody', {}, rows)),
  list.length > shown && el('p', { class: 'dim' }, `The ${shown} with most live keys. The filter finds all.`));
}

const width = 400;
const top = 140;

// time draws the live keys of each day, and says how long it took to shut keys off.
function time(s, now) {
  const facts = el('dl', { class: 'facts' });
  const fact = (name, value) => { if (value !== null && value !== undefined) facts.append(el('dt', {}, name), el('dd', {}, value)); };
  if (s.off.count > 0) {
    fact('time to shut off', `half within ${span(s.off.p50_seconds)}, nine of ten within ${span(s.off.p90_seconds)} (${plural(s.off.count, 'key')})`);
  }
  if (s.oldest) fact('oldest live key', `known for ${age(s.oldest, now)}`);
  const chart = s.trend.some((d) => d.live > 0) ? trend(s.trend) : null;
  if (!chart && facts.children.length === 0) return null;
  return el('section', {}, el('h2', {}, 'Over time'), chart, facts);
}

function trend(days) {
  const counts = days.map((d) => d.live);
  const most = Math.max(1, ...counts);
  const step = width / counts.length;
  let line = '';
  counts.forEach((n, i) => {
    const y = (top - (n * (top - 20)) / most).toFixed(1);
    line += (i === 0 ? `M0 ${y}` : `V${y}`) + `H${((i + 1) * step).toFixed(1)}`;
  });
  const last = days.at(-1);
  const says = `Live keys that were known at the end of each day, from ${days[0].day} to ${last.day}: ${number(last.live)} now, at most ${number(Math.max(...counts))}.`;
  return el('figure', {}, svg('svg', { class: 'chart', viewBox: `0 0 ${width} ${top + 24}`, role: 'img', 'aria-label': says },
    svg('line', { class: 'grid', x1: 0, x2: width, y1: 20, y2: 20 }), label(0, 14, number(most)),
    svg('path', { class: 'area', d: `${line}V${top}H0Z` }), svg('path', { class: 'line', d: line }),
    svg('line', { class: 'axis', x1: 0, x2: width, y1: top, y2: top }), label(0, top + 18, days[0].day), label(width, top + 18, last.day, 'end')),
  el('figcaption', {}, says));
}

const label = (x, y, text, anchor) => svg('text', { x, y, 'text-anchor': anchor }, text);
