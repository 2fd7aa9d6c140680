// Opens the pages that TestPagesForBrowser wrote in Chromium: that they ask no server for
// anything, hold no secret, work with and without script, by keyboard, and stay fluid.
// node check.mjs PAGES NODE_MODULES CHROMIUM
// STANCH_SHOTS names a folder for screenshots, for people to look at.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [pages, modules, executablePath] = process.argv.slice(2);
const shots = process.env.STANCH_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });
const require = createRequire(pathToFileURL(resolve(modules) + '/'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core'), 'utf8');
const many = 5000;
// Far above what they are: a page that lays out all rows again needs seconds.
const limits = { filter: 500, move: 500, open: 500, order: 500 };

let failed = 0;
let passed = 0;
const check = (what, ok, got = '') => {
  if (ok) passed++;
  else failed++;
  if (!ok) console.log(`FAIL ${what}`, got);
};

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'], timeout: 60_000 });

// open loads a page and notes all that it should not do.
async function open(name, options = {}, prepare) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  const page = await context.newPage();
  if (prepare) await page.addInitScript(prepare);
  const address = pathToFileURL(resolve(pages, name + '.html')).href;
  page.on('request', (r) => check(`${name} requests nothing`, r.url() === address || r.url() === 'data:,', r.url()));
  page.on('console', (m) => check(`${name} writes nothing to the console`, false, m.text()));
  page.on('pageerror', (e) => check(`${name} has no error`, false, e.message));
  const start = performance.now();
  await page.goto(address);
  return { page, context, loaded: performance.now() - start };
}

const shown = (page) => page.locator('#list > ol > li:visible').count();
const output = (page) => page.locator('output').innerText();
const focused = (page) => page.evaluate(() => document.activeElement.closest('#list > ol > li')?.id ?? document.activeElement.name ?? '');

// timed runs an action in the page and waits until what it changed is painted. The source
// is put together here: the page's policy lets nothing in it evaluate text.
const timed = (page, action, argument) => page.evaluate(`(async () => {
  const argument = ${JSON.stringify(argument)};
  const start = performance.now();
  ${action}
  await new Promise((done) => requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0); }));
  return performance.now() - start;
})()`);

const typed = `const t = document.querySelector('#filter [name=text]'); t.value = argument; t.dispatchEvent(new Event('input', { bubbles: true }));`;
const chosen = `const s = document.querySelector('#filter [name=' + argument[0] + ']'); s.value = argument[1]; s.dispatchEvent(new Event('input', { bubbles: true }));`;
const key = `document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: argument, bubbles: true, cancelable: true }));`;

function figures(what, times, limit) {
  const sorted = times.slice().sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  console.log(`${what}: median ${median.toFixed(1)} ms, slowest ${sorted.at(-1).toFixed(1)} ms of ${times.length}`);
  if (limit) check(`${what} takes less than ${limit} ms`, median < limit, median);
}

async function fluid() {
  const { page, context, loaded } = await open('many');
  console.log(`load of ${many} findings: ${loaded.toFixed(0)} ms`);
  const option = async (value) => Number((await page.locator(`[name=state] option[value="${value}"]`).innerText()).match(/\d+/)[0]);
  const [urgent, unignored, all] = [await option('urgent'), await option('open'), await option('*')];
  check('what is live or unknown is shown at first', await output(page) === `${urgent} shown, ${(unignored - urgent).toLocaleString('en')} not` && urgent > 100 && unignored > 4000, await output(page));
  await page.selectOption('[name=state]', '*');
  await page.waitForTimeout(1500); // the texts that are searched are made when there is nothing else to do
  const filter = [];
  for (let round = 0; round < 3; round++) {
    for (const text of ['t', 'te', 'ter', 'terr', 'terraform', 'terraform jdoe', 'akia000000042', 'nothing like it', 'grace', '']) {
      filter.push(await timed(page, typed, text));
    }
  }
  figures('filter by text, keystroke to paint', filter, limits.filter);
  const states = [];
  for (const state of ['live', 'invalid', 'ignored', 'gone', 'urgent', '*']) states.push(await timed(page, chosen, ['state', state]));
  figures('filter by state', states, limits.filter);
  const orders = [];
  for (const order of ['newest', 'repository', 'account', 'places', 'oldest', '']) orders.push(await timed(page, chosen, ['order', order]));
  figures('order', orders, limits.order);
  await page.locator('#findings').focus();
  const moves = [];
  for (let i = 0; i < 100; i++) moves.push(await timed(page, key, 'j'));
  figures('j, keystroke to paint', moves, limits.move);
  const opens = [];
  for (let i = 0; i < 20; i++) opens.push(await timed(page, `document.querySelectorAll('#list summary')[argument].click();`, i));
  figures('open a finding', opens, limits.open);
  await page.locator('#more button').last().click();
  check('all can be drawn', await page.locator('#list > ol > li').count() === all && !await page.locator('#more').isVisible());
  await frames(page);
  await context.close();
}

// frames scrolls through the page, beside an empty one that shows how fast this machine is at
// this moment. The best of three rounds counts, since other programs run as well.
async function frames(page) {
  const scroll = (page) => page.evaluate(async () => {
    window.scrollTo(0, 0);
    await new Promise(requestAnimationFrame);
    const times = [];
    let last = performance.now();
    for (let i = 0; i < 100; i++) {
      window.scrollBy(0, 700);
      await new Promise(requestAnimationFrame);
      times.push(performance.now() - last);
      last = performance.now();
    }
    return times.sort((a, b) => a - b)[50];
  });
  const empty = await (await browser.newContext({ viewport: page.viewportSize() })).newPage();
  await empty.setContent('<!DOCTYPE html><body style="height: 200000px">');
  const times = { page: [], empty: [] };
  for (let round = 0; round < 3; round++) {
    await empty.bringToFront();
    times.empty.push(await scroll(empty));
    await page.bringToFront();
    times.page.push(await scroll(page));
  }
  await empty.context().close();
  const say = (list) => list.map((t) => t.toFixed(1)).join(', ');
  console.log(`a frame while 700 pixels are scrolled in each, ${many} rows drawn: median ${say(times.page)} ms; of an empty page: ${say(times.empty)} ms`);
  check('a frame takes less than twice that of an empty page', Math.min(...times.page) < 2 * Math.min(...times.empty), times);
}

async function keyboard() {
  const { page, context } = await open('many');
  const first = await page.evaluate(() => Array.from(document.querySelectorAll('#list > ol > li'), (li) => li.id).slice(0, 3));
  await page.keyboard.press('/');
  check('/ focuses the filter', await focused(page) === 'text');
  await page.keyboard.type('j?k/');
  check('letters are typed in the filter', await page.inputValue('[name=text]') === 'j?k/');
  await page.keyboard.press('Escape');
  check('Esc empties the filter', await page.inputValue('[name=text]') === '');
  await page.keyboard.press('ArrowDown');
  check('the arrow leads from the filter to the first', await focused(page) === first[0]);
  await page.keyboard.press('j');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('k');
  check('j, k and arrows move', await focused(page) === first[1]);
  await page.keyboard.press('Enter');
  check('Enter opens', await page.locator(`#${first[1]} .more`).isVisible());
  check('and the focus is to be seen', await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle) !== 'none');
  const drawn = await page.locator(`#${first[1]}`).boundingBox();
  check('what was opened is on the screen', drawn.y >= 0 && drawn.y < 900, drawn);
  await page.keyboard.press('Escape');
  check('Esc closes', !await page.locator(`#${first[1]} .more`).isVisible() && await focused(page) === first[1]);
  for (const size of [{ width: 1360, height: 900 }, { width: 900, height: 800 }, { width: 1360, height: 400 }]) {
    await page.setViewportSize(size);
    for (const key of 'jjjjjjjjjjjjjjjjjjjjjjjjjkkkkkkkkkkkkkkkkkkkk') await page.keyboard.press(key);
    const [row, top] = await page.evaluate(() => [document.activeElement, document.getElementById('top')].map((e) => e.getBoundingClientRect().toJSON()));
    check(`the headings cover no row that has the focus, ${size.width}x${size.height}`, row.top > -1 && row.bottom < size.height + 1 && row.top >= top.bottom - 1, [row, top]);
    for (const key of 'kkkk') await page.keyboard.press(key);
  }
  await page.keyboard.press('?');
  check('? shows the keys', await page.locator('#keys').isVisible());
  await page.keyboard.press('Escape');
  check('Esc hides them', !await page.locator('#keys').isVisible());
  await context.close();
}

async function filters() {
  const { page, context } = await open('many');
  const id = 'AKIA000000003EXAMPLE';
  await page.fill('[name=text]', id.toLowerCase());
  check('the filter finds a key', await shown(page) === 1 && await output(page) === '1 shown', await output(page));
  await page.locator('#list > ol > li:visible summary').click();
  check('every place is there', await page.locator('#list > ol > li:visible .places > li').count() === 400);
  const href = await page.locator('#list > ol > li:visible .places a').first().getAttribute('href');
  check('a place links to its line', /^https:\/\/github\.com\/example-corp\/[a-z0-9-]+\/blob\/[0-9a-f]{40}\/[^#]+#L\d+$/.test(href), href);
  await page.fill('[name=text]', '');
  await page.selectOption('[name=state]', 'live');
  check('live is live', await page.evaluate(() => Array.from(document.querySelectorAll('#list > ol > li')).every((li) => li.className === 'live')) && await shown(page) > 5);
  await page.locator('[data-filter=repository]').first().click();
  check('a link filters by repository', await page.inputValue('[name=repository]') !== '' && await page.inputValue('[name=state]') === 'urgent');
  await page.selectOption('[name=repository]', '');
  await page.selectOption('[name=state]', 'open');
  await page.selectOption('[name=order]', 'newest');
  const before = await page.locator('#list > ol > li').count();
  await page.locator('#more button').first().click();
  check('more are drawn on request', await page.locator('#list > ol > li').count() > before);
  check('newest first', await page.evaluate(() => { const t = Array.from(document.querySelectorAll('#list > ol > li'), (li) => Number(li.dataset.t)); return t.every((x, i) => i === 0 || x <= t[i - 1]); }));
  await page.selectOption('[name=order]', '');
  await page.fill('[name=text]', 'nothing like it');
  await page.locator('.todo a').first().click();
  check('a link to a finding opens it, whatever the filter', await page.locator('#list .more').first().isVisible());
  await context.close();
}

// folded is what the first view leaves out: counted, and one click away.
async function folded() {
  const { page, context } = await open('demo');
  const states = await page.evaluate(() => Array.from(document.querySelectorAll('#list > ol > li'), (li) => li.className));
  check('the first view has no dead key', states.length === 12 && states.every((s) => ['root', 'live', 'id-live', 'unknown'].includes(s)), states);
  check('it counts the others', await page.locator('#folded span').innerText() === 'Not shown: 1 canary, 43 invalid.', await page.locator('#folded').innerText());
  await page.fill('[name=text]', 'AKIA000000050');
  check('a search counts them too', await output(page) === '0 shown, 1 not', await output(page));
  await page.fill('[name=text]', '');
  await page.locator('#folded button').click();
  check('a click shows them', await output(page) === '56 shown' && await page.evaluate(() => document.activeElement.closest('li').className) === 'canary');
  await context.close();
  const scan = await open('scan');
  check('a scan says that its dates are those of commits', await scan.page.locator('.heads .seen').innerText() === 'Committed, UTC');
  const columns = await scan.page.evaluate(() => ['.heads', '#list summary'].map((row) => Array.from(document.querySelector(row).children, (e) => e.getBoundingClientRect()).filter((r) => r.width > 0).map((r) => Math.round(r.left))));
  // A heading is wider than what is below it, but begins where that begins, but for the date, which ends there.
  check('each heading stands above its column', columns[0].length === 6 && columns[0].slice(0, -1).every((x, i) => Math.abs(x - columns[1][i]) <= 1), columns);
  await scan.context.close();
}

// copies presses each kind of copy button, by keyboard, in browsers that have a clipboard, have
// the older command, and have neither. It pastes into the filter.
async function copies() {
  const without = {
    clipboard: () => {},
    command: () => Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined }),
    neither: () => {
      Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined });
      document.execCommand = () => false;
    },
  };
  for (const [way, remove] of Object.entries(without)) {
    const { page, context } = await open('demo', {}, remove);
    const paste = async () => {
      await page.locator('[name=text]').focus();
      await page.keyboard.press('Control+A');
      await page.keyboard.press('Control+V');
      return page.inputValue('[name=text]');
    };
    await page.locator('[name=text]').fill('nothing is copied');
    await page.locator('[name=text]').press('Control+A');
    await page.locator('[name=text]').press('Control+X');
    const fingerprint = await page.evaluate(() => document.querySelectorAll('#list > ol > li.unknown')[0].id.slice(2));
    for (const [what, button, want] of [
      ['a command of the first steps', '.todo .copy', /^stanch respond plan AKIA000000001EXAMPLE --accounts [0-9]{12} -o plan\.json$/],
      ['a fingerprint', `#f-${fingerprint} dd .copy`, new RegExp(`^${fingerprint}$`)],
      ['an entry that allows', `#f-${fingerprint} h3 + p .copy`, new RegExp(`^stanch allow ${fingerprint} --reason "[^"]+"$`)],
    ]) {
      await page.fill('[name=text]', '');
      if (button.startsWith('#')) await page.evaluate((id) => { const d = document.querySelector(id + ' details'); if (!d.open) d.firstElementChild.click(); }, button.split(' ')[0]);
      const target = page.locator(button).first();
      check(`${what}: the button has a name`, /^Copy the (command|fingerprint)$/.test(await target.textContent()), await target.textContent());
      await target.focus();
      await page.keyboard.press('Enter');
      const says = way === 'neither' ? 'Press Ctrl+C' : 'Copied';
      await page.waitForFunction((says) => document.getElementById('said').textContent === says, says, { timeout: 5000 }).catch(() => {});
      check(`${way}: ${what}: it says so, to the eye and the ear`, (await target.innerText()).startsWith(says) && await page.locator('#said').innerText() === says, await target.innerText());
      check(`${way}: ${what}: the focus stays`, await page.evaluate(() => document.activeElement.className) === 'copy');
      if (way === 'neither') await page.keyboard.press('Control+C');
      const got = await paste();
      check(`${way}: ${what} is copied`, want.test(got), got);
    }
    await context.close();
  }
}

// printed is the page as a printer sees it.
async function printed() {
  const width = 670; // of a sheet of A4 or Letter between the margins that browsers leave
  const { page, context } = await open('demo', { viewport: { width, height: 1000 }, colorScheme: 'dark' });
  check('the total of the first view is that of the headline', await page.locator('#filtered').textContent() === '12 of 56 findings: live or unknown.', await page.locator('#filtered').textContent());
  await page.selectOption('[name=state]', 'open');
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  check('all rows of the filter are printed', await page.locator('#list > ol > li').count() === 56);
  check('and the filter is said', await page.locator('#filtered').innerText() === '56 of 60 findings: not ignored.', await page.locator('#filtered').innerText());
  const buttons = await page.evaluate(() => Array.from(document.querySelectorAll('button, select, input')).filter((e) => e.checkVisibility()).length);
  check('no button and no menu is printed', buttons === 0, buttons);
  check('paper is white', await page.evaluate(() => getComputedStyle(document.body).backgroundColor) === 'rgb(255, 255, 255)');
  check('nothing is printed beside the paper', await page.evaluate(() => document.documentElement.scrollWidth) <= width);
  check('the columns have their headings', await page.locator('.heads').isVisible());
  await context.close();
}

// hostile opens a page whose every text was made to break out.
async function hostile() {
  const { page, context } = await open('odd');
  const bad = await page.evaluate(() => {
    for (const s of document.querySelectorAll('#list summary')) s.click();
    const all = Array.from(document.querySelectorAll('body *'));
    return all.filter((e) => ['IMG', 'IFRAME', 'OBJECT', 'EMBED', 'B-AD'].includes(e.tagName) || e.getAttributeNames().some((n) => n.startsWith('on')) ||
      (e.tagName === 'A' && !/^(https?:\/\/|#)/.test(e.getAttribute('href')))).map((e) => e.outerHTML);
  });
  check('nothing breaks out', bad.length === 0 && await page.evaluate(() => window.pwned) === undefined, bad.slice(0, 3));
  check('and there was something to open', await page.locator('.more').count() > 5);
  await context.close();
}

async function scriptless() {
  const { page, context } = await open('demo', { javaScriptEnabled: false });
  check('without script all is shown, and no filter', await page.locator('#list > ol > li').count() === 60 && !await page.locator('#filter').isVisible());
  await page.locator('#list summary').first().click();
  check('and each finding opens', await page.locator('#list .places').first().isVisible());
  await context.close();
}

async function accessible(name, options = {}, media = 'screen') {
  const { page, context } = await open(name, { ...options, bypassCSP: true });
  for (const first of ['#list summary', '#unread details summary']) {
    if (await page.locator(first).count() > 0) await page.locator(first).first().click();
  }
  await page.emulateMedia({ media });
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(() => window.axe.run());
  const where = [name, options.colorScheme || 'light', options.viewport ? 'phone' : '', media === 'print' ? 'print' : ''].filter(Boolean).join(', ');
  for (const v of violations) check(`${where}: ${v.id}: ${v.help}`, false, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200)));
  console.log(`axe, ${where}: ${passes.length} rules passed, ${violations.length} did not`);
  await context.close();
}

const phone = { viewport: { width: 390, height: 844 } };

async function narrow() {
  for (const name of ['demo', 'scan', 'empty', 'many', 'odd']) {
    const { page, context } = await open(name, phone);
    for (const summary of (await page.locator('#list summary').all()).slice(0, 3)) await summary.click();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    check(`${name}: a phone scrolls down only`, width <= 390, width);
    const broken = await page.evaluate(() => Array.from(document.querySelectorAll('.whole')).filter((e) => e.checkVisibility() && e.getClientRects().length > 1).length);
    check(`${name}: no line breaks the number of an account, or a flag`, broken === 0, broken);
    await context.close();
  }
  const { page, context } = await open('demo', phone);
  const row = await page.locator('#list summary').first().innerText();
  check('a row on a phone has its account and repository', /111122223333/.test(row) && /billing/.test(row), row);
  await context.close();
}

// photograph takes pictures for people to look at: the top of each page, and its list with a
// finding opened.
async function photograph() {
  const kinds = {
    light: { colorScheme: 'light', viewport: { width: 1240, height: 960 } }, dark: { colorScheme: 'dark', viewport: { width: 1240, height: 960 } },
    between: { viewport: { width: 900, height: 960 } }, phone, print: { viewport: { width: 670, height: 1000 } },
  };
  for (const name of ['demo', 'scan', 'empty', 'many']) {
    for (const [kind, options] of Object.entries(kinds)) {
      const { page, context } = await open(name, options);
      if (kind === 'print') {
        await page.emulateMedia({ media: 'print' });
        await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
      }
      await page.screenshot({ path: join(shots, `${name}-${kind}.png`), fullPage: kind === 'print' && name !== 'many' });
      if (kind !== 'print' && await page.locator('#list summary').count() > 0) {
        await page.locator('#list summary').nth(1).click();
        await page.evaluate(() => { document.activeElement.blur(); document.getElementById('findings').scrollIntoView(); });
        await page.screenshot({ path: join(shots, `${name}-${kind}-list.png`) });
      }
      await context.close();
    }
  }
}

// leaked returns the secrets that stand in text, as they are or escaped. Each has 40 letters.
function leaked(text, secrets) {
  const known = new Set(secrets);
  const plain = text.replace(/&#43;|%2[Bb]/g, '+').replace(/&#47;|%2[Ff]|\\\//g, '/').replace(/&#61;|%3[Dd]/g, '=');
  const found = new Set();
  for (const [run] of plain.matchAll(/[A-Za-z0-9+/=]{40,}/g)) {
    for (let i = 0; i + 40 <= run.length; i++) if (known.has(run.slice(i, i + 40))) found.add(run.slice(i, i + 40));
  }
  return found.size;
}

for (const name of ['many', 'demo', 'odd']) {
  const html = readFileSync(join(pages, name + '.html'), 'utf8');
  const planted = JSON.parse(readFileSync(join(pages, name + '.json'), 'utf8'));
  check(`${name}: no secret is in it`, leaked(html, planted) === 0);
  check(`${name}: one would be found`, planted.every((s) => s.length === 40) && leaked(html + 'tmp/' + encodeURIComponent(planted[0]) + '/x', planted) === 1);
}
await fluid();
await keyboard();
await filters();
await hostile();
await scriptless();
await folded();
await copies();
await printed();
for (const name of ['demo', 'scan', 'empty']) {
  for (const colorScheme of ['light', 'dark']) {
    await accessible(name, { colorScheme });
    await accessible(name, { colorScheme, ...phone });
  }
  await accessible(name, {}, 'print');
}
await narrow();
if (shots) await photograph();
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
