// Servers and a browser for team.mjs and attacks.mjs: "stanch sweep serve" on the databases that
// TestDatabasesForBrowser has filled, with a token for a triager and one for a reader.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// A Bench has the servers, the browser and the checks of one run.
export class Bench {
  constructor([pages, modules, chromium, stanch]) {
    this.pages = resolve(pages);
    this.stanch = resolve(stanch);
    this.executablePath = chromium;
    const require = createRequire(pathToFileURL(resolve(modules) + '/'));
    this.chromium = require('playwright-core').chromium;
    this.axe = readFileSync(require.resolve('axe-core'), 'utf8');
    this.home = mkdtempSync(join(tmpdir(), 'team-page-'));
    this.tokens = { triager: randomBytes(16).toString('hex'), reader: randomBytes(16).toString('hex') };
    for (const [role, token] of Object.entries(this.tokens)) writeFileSync(join(this.home, role), `${role === 'triager' ? 'ada' : 'bob'} ${token}\n`, { mode: 0o600 });
    this.servers = [];
    process.on('exit', () => { for (const { child } of this.servers) child.kill('SIGKILL'); });
    this.passed = 0;
    this.failed = 0;
  }

  check(what, ok, got = '') {
    if (ok) this.passed++;
    else {
      this.failed++;
      console.log(`FAIL ${what}`, got);
    }
  }

  async launch(...args) {
    return this.chromium.launch({ executablePath: this.executablePath, args: ['--no-sandbox', '--disable-gpu', ...args], timeout: 60_000 });
  }

  // serve serves a copy of a database, and returns the address, the process, and what it writes.
  async serve(name, ...flags) {
    const database = join(this.home, `${name}-${this.servers.length}.db`);
    copyFileSync(join(this.pages, name + '.db'), database);
    const args = ['sweep', 'serve', '--database-url', database, '--listen', '127.0.0.1:0', '--no-verify',
      '--triage-token-file', join(this.home, 'triager'), '--page-token-file', join(this.home, 'reader'), ...flags];
    const child = spawn(this.stanch, args, { env: { PATH: process.env.PATH, HOME: this.home, TMPDIR: this.home, GITHUB_TOKEN: 'none' }, stdio: ['ignore', 'pipe', 'pipe'] });
    const server = { name, database, child, log: '', address: '' };
    this.servers.push(server);
    await new Promise((done, failed) => {
      const read = (text) => {
        server.log += text;
        const m = /http:\/\/127\.0\.0\.1:\d+/.exec(server.log);
        if (m) {
          server.address = m[0];
          done();
        }
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.on('exit', (code) => failed(new Error(`serve exits with ${code}: ${server.log}`)));
      setTimeout(() => failed(new Error(`serve does not start: ${server.log}`)), 60_000).unref();
    });
    return server;
  }

  // signIn opens the page of a server as somebody who has signed in by the form.
  async signIn(browser, server, role = 'triager', options = {}) {
    const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
    const page = await context.newPage();
    await page.goto(server.address + '/sign-in');
    await page.fill('#token', this.tokens[role]);
    await Promise.all([page.waitForURL(server.address + '/'), page.click('button')]);
    return { context, page };
  }

  // ask asks the API of a server, as a program.
  ask(server, path, { role = 'triager', ...options } = {}) {
    return fetch(server.address + path, { ...options, headers: { Authorization: `Bearer ${this.tokens[role]}`, ...options.headers } });
  }

  // end ends the servers, and the process with the outcome.
  async end() {
    for (const { child } of this.servers) {
      child.removeAllListeners('exit');
      const ended = new Promise((done) => child.on('exit', done));
      child.kill('SIGTERM');
      await Promise.race([ended, new Promise((done) => setTimeout(done, 15_000).unref())]);
      child.kill('SIGKILL');
    }
    rmSync(this.home, { recursive: true, force: true });
    console.log(`${this.passed} passed, ${this.failed} failed`);
    process.exitCode = this.failed ? 1 : 0;
  }
}

// ready waits until the rows of a page are there, and the numbers above them.
export const ready = (page, timeout = 90_000) => page.waitForFunction(() => !document.getElementById('found').hidden && !document.getElementById('now').hidden, null, { timeout });

// rss is the memory of a process, in MB.
export const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
