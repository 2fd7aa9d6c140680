// The filter, which is in the address of the page: each view can be linked and loaded again.
import { el, fill, quoted } from './dom.js';
import { statuses } from './words.js';

// fields are what the address may have. All but since are parameters of the API.
const fields = ['q', 'state', 'status', 'owner', 'repository', 'target', 'since', 'sort'];

const states = [
  ['', 'all'], ['live', 'live'], ['unknown,id-active-secret-mismatch', 'unknown or id is live'], ['unknown', 'unknown'], ['skipped', 'not verified'], ['not-verifiable', 'not verifiable'],
  ['id-active-secret-mismatch', 'id is live'], ['canary-suspected', 'canary'], ['expired', 'expired'], ['invalid', 'invalid'],
];
const since = [['', 'ever'], ['1d', 'yesterday'], ['7d', '7 days ago'], ['30d', '30 days ago']];
const sorts = [['', 'urgency'], ['newest', 'newest first'], ['age', 'oldest first'], ['repository', 'repository'], ['owner', 'owner']];

// read returns the filter of the address; after is where a window of a long list begins.
export function read() {
  const params = new URLSearchParams(location.search);
  const filter = { after: params.get('after') ?? '' };
  for (const name of fields) filter[name] = params.get(name) ?? '';
  return filter;
}

// link returns the address of a filter, within this page.
export function link(filter) {
  const params = new URLSearchParams();
  for (const name of [...fields, 'after']) if (filter[name]) params.set(name, filter[name]);
  const text = params.toString();
  return text ? '?' + text : '/';
}

// begin returns when the days of "since" begin: at the beginning of a day of UTC.
export function begin(text, now) {
  const days = /^(\d{1,4})d$/.exec(text);
  if (days) {
    const midnight = new Date(now);
    midnight.setUTCHours(0, 0, 0, 0);
    return new Date(midnight.getTime() - Number(days[1]) * 86400_000).toISOString();
  }
  const date = new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? text + 'T00:00:00Z' : NaN);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

// query returns the parameters of the API for a filter.
export function query(filter, now) {
  const { since: from, after: _, ...rest } = filter;
  return { ...rest, new_since: from ? begin(from, now) : '' };
}

// A Filter is the form. changed(filter) is called when the reader has changed it.
export class Filter {
  constructor(changed) {
    this.form = document.getElementById('filter');
    this.changed = changed;
    const menu = (name, title, options) => el('label', {}, el('span', {}, title), el('select', { name }, options.map(([value, word]) => el('option', { value }, word))));
    const text = (name, title, hint, list) => el('label', { class: 'text' }, el('span', {}, title),
      el('input', { name, type: 'search', placeholder: hint, autocomplete: 'off', spellcheck: 'false', list }));
    this.form.append(
      text('q', 'Filter', 'key, path, author … ( / )'),
      menu('state', 'State', states),
      menu('status', 'Status', [['', 'all'], ...statuses]),
      text('owner', 'Owner', 'all ( - is nobody)', 'owners'),
      text('repository', 'Repository', 'all', 'repositories'),
      menu('target', 'Target', [['', 'all']]),
      menu('since', 'New since', since),
      menu('sort', 'Order', sorts),
      el('a', { class: 'reset', href: '/' }, 'Show all'),
      el('datalist', { id: 'owners' }), el('datalist', { id: 'repositories' }));
    let timer;
    this.form.addEventListener('input', (e) => {
      clearTimeout(timer);
      timer = setTimeout(() => changed(this.value()), e.target.matches('select') ? 0 : 250);
    });
    this.form.addEventListener('submit', (e) => {
      e.preventDefault();
      clearTimeout(timer);
      changed(this.value());
    });
  }

  value() {
    const filter = {};
    for (const name of fields) filter[name] = this.form.elements[name].value.trim();
    return filter;
  }

  // show sets the fields, but for the one that the reader types in.
  show(filter) {
    for (const name of fields) {
      const field = this.form.elements[name];
      if (field === document.activeElement && field.value.trim() === filter[name]) continue;
      if (field.matches('select') && filter[name] && !Array.from(field.options).some((o) => o.value === filter[name])) {
        field.append(el('option', { value: filter[name] }, quoted(filter[name])));
      }
      field.value = filter[name];
    }
    const set = fields.filter((name) => name !== 'sort' && filter[name]);
    this.form.querySelector('.reset').hidden = set.length === 0;
    const says = set.map((name) => {
      const field = this.form.elements[name];
      const title = field.closest('label').firstElementChild.textContent.toLowerCase();
      return `${title}: ${quoted(field.matches('select') ? field.selectedOptions[0].textContent : filter[name])}`;
    });
    fill(document.getElementById('filtered'), says.length > 0 && `Filter: ${says.join('; ')}.`);
    return set.length > 0;
  }

  // offer fills the menus with names that the server knows.
  offer({ targets = [], owners = [], repositories = [] }) {
    const target = this.form.elements.target;
    const value = target.value;
    fill(target, el('option', { value: '' }, 'all'), targets.map((t) => el('option', { value: t }, quoted(t))));
    if (value && !targets.includes(value)) target.append(el('option', { value }, quoted(value)));
    target.value = value;
    target.closest('label').hidden = targets.length < 2 && !value;
    fill(document.getElementById('owners'), owners.map((o) => el('option', { value: o })));
    fill(document.getElementById('repositories'), repositories.map((r) => el('option', { value: r })));
  }
}
