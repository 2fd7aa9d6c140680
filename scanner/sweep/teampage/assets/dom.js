// Makes elements. Text of strangers only ever becomes a text node: nothing here, and nothing in
// the other scripts, parses HTML, and the policy of the page (require-trusted-types-for) forbids it.

// el returns an element. Of attrs, "on" has listeners by event, "class" and the rest are
// attributes; false, null and undefined leave an attribute out. Children are elements or text.
export function el(tag, attrs = {}, ...children) {
  const node = document.createElement(tag);
  set(node, attrs);
  append(node, ...children);
  return node;
}

// append adds children to node: elements, text, and lists of them; what is empty is left out.
export function append(node, ...children) {
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== '' && c !== false));
}

const svgSpace = 'http://www.w3.org/2000/svg';

// svg is el for elements of SVG.
export function svg(tag, attrs = {}, ...children) {
  const node = document.createElementNS(svgSpace, tag);
  set(node, attrs);
  node.append(...children);
  return node;
}

function set(node, attrs) {
  for (const [name, value] of Object.entries(attrs)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (name === 'href') {
      if (isPage(value)) node.setAttribute('href', value);
    } else {
      node.setAttribute(name, value === true ? '' : value);
    }
  }
}

// isPage reports whether address leads to a page: within this one, or by http or https, without a
// password. A repository's address comes from elsewhere; "javascript:" is an address too.
export function isPage(address) {
  if (/^[#?]/.test(address) || /^\/(?!\/)[^\\]*$/.test(address)) return true;
  try {
    const u = new URL(address);
    return (u.protocol === 'https:' || u.protocol === 'http:') && u.username === '' && u.password === '';
  } catch {
    return false;
  }
}

// Characters that do not print, or turn the text around them: as scanner/printable, a text that
// has one is quoted as a whole. A space alone is a space.
const odd = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
const odds = new RegExp(odd.source, 'gu');

// quoted returns text as people can see it.
export function quoted(text) {
  const s = String(text ?? '');
  if (!odd.test(s)) return s;
  const escaped = s.replace(/["\\]/g, '\\$&').replace(odds, (c) => {
    const short = { '\n': '\\n', '\t': '\\t', '\r': '\\r' }[c];
    if (short) return short;
    const code = c.codePointAt(0);
    if (code < 0x100) return '\\x' + code.toString(16).padStart(2, '0');
    return code < 0x10000 ? '\\u' + code.toString(16).padStart(4, '0') : '\\U' + code.toString(16).padStart(8, '0');
  });
  return `"${escaped}"`;
}

// foreign returns an element with text of strangers: right-to-left letters turn nothing around it.
export const foreign = (text, attrs = {}) => el('bdi', attrs, quoted(text));

// fill replaces the children of node, unless they look the same already: a screen reader and a
// selection keep their place.
export function fill(node, ...children) {
  const next = document.createElement('div');
  append(next, ...children);
  if (node.childNodes.length === next.childNodes.length && Array.from(node.childNodes).every((c, i) => c.isEqualNode(next.childNodes[i]))) return;
  node.replaceChildren(...next.childNodes);
}

// say tells screen readers something that others see.
export function say(text) {
  document.getElementById('said').textContent = text;
}

// copyable returns a command or an id with a button that copies it. Where the browser has no
// clipboard for the page (plain http on another host), the text is selected for the user's own key.
export function copyable(text, className, what) {
  const from = el('code', { class: className }, quoted(text));
  const word = el('span', {}, 'Copy');
  const button = el('button', { type: 'button', class: 'copy' }, word, el('span', { class: 'off' }, ' ' + what));
  button.addEventListener('click', async () => {
    let says = 'Copied';
    try {
      await navigator.clipboard.writeText(from.textContent);
    } catch {
      getSelection().selectAllChildren(from);
      says = 'Press Ctrl+C';
    }
    word.textContent = says;
    say(says);
    setTimeout(() => { word.textContent = 'Copy'; }, 2000);
  });
  return el('span', { class: 'copyable' }, from, button);
}
