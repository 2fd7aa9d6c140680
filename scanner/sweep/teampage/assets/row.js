// One finding in the list: a line, and the details that it opens.
import { el, fill, foreign, quoted } from './dom.js';
import { age, day, isLive, isTime, number, plural, repoName, slugOf, statusWord, wordOf } from './words.js';

// A Row is a finding on the page. list is told of what people do with it.
export class Row {
  constructor(data, list) {
    this.list = list;
    const id = data.fingerprint;
    this.pick = el('input', { type: 'checkbox', tabindex: '-1', on: { change: () => list.picked(this) } });
    this.state = el('span', { class: 'badge' });
    this.key = el('b', {});
    this.tags = el('span', { class: 'tags' });
    this.button = el('button', { type: 'button', class: 'open', 'aria-expanded': 'false', 'aria-controls': 'm-' + id },
      this.state, ' ', el('span', { class: 'key' }, this.key, ' ', this.tags));
    this.who = el('span', { class: 'who' });
    this.place = el('span', { class: 'repo' });
    this.work = el('span', { class: 'work' });
    this.seen = el('span', { class: 'seen' });
    const pick = list.may.triage ? el('label', { class: 'pick' }, this.pick) : el('span', { class: 'pick' });
    this.line = el('div', { class: 'line' }, pick, this.button, this.who, this.place, this.work, this.seen);
    this.more = el('div', { class: 'more', id: 'm-' + id, hidden: true });
    this.el = el('li', { id: 'f-' + id }, this.line, this.more);
    this.line.addEventListener('click', (e) => {
      if (e.target.closest('label, input, a') || (!e.target.closest('button') && String(getSelection()) !== '')) return;
      list.toggle(this);
    });
    this.update(data);
  }

  get open() { return !this.more.hidden; }

  // update shows data; an element whose content is the same stays as it is. It reports whether
  // anything that the details show may have changed.
  update(data) {
    const before = this.text;
    this.text = JSON.stringify(data);
    this.data = data;
    const slug = slugOf(data);
    const name = data.key_id || data.title || data.rule || 'no id';
    this.el.className = slug + (this.pick.checked ? ' picked' : '') + (this.open ? ' opened' : '');
    this.state.className = 'badge ' + slug;
    fill(this.state, wordOf(slug));
    fill(this.key, foreign(name));
    this.pick.setAttribute('aria-label', 'Select ' + quoted(name));
    fill(this.tags, isNew(data, this.list.since) && el('span', { class: 'tag new' }, 'new'));
    fill(this.who, foreign(data.account ?? ''), data.user && [' ', foreign(data.user)]);
    fill(this.place, place(data));
    fill(this.work, work(data));
    fill(this.seen, isTime(data.first_seen) && el('time', { datetime: data.first_seen, title: day(data.first_seen) }, age(data.first_seen, this.list.now())));
    return before !== undefined && before !== this.text;
  }

  // setPicked selects the row, or drops it from the selection.
  setPicked(on) {
    this.pick.checked = on;
    this.el.classList.toggle('picked', on);
  }

  // show opens or closes the details.
  show(open) {
    this.more.hidden = !open;
    this.button.setAttribute('aria-expanded', String(open));
    this.el.classList.toggle('opened', open);
  }
}

const isNew = (data, since) => isTime(data.first_seen) && Date.parse(data.first_seen) >= since;

function place(data) {
  const w = data.where;
  if (!w) return null;
  const at = w.path ? w.path + (w.line ? ':' + w.line : '') : w.kind ?? '';
  return [
    el('span', { class: 'name' }, foreign(repoName(w.repository)), data.repositories > 1 && el('span', { class: 'dim', title: plural(data.repositories, 'repository') }, ` +${number(data.repositories - 1)}`)),
    ' ', el('span', { class: 'at' }, foreign(at), data.places > 1 && el('span', { class: 'dim', title: plural(data.places, 'place') }, ` +${number(data.places - 1)}`)),
  ];
}

// work says who works on a finding, and how far they are.
function work(data) {
  const nobody = isLive(data) && !data.owner && (data.status ?? 'open') === 'open';
  return [
    nobody ? el('strong', { class: 'nobody' }, 'nobody') : data.status && data.status !== 'open' && el('span', { class: 'tag' }, statusWord(data.status)),
    data.owner && [' ', foreign(data.owner)],
    isTime(data.until) && el('span', { class: 'dim' }, ' until ' + day(data.until)),
  ];
}
