'use strict';
// Filters, orders, opens and copies what the page holds. It adds no text of its own but how
// much of it is shown, and its buttons, and sends nothing anywhere.
(() => {
  const list = document.getElementById('list');
  const form = document.getElementById('filter');
  const keys = document.getElementById('keys');
  for (const e of document.querySelectorAll('.js')) e.hidden = false;

  const rows = list ? Array.from(list.querySelectorAll(':scope > ol > li'), (el) => ({
    el, details: el.firstElementChild, text: null,
    past: el.dataset.h.split(' '), repos: el.dataset.r.split(' '), account: el.dataset.a, rule: el.dataset.u,
    time: Number(el.dataset.t), places: Number(el.dataset.n), state: el.className,
  })) : [];
  rows.forEach((row, i) => { row.rank = i; });
  const byElement = new Map(rows.map((row) => [row.el, row]));
  const byId = new Map(rows.map((row) => [row.el.id, row]));
  let order = rows;
  let shown = rows; // what the filter leaves, in order

  // What a finding opens is text in its noscript element until it is wanted.
  const hidden = (row) => row.details.querySelector('noscript').textContent;
  const fill = (row) => {
    if (row.details.querySelector('.more')) return;
    const box = document.createElement('div');
    box.innerHTML = hidden(row);
    addCopy(box);
    row.details.append(box.firstElementChild);
  };

  // What people paste elsewhere has a button that copies it. A page that was opened as a file
  // may have no clipboard in one browser or the other; then what is selected is copied, and
  // if that is refused too, it stays selected for the user's own key.
  const said = document.getElementById('said');
  const copySelected = (text) => {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'off';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  };
  const copy = async (button, from) => {
    const text = from.textContent;
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      try { done = copySelected(text); } catch { done = false; }
      button.focus();
    }
    if (!done) getSelection().selectAllChildren(from);
    const says = done ? 'Copied' : 'Press Ctrl+C';
    button.firstElementChild.textContent = says;
    said.textContent = says;
    setTimeout(() => {
      button.firstElementChild.textContent = 'Copy';
      said.textContent = '';
    }, 2000);
  };
  const addCopy = (within) => {
    for (const from of within.querySelectorAll('.cmd, .id')) {
      const box = document.createElement('span');
      const button = document.createElement('button');
      const word = document.createElement('span');
      const object = document.createElement('span');
      button.type = 'button';
      button.className = 'copy';
      word.textContent = 'Copy';
      object.className = 'off';
      object.textContent = from.matches('.id') ? ' the fingerprint' : ' the command';
      button.append(word, object);
      button.addEventListener('click', () => copy(button, from));
      box.className = 'copyable';
      from.replaceWith(box);
      box.append(from, button);
    }
  };

  // A row is searched for what stands in its bdi elements: what came from elsewhere.
  const entities = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&#34;': '"', '&#39;': "'" };
  const searched = (row) => {
    if (row.text === null) {
      const parts = [row.details.firstElementChild.textContent];
      for (const m of hidden(row).matchAll(/<bdi>([^<]*)<\/bdi>/g)) parts.push(m[1]);
      row.text = parts.join('\n').replace(/&(amp|lt|gt|#34|#39);/g, (e) => entities[e]).toLowerCase();
    }
    return row.text;
  };
  const prepare = (from) => {
    const end = Math.min(from + 100, rows.length);
    for (let i = from; i < end; i++) searched(rows[i]);
    if (end < rows.length) later(() => prepare(end));
  };
  const later = (what) => (window.requestIdleCallback || setTimeout)(what);

  // The states of keys that work, or of which nobody knows: the page begins with these.
  const urgent = new Set(['root', 'live', 'id-live', 'unknown', 'unverified', 'unverifiable']);
  const inState = (row, state) => {
    if (state === 'urgent') return urgent.has(row.state);
    if (state === 'open') return row.state !== 'ignored';
    return state === '*' || row.state === state || (row.state !== 'ignored' && row.past.includes(state));
  };
  // Only the first rows are in the page, and more when they are asked for: to lay out
  // thousands takes a browser longer than to find them. What stands below stays in reach.
  const more = document.getElementById('more');
  const batch = 50;
  let drawn = 0;
  const draw = (n) => {
    if (drawn === 0) list.replaceChildren();
    for (; drawn < n && drawn < shown.length; drawn += batch) {
      const part = document.createElement('ol');
      part.append(...shown.slice(drawn, drawn + batch).map((row) => row.el));
      list.append(part);
    }
    more.hidden = drawn >= shown.length;
  };
  const number = (n) => n.toLocaleString('en');
  // label returns the words of the option that a menu is at, without the number behind them.
  const label = (option) => option.textContent.replace(/ \([0-9]+\)$/, '');
  const chosen = (menu) => label(menu.options[menu.selectedIndex]);
  const apply = () => {
    const { state, account, repository, rule } = form.elements;
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = order.filter((row) =>
      (account.value === '' || row.account === account.value) &&
      (repository.value === '' || row.repos.includes(repository.value)) &&
      (rule.value === '' || row.rule === rule.value) &&
      words.every((word) => searched(row).includes(word)));
    shown = matching.filter((row) => inState(row, state.value));
    drawn = 0;
    draw(batch);
    form.elements.shown.value = number(shown.length) + ' shown' + fold(matching);
    const filters = [state, account, repository, rule].filter((menu) => menu.value !== '').map(chosen);
    if (words.length > 0) filters.push('with ' + words.join(' '));
    // The first view never counts ignored findings: its total is that of the headline.
    const total = rows.filter((row) => state.value !== 'urgent' || row.state !== 'ignored').length;
    document.getElementById('filtered').textContent = `${number(shown.length)} of ${number(total)} findings: ${filters.join('; ')}.`;
  };
  // fold says below the list what the first view leaves out, state by state, and returns how
  // many that are, for the line above it.
  const folded = document.getElementById('folded');
  const fold = (matching) => {
    const counts = new Map();
    let n = 0;
    for (const row of matching) {
      if (form.elements.state.value !== 'urgent' || row.state === 'ignored' || urgent.has(row.state)) continue;
      counts.set(row.state, (counts.get(row.state) || 0) + 1);
      n++;
    }
    folded.hidden = n === 0;
    if (n === 0) return '';
    const parts = Array.from(form.elements.state.options).filter((o) => counts.has(o.value)).map((o) => `${number(counts.get(o.value))} ${label(o)}`);
    folded.firstElementChild.textContent = `Not shown: ${parts.join(', ')}.`;
    return `, ${number(n)} not`;
  };

  const ordered = {
    newest: (a, b) => b.time - a.time,
    oldest: (a, b) => a.time - b.time,
    places: (a, b) => b.places - a.places,
    account: (a, b) => a.by - b.by,
    repository: (a, b) => a.by - b.by,
  };
  // The options of a menu are in the order of their names.
  const positions = (name) => new Map(Array.from(form.elements[name].options, (o, i) => [o.value, i]));
  const sort = () => {
    const by = form.elements.order.value;
    if (by === 'account' || by === 'repository') {
      const at = positions(by);
      for (const row of rows) row.by = at.get(by === 'account' ? row.account : row.repos[0]);
    }
    const compare = ordered[by] || (() => 0);
    order = rows.slice().sort((a, b) => compare(a, b) || a.rank - b.rank);
    apply();
  };

  const current = () => byElement.get(document.activeElement && document.activeElement.closest('#list > ol > li'));
  const focus = (row) => {
    row.details.firstElementChild.focus({ preventScroll: true });
    row.el.scrollIntoView({ block: 'nearest' });
  };
  const move = (by) => {
    const at = current();
    const i = at ? shown.indexOf(at) + by : 0;
    if (i >= drawn) draw(i + batch);
    if (shown[i]) focus(shown[i]);
  };
  const escape = () => {
    const at = current();
    if (at) {
      at.details.open = false;
      focus(at);
    } else if (form.elements.text.value !== '') {
      form.elements.text.value = '';
      apply();
    } else {
      document.activeElement.blur();
    }
  };
  const onKey = (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || keys.open) return;
    const typing = e.target.matches('input, select');
    const arrows = current() || e.target === (form && form.elements.text);
    const actions = {
      '?': () => keys.showModal(),
      '/': () => form && form.elements.text.select(),
      j: () => move(1),
      k: () => move(-1),
    };
    if (form && e.key === 'Escape') return escape();
    if (arrows && e.key === 'ArrowDown') actions.ArrowDown = actions.j;
    if (arrows && e.key === 'ArrowUp') actions.ArrowUp = actions.k;
    const action = actions[e.key];
    if (!action || (typing && e.key !== 'ArrowDown')) return;
    if (e.target.matches('select')) return;
    e.preventDefault();
    action();
  };

  // A link to a finding opens it, whatever the filter.
  const follow = () => {
    const row = byId.get(location.hash.slice(1));
    if (!row) return;
    if (!shown.includes(row)) {
      form.reset();
      form.elements.state.value = '*';
      sort();
    }
    if (shown.indexOf(row) >= drawn) draw(shown.indexOf(row) + batch);
    fill(row);
    row.details.open = true;
    focus(row);
  };
  const onFilterLink = (e) => {
    const link = e.target.closest('[data-filter]');
    if (!link) return;
    const menu = form.elements[link.dataset.filter];
    const option = Array.from(menu.options).find((o) => o.dataset.name === link.dataset.name);
    if (!option) return;
    form.reset();
    menu.value = option.value;
    sort();
  };

  document.addEventListener('keydown', onKey);
  for (const todo of document.querySelectorAll('.todo')) addCopy(todo);
  if (!list) return;
  list.addEventListener('click', (e) => {
    const summary = e.target.closest('summary');
    if (summary) fill(byElement.get(summary.closest('li')));
  });
  list.addEventListener('toggle', (e) => {
    const row = byElement.get(e.target.closest('li'));
    if (!row || !e.target.open) return;
    fill(row);
    row.el.scrollIntoView({ block: 'nearest' });
  }, true);
  document.addEventListener('click', onFilterLink);
  form.addEventListener('submit', (e) => e.preventDefault());
  form.addEventListener('input', (e) => (e.target.name === 'order' ? sort() : apply()));
  window.addEventListener('hashchange', follow);
  window.addEventListener('beforeprint', () => draw(shown.length));
  more.firstElementChild.addEventListener('click', () => draw(drawn + 4 * batch));
  more.lastElementChild.addEventListener('click', () => draw(shown.length));
  folded.lastElementChild.addEventListener('click', () => {
    const next = shown.length; // they are behind those that are shown, if the order is that of urgency
    form.elements.state.value = 'open';
    apply();
    if (next >= drawn) draw(next + batch);
    if (shown[next]) focus(shown[next]);
  });
  apply();
  follow();
  later(() => prepare(0));
})();
