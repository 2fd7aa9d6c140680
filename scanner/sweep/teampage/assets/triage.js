// Changes the status, the owner and the comment of findings: of one in its details, of many in the
// bar below the list.
import { el, fill, say } from './dom.js';
import { post } from './api.js';
import { plural, statuses, statusWord } from './words.js';

const keep = 'leave as it is';

// form returns the form that changes the findings of rows, with isDirty.
export function form(rows, page) {
  const many = rows.length !== 1;
  const one = many ? {} : rows[0].data;
  const status = el('select', { name: 'status' }, many && el('option', { value: '' }, keep), statuses.map(([value, word]) => el('option', { value }, word)));
  const owner = el('input', { name: 'owner', list: 'owners', autocomplete: 'off', maxlength: '200', placeholder: many ? keep : 'nobody' });
  const nobody = many && el('label', { class: 'check' }, el('input', { type: 'checkbox', name: 'nobody' }), ' nobody');
  const until = el('input', { name: 'until', type: 'date' });
  const comment = el('textarea', { name: 'comment', rows: '2', maxlength: '2000', placeholder: many ? keep : 'why, and what is next' });
  const button = el('button', { type: 'submit', class: 'save' }, 'Save');
  const mine = el('button', { type: 'button', on: { click: () => { owner.value = page.me.name; owner.dispatchEvent(new Event('input', { bubbles: true })); } } }, 'Me');
  const says = el('p', { class: 'says', role: 'status' });
  const label = (title, ...field) => el('label', {}, el('span', {}, title), ...field);
  const node = el(many ? 'div' : 'form', { class: 'triage' },
    label('Status', status), el('span', { class: 'with' }, label('Owner', owner), mine, nobody), label('Until (acknowledged)', until), label('Comment', comment), button, says);
  status.value = many ? '' : one.status ?? 'open';
  owner.value = many ? '' : one.owner ?? '';
  until.value = many ? '' : one.until ?? '';
  comment.value = many ? '' : one.comment ?? '';
  const values = () => ({ status: status.value, owner: owner.value.trim(), until: until.value, comment: comment.value.trim() });
  const begun = values();
  const isDirty = () => JSON.stringify(values()) !== JSON.stringify(begun) || node.contains(document.activeElement) && document.activeElement.matches('input, select, textarea');

  // changes are the fields that the reader has changed: the others stay as they are.
  const changes = () => {
    const now = values();
    const changed = {};
    for (const name of Object.keys(now)) if (now[name] !== begun[name]) changed[name] = now[name];
    if (many && nobody.firstElementChild.checked) changed.owner = '';
    return changed;
  };
  const save = async () => {
    const changed = changes();
    if (Object.keys(changed).length === 0) {
      fill(says, 'Nothing was changed.');
      return;
    }
    const chosen = many ? page.selection() : rows;
    button.disabled = true;
    try {
      await send(chosen, changed);
      if (!many) rows[0].editor = null;
      await page.changed(chosen);
      fill(many ? says : rows[0].editor?.says ?? says, 'Saved.');
      say(`${plural(chosen.length, 'finding')} changed`);
    } catch (err) {
      if (!err.kind) throw err;
      fill(says, el('strong', {}, explain(err)));
      if (err.kind === 'conflict') await page.changed(chosen, true);
      else page.failed(err, true);
    } finally {
      button.disabled = false;
    }
  };
  if (many) button.addEventListener('click', (e) => { e.preventDefault(); save(); });
  else node.addEventListener('submit', (e) => { e.preventDefault(); save(); });
  return { el: node, isDirty, says };
}

// send changes findings, at most so many in one request. Each names the version that the reader
// has seen, so that nobody's change is overwritten unseen.
async function send(rows, changed) {
  for (let i = 0; i < rows.length; i += 1000) {
    await post('triage', { findings: rows.slice(i, i + 1000).map(({ data }) => ({ fingerprint: data.fingerprint, version: data.version })), ...changed });
  }
}

function explain(err) {
  switch (err.kind) {
    case 'conflict': return 'Somebody else changed it meanwhile: look at it again, then save. ' + err.message;
    case 'signed-out': return 'Not saved: the sign-in has ended.';
    case 'forbidden': return 'Not saved: you may read findings, and not change them.';
    case 'offline': return 'Not saved: the server does not answer.';
    default: return 'Not saved. ' + err.message;
  }
}

// Bar is the form for many findings: it is there while some are selected.
export class Bar {
  constructor(page) {
    this.page = page;
    this.el = document.getElementById('many');
    this.count = el('b', {});
    this.counts = el('span', { class: 'dim' });
    this.el.addEventListener('submit', (e) => e.preventDefault());
  }

  // show offers to change rows. The form stays while the selection changes.
  show(rows) {
    this.el.hidden = rows.length === 0;
    document.body.classList.toggle('selecting', rows.length > 0);
    if (rows.length === 0) {
      this.editor = null;
      return;
    }
    fill(this.count, plural(rows.length, 'finding') + ' selected');
    const by = new Map();
    for (const { data } of rows) by.set(data.status ?? 'open', (by.get(data.status ?? 'open') ?? 0) + 1);
    fill(this.counts, Array.from(by, ([status, n]) => `${n} ${statusWord(status)}`).join(', '));
    if (this.editor) return;
    this.editor = form([], this.page);
    this.el.replaceChildren(
      el('p', {}, this.count, ' ', this.counts, ' ',
        el('button', { type: 'button', on: { click: () => this.page.list.pickAll(true) } }, 'Select all that are loaded'), ' ',
        el('button', { type: 'button', on: { click: () => this.page.list.pickAll(false) } }, 'Select none')),
      this.editor.el);
  }
}
