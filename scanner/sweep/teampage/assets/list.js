// The list of findings, which loads in parts: a part has a cursor of the API, and at most 100 rows.
//
// Parts that were loaded stay in the page, so that Ctrl+F finds their rows; the browser lays out
// and paints those on the screen alone (content-visibility). Each window of the list has up to
// `most` rows: behind them, the reader filters or goes on with the next window.
import { el, fill, say } from './dom.js';
import { get } from './api.js';
import { Row } from './row.js';
import { number, plural } from './words.js';

const first = 50; // rows of the first part, which is there sooner
const each = 100;
export const most = 5000;

export class List {
  // hooks: details(row) shows and loads the details, selected(rows) is called after each change of
  // the selection, failed(err) after an error, now() is the time of the server.
  constructor(hooks) {
    this.hooks = hooks;
    this.root = document.getElementById('list');
    this.foot = document.getElementById('more');
    this.none = document.getElementById('none');
    this.may = { triage: false };
    this.since = Infinity;
    this.rows = new Map(); // by fingerprint
    this.parts = [];
    this.loading = null;
    this.near = new IntersectionObserver((seen) => {
      if (seen.some((e) => e.isIntersecting)) this.load();
    }, { rootMargin: '1200px' });
    this.near.observe(this.foot);
    this.visible = new Set();
    this.watch = new IntersectionObserver((seen) => {
      for (const e of seen) this.visible[e.isIntersecting ? 'add' : 'delete'](e.target);
    });
  }

  now() { return this.hooks.now(); }

  // show begins anew with the findings that match params. The selection is kept: it is of findings,
  // not of rows.
  async show(params, after = '') {
    this.stop?.abort();
    this.stop = new AbortController();
    this.params = params;
    this.next = after;
    this.begun = after;
    this.total = undefined;
    this.loading = null;
    const fresh = await this.fetchPart(after, first).catch((err) => this.failed(err));
    if (!fresh) return false;
    this.clear();
    this.append(after, first, fresh);
    return true;
  }

  clear() {
    this.watch.disconnect();
    this.visible.clear();
    this.parts = [];
    const kept = new Map();
    for (const [id, row] of this.rows) if (row.pick.checked || row.open) kept.set(id, row);
    this.kept = kept; // rows that were open or selected are the same again when they come back
    this.rows = new Map();
    this.root.replaceChildren();
  }

  async fetchPart(after, limit) {
    const stop = this.stop;
    const answer = await get('findings', { ...this.params, after, limit }, stop.signal);
    return stop === this.stop ? answer : null;
  }

  failed(err) {
    if (err.name !== 'AbortError') this.hooks.failed(err);
    return null;
  }

  // load appends the next part. It makes one request at a time.
  async load() {
    if (this.loading || !this.next || this.rows.size >= most || this.parts.length === 0) return;
    const after = this.next;
    const limit = Math.min(each, most - this.rows.size);
    const loading = this.fetchPart(after, limit).catch((err) => this.failed(err));
    this.loading = loading;
    const answer = await loading;
    if (this.loading !== loading) return;
    this.loading = null;
    if (!answer) return;
    this.append(after, limit, answer);
    // The observer tells of changes alone: the foot may still be near.
    this.near.unobserve(this.foot);
    this.near.observe(this.foot);
  }

  append(after, limit, answer) {
    const part = { after, limit, el: el('ol', {}) };
    this.parts.push(part);
    this.put(part, answer.findings);
    this.root.append(part.el);
    this.watch.observe(part.el);
    this.next = answer.next ?? '';
    this.total = answer.total ?? this.total;
    this.footer();
  }

  // put makes the rows of a part those of data.
  put(part, data) {
    const elements = [];
    for (const d of data) {
      let row = this.rows.get(d.fingerprint) ?? this.kept?.get(d.fingerprint);
      if (!row) row = new Row(d, this);
      else if (row.update(d) && row.open) this.hooks.details(row);
      row.part = part;
      this.rows.set(d.fingerprint, row);
      elements.push(row.el);
    }
    for (const old of Array.from(part.el.children)) {
      if (elements.includes(old)) continue;
      const id = old.id.slice(2);
      if (this.rows.get(id)?.part === part) this.rows.delete(id);
      old.remove();
    }
    elements.forEach((e, i) => {
      if (part.el.children[i] !== e) part.el.insertBefore(e, part.el.children[i] ?? null);
    });
  }

  // lead shows a finding that the filter leaves out, before the others: a link led to it.
  lead(data) {
    const part = { after: null, limit: 1, el: el('ol', { class: 'linked' }) };
    this.put(part, [data]);
    this.root.prepend(part.el);
  }

  // retag shows again which findings are new.
  retag() { for (const row of this.rows.values()) row.update(row.data); }

  footer() {
    const n = this.rows.size;
    this.none.hidden = n > 0;
    const shown = document.getElementById('shown');
    const of = this.total ?? n;
    fill(shown, n === 0 ? 'None' : n < of ? `${number(n)} of ${number(of)} loaded` : plural(of, 'finding'));
    this.foot.hidden = !this.next && !this.begun;
    if (this.next && n < most) fill(this.foot, el('button', { type: 'button', on: { click: () => this.load() } }, 'Load more'));
    else {
      fill(this.foot,
        this.next && [`Here are ${number(n)} of ${number(of)}. Filter them, export them, or `, el('button', { type: 'button', on: { click: () => this.hooks.goOn(this.next) } }, 'go on with the next'), ' '],
        this.begun && el('button', { type: 'button', on: { click: () => this.hooks.goOn('') } }, 'Back to the first'));
    }
  }

  // refresh asks again for the parts on the screen, and for the first one. What the reader looks at
  // stays where it is on the screen.
  async refresh() {
    if (!this.params || this.parts.length === 0) return;
    const parts = this.parts.filter((p, i) => i === 0 || this.visible.has(p.el));
    const stop = this.stop;
    const answers = await Promise.all(parts.map((p) => get('findings', { ...this.params, after: p.after, limit: p.limit }, stop.signal)));
    if (stop !== this.stop) return;
    const anchor = this.anchor();
    const top = anchor?.getBoundingClientRect().top;
    answers.forEach((answer, i) => {
      this.put(parts[i], answer.findings);
      if (parts[i] === this.parts.at(-1)) this.next = answer.next ?? '';
      this.total = answer.total ?? this.total;
    });
    if (anchor?.isConnected) scrollBy(0, anchor.getBoundingClientRect().top - top);
    this.footer();
  }

  // anchor is the row with the focus, else the first one on the screen, if the list is.
  anchor() {
    const focused = this.current();
    if (focused) return focused.el;
    const head = document.getElementById('top').getBoundingClientRect().bottom;
    for (const part of this.parts) {
      if (!this.visible.has(part.el)) continue;
      for (const li of part.el.children) if (li.getBoundingClientRect().bottom > Math.max(head, 0)) return li;
    }
    return null;
  }

  current() {
    const li = document.activeElement?.closest('#list > ol > li');
    return li ? this.rows.get(li.id.slice(2)) : undefined;
  }

  all() { return this.parts.flatMap((p) => Array.from(p.el.children)); }

  focus(row) {
    row.button.focus({ preventScroll: true });
    row.el.scrollIntoView({ block: 'nearest' });
  }

  // move takes the focus to the next row or the one before.
  async move(by) {
    const rows = this.all();
    const at = rows.indexOf(this.current()?.el);
    const i = at < 0 ? 0 : at + by;
    if (i >= rows.length - 10) this.load();
    if (rows[i]) this.focus(this.rows.get(rows[i].id.slice(2)));
  }

  toggle(row) {
    row.show(!row.open);
    if (row.open) this.hooks.details(row);
    this.hooks.opened(row);
  }

  selection() { return Array.from(this.rows.values()).filter((row) => row.pick.checked); }

  picked(row, on = row.pick.checked) {
    row.setPicked(on);
    this.hooks.selected(this.selection());
  }

  pickAll(on) {
    for (const row of this.rows.values()) row.setPicked(on);
    const rows = this.selection();
    this.hooks.selected(rows);
    say(on ? `${plural(rows.length, 'finding')} selected` : 'Nothing is selected');
  }
}
