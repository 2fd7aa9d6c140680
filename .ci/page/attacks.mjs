// Attacks the page of "stanch sweep serve" in Chromium, as strangers would: by names that they
// choose, from pages of other sites, and by a name that leads to this server. Each attack first
// succeeds against a page that is broken on purpose, so that the check is known to see it.
// node attacks.mjs PAGES NODE_MODULES CHROMIUM STANCH
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bench, ready } from './teamserver.mjs';

const bench = new Bench(process.argv.slice(2));
const { check } = { check: bench.check.bind(bench) };
const browser = await bench.launch('--host-resolver-rules=MAP evil.example 127.0.0.1');
const server = await bench.serve('odd');
const planted = JSON.parse(readFileSync(join(bench.pages, 'odd.json'), 'utf8'));
const seen = []; // every byte that the server has sent

// walk opens every row and every view, and reports whether a name became code.
async function walk(page, patience = 3000) { // a page that is broken is never ready
  await page.addInitScript(() => { window.pwned = () => sessionStorage.setItem('pwned', 'yes'); });
  page.setDefaultTimeout(patience);
  await page.goto(server.address + '/');
  await page.waitForTimeout(300);
  await ready(page, patience).catch(() => {});
  for (const row of await page.locator('#list .open').all()) await row.click().catch(() => {});
  await page.waitForTimeout(800);
  const opened = await page.locator('#list .more dl').count();
  for (const a of await page.locator('#shares a, #tiles a').evaluateAll((all) => all.map((x) => x.getAttribute('href')))) {
    await page.goto(server.address + (a.startsWith('?') ? '/' + a : a));
    await ready(page, patience).catch(() => {});
  }
  const found = await page.evaluate(() => ({
    scripts: document.querySelectorAll('script:not([src^="/assets/"]), [onerror], [onload], iframe, object, embed').length,
    links: Array.from(document.querySelectorAll('a[href]'), (x) => x.protocol).filter((p) => !['http:', 'https:'].includes(p)),
    images: document.querySelectorAll('img').length,
    ran: sessionStorage.getItem('pwned') !== null, // in any of the views
  }));
  return { opened, ...found };
}

const isPwned = (w) => w.ran || w.scripts + w.images + w.links.length > 0;

// broken makes a page whose text of strangers becomes HTML, with its policy or without.
async function broken(page, policy) {
  await page.route('**/assets/dom.js', async (route) => {
    const r = await route.fetch();
    const text = await r.text();
    const worse = text.replace("export const foreign = (text, attrs = {}) => el('bdi', attrs, quoted(text));",
      "export const foreign = (text, attrs = {}) => { const e = el('bdi', attrs); e.innerHTML = text; return e; };");
    check('the page can be broken', worse !== text);
    await route.fulfill({ response: r, body: worse, headers: r.headers() });
  });
  if (!policy) {
    await page.route(server.address + '/', async (route) => {
      const r = await route.fetch();
      const headers = { ...r.headers() };
      delete headers['content-security-policy'];
      await route.fulfill({ response: r, headers });
    });
  }
}

async function names() {
  for (const policy of [false, true]) {
    const { page, context } = await bench.signIn(browser, server);
    await broken(page, policy);
    const w = await walk(page);
    if (policy) check('the policy alone stops names in a broken page', !w.ran && w.scripts + w.images === 0, w);
    else check('names become code in a page that is broken on purpose', isPwned(w), w);
    await context.close();
  }
  const { page, context } = await bench.signIn(browser, server);
  page.on('response', async (r) => { seen.push(await r.body().catch(() => Buffer.alloc(0))); });
  page.on('console', (m) => check('the console stays empty', false, m.text()));
  page.on('pageerror', (e) => check('there is no error', false, e.message));
  await page.addInitScript(() => addEventListener('securitypolicyviolation', (e) => console.error('policy violated', e.violatedDirective, e.sample)));
  const w = await walk(page, 30_000);
  check('every row opens', w.opened >= 10, w);
  check('no name becomes code', !isPwned(w), w);
  await page.goto(server.address + '/?q=' + encodeURIComponent('<img src=x onerror="pwned()">') + '&owner=%3Cscript%3E#f-<script>');
  await ready(page);
  check('nor does the address', await page.evaluate(() => sessionStorage.getItem('pwned')) === null && await page.locator('#found img').count() === 0);
  await context.close();
}

// stranger serves pages of another site.
const stranger = await new Promise((done) => {
  const s = createServer((_, answer) => {
    answer.setHeader('Content-Type', 'text/html');
    answer.end('<!DOCTYPE html><title>a stranger</title><body>');
  });
  s.listen(0, '127.0.0.1', () => done(s));
});
const elsewhere = `http://127.0.0.1:${stranger.address().port}/`;

async function first() {
  const r = await bench.ask(server, '/api/v1/findings?limit=1');
  return (await r.json()).findings[0];
}

async function forgery() {
  const { page, context } = await bench.signIn(browser, server);
  const row = await first();
  const body = (owner) => JSON.stringify({ findings: [{ fingerprint: row.fingerprint }], owner });
  const own = await page.evaluate(async (text) => (await fetch('/api/v1/triage', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: text })).status, body('own'));
  check('the page itself can change a finding', own === 200 && (await first()).owner === 'own', own);
  // Another port is another origin, of the same site: the cookie comes with its requests.
  const evil = await context.newPage();
  await evil.goto(elsewhere);
  const outcomes = await evil.evaluate(async ([url, text]) => {
    const tries = {
      plain: { method: 'POST', mode: 'no-cors', credentials: 'include', headers: { 'Content-Type': 'text/plain' }, body: text },
      json: { method: 'POST', credentials: 'include', headers: { 'Content-Type': 'application/json' }, body: text },
      beacon: null,
    };
    const outcome = {};
    for (const [name, options] of Object.entries(tries)) {
      try {
        if (name === 'beacon') outcome[name] = navigator.sendBeacon(url, new Blob([text], { type: 'text/plain' }));
        else outcome[name] = (await fetch(url, options)).type;
      } catch (err) { outcome[name] = err.name; }
    }
    return outcome;
  }, [server.address + '/api/v1/triage', body('forged')]);
  await evil.waitForTimeout(500);
  check('a script of another origin changes nothing', (await first()).owner === 'own', outcomes);
  await evil.goto(elsewhere);
  const answer = evil.waitForResponse((r) => r.url().includes('/api/v1/triage'));
  await evil.evaluate(([url, text]) => {
    const form = document.createElement('form');
    form.method = 'POST';
    form.action = url;
    form.enctype = 'text/plain';
    const input = document.createElement('input');
    input.name = text.slice(0, -1) + ',"x":"';
    input.value = '"}';
    form.append(input);
    document.body.append(form);
    form.submit();
  }, [server.address + '/api/v1/triage', body('forged')]);
  const status = (await answer).status();
  check('a form of another origin is refused', status === 403 && (await first()).owner === 'own', status);
  const out = await evil.evaluate(async (url) => { try { return await (await fetch(url, { credentials: 'include' })).text(); } catch (err) { return err.name; } }, server.address + '/api/v1/findings').catch((e) => e.message);
  check('a script of another origin reads nothing', !String(out).includes('findings"'), out);
  await context.close();
}

async function frames() {
  const { context } = await bench.signIn(browser, server);
  const evil = await context.newPage();
  await evil.goto(elsewhere);
  const framed = async (url) => {
    await evil.evaluate((to) => { document.body.replaceChildren(Object.assign(document.createElement('iframe'), { src: to })); }, url);
    await evil.waitForTimeout(1000);
    return evil.frames().some((f) => f !== evil.mainFrame() && f.url() === url);
  };
  check('a page of the stranger can be framed', await framed(elsewhere + 'framed'));
  for (const path of ['/', '/?state=live', '/sign-in', '/report.html', '/api/v1/findings']) check(`${path} cannot be framed`, !await framed(server.address + path));
  await context.close();
}

async function rebinding() {
  const { context, page } = await bench.signIn(browser, server);
  const port = new URL(server.address).port;
  for (const path of ['/', '/api/v1/findings', '/sign-in', '/assets/app.js']) {
    const r = await page.goto(`http://evil.example:${port}${path}`);
    check(`${path} does not answer to the name of a stranger`, r.status() === 421, r.status());
  }
  const r = await page.goto(`http://localhost:${port}/sign-in`);
  check('it answers to its own', r.status() === 200, r.status());
  await context.close();
}

async function roles() {
  const { page, context } = await bench.signIn(browser, server, 'reader');
  await ready(page);
  await page.locator('#list .open').first().click();
  await page.waitForSelector('#list .more dl');
  check('a reader sees no controls', await page.locator('.triage, .pick input').count() === 0);
  const row = await first();
  const status = await page.evaluate(async (text) => (await fetch('/api/v1/triage', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: text })).status,
    JSON.stringify({ findings: [{ fingerprint: row.fingerprint }], owner: 'reader' }));
  check('a reader changes nothing', status === 403 && (await first()).owner === row.owner, status);
  const nobody = await browser.newContext();
  for (const path of ['/', '/assets/app.js', '/api/v1/findings', '/api/v1/summary', '/api/v1/findings.csv', '/report.html']) {
    const r = await nobody.request.get(server.address + path);
    check(`${path} wants a sign-in`, r.status() === 401, r.status());
  }
  await nobody.close();
  await context.close();
}

// forms returns a secret as it could stand in an answer.
const forms = (secret) => [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, ''), Buffer.from(secret).toString('hex'),
  secret.replaceAll('+', '&#43;').replaceAll('/', '&#47;'), JSON.stringify(secret).slice(1, -1), secret.replaceAll('/', '\\/')];
const leaks = (bytes) => planted.filter((secret) => forms(secret).some((form) => bytes.includes(form)));

async function secrets() {
  check('the search finds a planted secret', planted.length === 12 && leaks(`x=${encodeURIComponent(planted[9])}`).length === 1);
  const row = await first();
  for (const field of ['comment', 'owner']) {
    const r = await bench.ask(server, '/api/v1/triage', { method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ findings: [{ fingerprint: row.fingerprint }], [field]: `the secret is ${planted[3]}, I think` }) });
    check(`a secret as ${field} is refused`, r.status === 422, r.status);
    seen.push(Buffer.from(await r.arrayBuffer()));
  }
  for (const path of ['/report.html', '/status.json', '/metrics', '/api/v1/findings?limit=200', '/api/v1/findings.csv', '/api/v1/findings.json', '/api/v1/summary', '/api/v1/repositories',
    '/api/v1/findings/' + row.fingerprint, '/api/v1/findings?q=' + encodeURIComponent(planted[9].slice(0, 8))]) {
    const r = await bench.ask(server, path);
    check(`${path} answers`, r.status === 200, r.status);
    seen.push(Buffer.from(await r.arrayBuffer()));
  }
  const all = Buffer.concat(seen);
  check('many bytes were looked at', all.length > 100_000, all.length);
  check('no answer holds a secret', leaks(all).length === 0, leaks(all).length);
  check('the log holds no secret', leaks(server.log).length === 0);
  for (const end of ['', '-wal']) {
    try { check('the database holds no secret', leaks(readFileSync(server.database + end)).length === 0); } catch (err) { if (err.code !== 'ENOENT') throw err; }
  }
  console.log(`${(all.length / 1e6).toFixed(1)} MB of answers and the log were searched for ${planted.length} secrets`);
}

try {
  await names();
  await forgery();
  await frames();
  await rebinding();
  await roles();
  await secrets();
} finally {
  await browser.close();
  stranger.close();
  await bench.end();
}
