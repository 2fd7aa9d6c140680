// The page: it puts the parts together, and asks for the newest data each minute.
import { el, fill, foreign, say } from './dom.js';
import { Failed, address, get, leave } from './api.js';
import { Filter, begin, link, query, read } from './filters.js';
import { List } from './list.js';
import { Bar } from './triage.js';
import { listen } from './keys.js';
import { load } from './details.js';
import { overview, sweptAgo } from './overview.js';
import { age } from './words.js';

const every = 60_000;

const page = {
  me: { name: '', role: 'reader' },
  may: { triage: false },
  filter: read(),
  ahead: 0, // how far the clock of the server is before that of this machine
  good: 0, // when the server last gave its data
  summary: null,

  now: () => Date.now() + page.ahead,

  selection: () => page.list.selection(),

  // failed shows why there is nothing new. A quiet error is shown elsewhere already.
  failed(err, quiet = false) {
    if (err.name === 'AbortError') return;
    if (!err.kind) throw err;
    if (quiet && err.kind !== 'offline' && err.kind !== 'signed-out') return;
    notice(err);
  },

  // changed loads rows again after they were changed here, or by somebody else.
  async changed(rows, conflict = false) {
    await refresh();
    for (const row of rows) if (row.open && !(conflict && row.editor)) await load(row, page);
    page.bar.show(page.selection());
  },
};

function notice(err) {
  const box = document.getElementById('notice');
  box.hidden = !err;
  if (!err) {
    fill(box);
    return;
  }
  const old = page.good ? ` The page shows the data of ${age(new Date(page.good).toISOString(), Date.now())} ago.` : '';
  if (err.kind === 'signed-out') fill(box, `The sign-in has ended.${old} `, el('a', { href: location.pathname + location.search }, 'Sign in again'));
  else if (err.kind === 'offline') fill(box, `The server does not answer.${old} It is asked again each minute. `, el('button', { type: 'button', on: { click: refresh } }, 'Ask now'));
  else if (err.kind === 'gone') fill(box, err.message);
  else if (err.kind === 'forbidden') fill(box, 'You are signed in, and may not read the findings.');
  else fill(box, 'The server could not do that: ', foreign(err.message), ' ', el('button', { type: 'button', on: { click: refresh } }, 'Ask again'));
}

// show takes the filter to the address and the list. A replaced address is no step of the history
// of the browser: a filter that is being typed is one step.
async function show(filter, replace = false) {
  page.filter = { after: '', ...filter };
  const to = link(page.filter) + (replace ? location.hash : '');
  if (link(read()) !== link(page.filter)) history[replace ? 'replaceState' : 'pushState'](null, '', to);
  await apply();
}

async function apply() {
  const filtered = page.form.show(page.filter);
  const params = query(page.filter, page.now());
  for (const kind of ['csv', 'json']) {
    const a = document.getElementById(kind);
    a.setAttribute('href', address('findings.' + kind, { ...params, sort: undefined }));
  }
  const done = await page.list.show(params, page.filter.after);
  if (!done) return;
  page.good = Date.now();
  empty(filtered);
  document.getElementById('found').hidden = false;
  say(document.getElementById('shown').textContent);
}

// empty says why there is nothing in the list.
function empty(filtered) {
  const none = document.getElementById('none');
  if (filtered) fill(none, 'No finding matches the filter. ', el('a', { href: '/' }, 'Show all'));
  else fill(none, sweptAgo(page.summary, page.now()).running ? 'Nothing is found so far: the first sweep still runs.' : 'Nothing is found.');
}

async function summarize() {
  const since = begin('1d', page.now());
  const summary = await get('summary', { new_since: since });
  page.summary = summary;
  page.list.since = Date.parse(since);
  overview(summary, page);
  page.ahead = Date.parse(summary.at) - Date.now();
  page.form.offer({
    targets: summary.as_of.map((t) => t.name), owners: summary.owners.map((o) => o.name).filter(Boolean), repositories: summary.repositories.map((r) => r.name),
  });
}

let refreshing = null;

// refresh asks for the newest data, once at a time.
function refresh() {
  refreshing ??= (async () => {
    try {
      await Promise.all([summarize(), page.list.parts.length === 0 ? apply() : page.list.refresh()]);
      page.good = Date.now();
      notice(null);
    } catch (err) {
      page.failed(err);
    } finally {
      refreshing = null;
    }
  })();
  return refreshing;
}

// Nobody sees a hidden tab: it asks when it is shown again, if a minute has passed.
setInterval(() => { if (!document.hidden && Date.now() - page.good >= every) refresh(); }, 5000);
document.addEventListener('visibilitychange', () => { if (!document.hidden && Date.now() - page.good >= every) refresh(); });

// follow opens the finding of the address. One that the filter does not show stands alone, above the list.
async function follow() {
  const id = /^#f-([0-9a-f]{32})$/.exec(location.hash)?.[1];
  if (!id) return;
  if (!page.list.rows.has(id)) {
    try {
      page.list.lead(await get('findings/' + id));
    } catch (err) {
      notice(err.kind === 'missing' ? new Failed('gone', 'The finding of the link is gone: no repository that is swept has it any more.') : err);
      return;
    }
  }
  const row = page.list.rows.get(id);
  if (!row.open) page.list.toggle(row);
  page.list.focus(row);
}

function start() {
  page.form = new Filter((filter) => show(filter, true));
  page.list = new List({
    now: page.now, failed: page.failed, details: (row) => load(row, page), selected: (rows) => page.bar.show(rows),
    opened: (row) => {
      const hash = row.open ? '#' + row.el.id : '';
      history.replaceState(null, '', location.pathname + location.search + hash);
    },
    goOn: (after) => {
      show({ ...page.filter, after });
      document.getElementById('findings').scrollIntoView();
    },
  });
  page.bar = new Bar(page);
  const me = get('me').then((me) => {
    page.me = me;
    page.may.triage = me.role === 'triager';
    page.list.may = page.may;
    fill(document.getElementById('me'), me.name && [foreign(me.name), page.may.triage ? '' : ' (reads only)',
      me.session && [' ', el('button', { type: 'button', id: 'leave', on: { click: () => leave().catch((err) => page.failed(err)) } }, 'Sign out')]]);
  });
  // The rows come first, and need to know what the reader may do. The counts take longer: a file of
  // SQLite answers one question at a time.
  me.then(apply).then(follow).then(summarize).then(() => {
    empty(link(page.filter) !== '/');
    page.list.retag();
  }).catch((err) => page.failed(err));
  addEventListener('popstate', () => { page.filter = read(); apply().then(follow); });
  document.addEventListener('click', (e) => {
    const a = e.target.closest('a[href^="?"], a.reset, a[href="/"]');
    if (!a || e.ctrlKey || e.metaKey || e.shiftKey || e.button !== 0) return;
    e.preventDefault();
    history.pushState(null, '', a.getAttribute('href'));
    page.filter = read();
    apply();
    document.getElementById('found').scrollIntoView({ block: 'start' });
  });
  document.getElementById('print').addEventListener('click', () => print());
  listen({
    search: () => page.form.form.elements.q.select(),
    next: () => page.list.move(1),
    previous: () => page.list.move(-1),
    select: () => { const row = page.list.current(); if (row && page.may.triage) page.list.picked(row, !row.pick.checked); },
    refresh,
    escape: (typing) => {
      const row = page.list.current();
      if (row?.open) { page.list.toggle(row); page.list.focus(row); } else if (page.selection().length > 0) page.list.pickAll(false);
      else if (typing && document.activeElement.name === 'q') { document.activeElement.value = ''; show(page.form.value(), true); } else document.activeElement.blur();
    },
  });
}

start();
