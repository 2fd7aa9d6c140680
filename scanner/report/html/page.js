'use strict';
// Filters, orders and opens what the page holds. It adds no text of its own but the
// number of rows that are shown, and sends nothing anywhere.
(() => {
  const list = document.getElementById('list');
  const form = document.getElementById('filter');
  const keys = document.getElementById('keys');
  for (const e of document.querySelectorAll('.js')) e.hidden = false;

  const rows = list ? Array.from(list.children, (el) => ({
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
    row.details.append(box.firstElementChild);
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

  const inState = (row, state) => {
    if (state === '') return row.state !== 'ignored';
    return state === '*' || row.state === state || (row.state !== 'ignored' && row.past.includes(state));
  };
  // Only the first rows are in the page, and more when they are asked for: to lay out
  // thousands takes a browser longer than to find them. What stands below stays in reach.
  const more = document.getElementById('more');
  const batch = 50;
  let drawn = 0;
  const draw = (n) => {
    if (drawn === 0) list.replaceChildren();
    list.append(...shown.slice(drawn, n).map((row) => row.el));
    drawn = Math.min(n, shown.length);
    more.hidden = drawn === shown.length;
  };
  const apply = () => {
    const { state, account, repository, rule } = form.elements;
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = order.filter((row) => inState(row, state.value) &&
      (account.value === '' || row.account === account.value) &&
      (repository.value === '' || row.repos.includes(repository.value)) &&
      (rule.value === '' || row.rule === rule.value) &&
      words.every((word) => searched(row).includes(word)));
    drawn = 0;
    draw(batch);
    form.elements.shown.value = shown.length.toLocaleString('en') + ' shown';
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

  const current = () => byElement.get(document.activeElement && document.activeElement.closest('#list > li'));
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
  more.addEventListener('click', () => draw(drawn + 4 * batch));
  apply();
  follow();
  later(() => prepare(0));
})();
