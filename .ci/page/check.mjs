// Opens the pages that TestPagesForBrowser wrote in Chromium: that they ask no server for
// anything, hold no secret, work with and without script, by keyboard, and stay fluid.
// node check.mjs PAGES NODE_MODULES CHROMIUM [SCREENSHOTS]
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [pages, modules, executablePath, screenshots] = process.argv.slice(2);
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
async function open(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  const page = await context.newPage();
  const address = pathToFileURL(resolve(pages, name + '.html')).href;
  page.on('request', (r) => check(`${name} requests nothing`, r.url() === address || r.url() === 'data:,', r.url()));
  page.on('console', (m) => check(`${name} writes nothing to the console`, false, m.text()));
  page.on('pageerror', (e) => check(`${name} has no error`, false, e.message));
  const start = performance.now();
  await page.goto(address);
  return { page, context, loaded: performance.now() - start };
}

const shown = (page) => page.locator('#list > li:visible').count();
const output = (page) => page.locator('output').innerText();
const focused = (page) => page.evaluate(() => document.activeElement.closest('#list > li')?.id ?? document.activeElement.name ?? '');

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
  const most = (await page.locator('[name=state] option').first().innerText()).match(/\d+/)[0];
  check('all but the ignored are shown', await output(page) === Number(most).toLocaleString('en') + ' shown' && most > 4000, most);
  await page.waitForTimeout(1500); // the texts that are searched are made when there is nothing else to do
  const filter = [];
  for (let round = 0; round < 3; round++) {
    for (const text of ['t', 'te', 'ter', 'terr', 'terraform', 'terraform jdoe', 'akia000000042', 'nothing like it', 'grace', '']) {
      filter.push(await timed(page, typed, text));
    }
  }
  figures('filter by text, keystroke to paint', filter, limits.filter);
  const states = [];
  for (const state of ['live', 'invalid', 'ignored', 'gone', '*', '']) states.push(await timed(page, chosen, ['state', state]));
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
  await page.evaluate(() => { for (let i = 0; i < 100; i++) document.getElementById('more').click(); });
  check('all can be drawn', await page.locator('#list > li').count() === Number(most));
  const frames = await page.evaluate(async () => {
    const times = [];
    let last = performance.now();
    for (let i = 0; i < 100; i++) {
      window.scrollBy(0, 700);
      await new Promise(requestAnimationFrame);
      times.push(performance.now() - last);
      last = performance.now();
    }
    return times;
  });
  figures('a frame while 700 pixels are scrolled in each', frames);
  await context.close();
}

async function keyboard() {
  const { page, context } = await open('many');
  const first = await page.evaluate(() => Array.from(document.querySelectorAll('#list > li'), (li) => li.id).slice(0, 3));
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
  await page.locator('#list > li:visible summary').click();
  check('every place is there', await page.locator('#list > li:visible .places > li').count() === 400);
  const href = await page.locator('#list > li:visible .places a').first().getAttribute('href');
  check('a place links to its line', /^https:\/\/github\.com\/example-corp\/[a-z0-9-]+\/blob\/[0-9a-f]{40}\/[^#]+#L\d+$/.test(href), href);
  await page.fill('[name=text]', '');
  await page.selectOption('[name=state]', 'live');
  check('live is live', await page.evaluate(() => Array.from(document.querySelectorAll('#list > li')).every((li) => li.className === 'live')) && await shown(page) > 5);
  await page.locator('[data-filter=repository]').first().click();
  check('a link filters by repository', await page.inputValue('[name=repository]') !== '' && await page.inputValue('[name=state]') === '');
  await page.selectOption('[name=repository]', '');
  await page.selectOption('[name=order]', 'newest');
  const before = await page.locator('#list > li').count();
  await page.locator('#more').click();
  check('more are drawn on request', await page.locator('#list > li').count() > before);
  check('newest first', await page.evaluate(() => { const t = Array.from(document.querySelectorAll('#list > li'), (li) => Number(li.dataset.t)); return t.every((x, i) => i === 0 || x <= t[i - 1]); }));
  await page.selectOption('[name=order]', '');
  await page.fill('[name=text]', 'nothing like it');
  await page.locator('.todo a').first().click();
  check('a link to a finding opens it, whatever the filter', await page.locator('#list .more').first().isVisible());
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
  check('without script all is shown, and no filter', await page.locator('#list > li').count() === 60 && !await page.locator('#filter').isVisible());
  await page.locator('#list summary').first().click();
  check('and each finding opens', await page.locator('#list .places').first().isVisible());
  await context.close();
}

async function accessible(colorScheme) {
  const { page, context } = await open('demo', { colorScheme, bypassCSP: true });
  await page.locator('#list summary').first().click();
  await page.locator('#unread details summary').first().click();
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(() => window.axe.run());
  for (const v of violations) check(`${colorScheme}: ${v.id}: ${v.help}`, false, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200)));
  console.log(`axe, ${colorScheme}: ${passes.length} rules passed, ${violations.length} did not`);
  await context.close();
}

async function narrow() {
  const { page, context } = await open('demo', { viewport: { width: 390, height: 844 } });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  check('a phone scrolls down only', width <= 390, width);
  await context.close();
}

async function photograph(colorScheme) {
  const { page, context } = await open('demo', { colorScheme, viewport: { width: 1240, height: 1180 } });
  await page.locator('#list summary').nth(1).click();
  await page.evaluate(() => { document.activeElement.blur(); window.scrollTo(0, 0); });
  await page.screenshot({ path: join(screenshots, `page-${colorScheme}.png`) });
  await context.close();
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
await accessible('light');
await accessible('dark');
await narrow();
if (screenshots) {
  await photograph('light');
  await photograph('dark');
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
