// A GitHub for measurements: the API by @simulacrum/github-api-simulator, git by
// git http-backend, both on one origin that asks for the token of STANCH_SIM_TOKEN.
//
//     node serve.mjs --modules NODE_MODULES --organisation DIR [--port N]
//     node serve.mjs --modules NODE_MODULES --synthetic N [--refs R] [--port N]
//
// DIR is what organisation.py makes; its organisation.json is read again whenever it
// changes. --synthetic serves N repositories that are made up on the fly, of R commits
// and as many refs. The API is at /api/v3. Of the measurement itself:
//
//     GET  /-/counts   requests and bytes since the last time, by kind
//     POST /-/limit    {"match": regexp, "times": n, "status": 403, "headers": {…}, "body": {…}, "seconds": s}
//                      answers the next n calls that match so; calls within s seconds
//                      after that are counted as early
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createServer, request as forward } from "node:http";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { deflateSync } from "node:zlib";

const { values: flags } = parseArgs({
  options: {
    modules: { type: "string" },
    organisation: { type: "string" },
    synthetic: { type: "string" },
    refs: { type: "string", default: "5" },
    port: { type: "string", default: "8419" },
  },
});
const token = process.env.STANCH_SIM_TOKEN;
if (!token || !flags.modules || !flags.organisation === !flags.synthetic) {
  console.error("usage: STANCH_SIM_TOKEN=… node serve.mjs --modules NODE_MODULES (--organisation DIR | --synthetic N)");
  process.exit(2);
}
const port = Number(flags.port);
const origin = `http://127.0.0.1:${port}`;

// The organisation

function made(n) {
  const list = [];
  for (let i = 0; i < n; i++) {
    const at = new Date(Date.UTC(2026, 10, 1) - i * 60_000).toISOString();
    list.push({ id: i + 1, name: `acme/r${String(i).padStart(6, "0")}`, pushed: at, size: 1 });
  }
  return { repositories: list };
}

let state, stamp;
function organisation() {
  if (flags.synthetic) return (state ??= index(made(Number(flags.synthetic))));
  const file = join(flags.organisation, "organisation.json");
  const { mtimeMs } = statSync(file);
  if (mtimeMs !== stamp) [state, stamp] = [index(JSON.parse(readFileSync(file, "utf8"))), mtimeMs];
  return state;
}

function index(o) {
  const renamed = o.repositories.filter((r) => r.renamed).map((r) => ({ ...r, name: r.renamed, renamed: undefined }));
  o.byName = new Map([...o.repositories, ...renamed].map((r) => [r.name.toLowerCase(), r]));
  o.listed = [...o.repositories].sort((a, b) => b.pushed.localeCompare(a.pushed) || b.id - a.id);
  return o;
}

const find = (c) => organisation().byName.get(`${c.request.params.owner}/${c.request.params.repo}`.toLowerCase());

function shown(r) {
  const [owner, name] = r.name.split("/");
  const page = `${origin}/${r.name}`;
  return {
    id: r.id, node_id: `R_${r.id}`, name, full_name: r.name, private: !!r.private, fork: !!r.parent, archived: !!r.archived,
    visibility: r.private ? "private" : "public", has_wiki: !!r.wiki, has_issues: true, has_discussions: false, topics: [],
    owner: { login: owner, id: 1, type: "Organization" }, html_url: page, url: `${origin}/api/v3/repos/${r.name}`,
    clone_url: `${page}.git`, git_url: `${page}.git`, size: r.size ?? 1, default_branch: "main", pushed_at: r.pushed, updated_at: r.pushed, created_at: "2020-01-01T00:00:00Z",
  };
}

// The API: what a scanner of an organisation asks for. All else is answered by the
// simulator with GitHub's own examples.

function paged(c, response, list, show = (one) => one) {
  const size = Math.min(Number(c.request.query.per_page ?? 30), 100);
  const page = Number(c.request.query.page ?? 1);
  if (page * size < list.length) {
    const next = new URLSearchParams({ ...c.request.query, page: page + 1 });
    response.set("Link", `<${origin}/api/v3${c.request.path}?${next}>; rel="next"`);
  }
  response.status(200).json(list.slice((page - 1) * size, page * size).map(show));
}

const owner = (login) => ({ login, id: 1, type: "Organization", public_repos: organisation().listed.length, html_url: `${origin}/${login}` });
const missing = (response) => response.status(404).json({ message: "Not Found" });
const repositories = (c, _q, response) => paged(c, response, organisation().listed, shown);
const noList = (c, _q, response) => paged(c, response, []);

const handlers = () => ({
  "orgs/get": (c, _q, response) => response.status(200).json(owner(c.request.params.org)),
  "users/get-by-username": (c, _q, response) => response.status(200).json(owner(c.request.params.username)),
  "users/get-authenticated": (_c, _q, response) => response.status(200).json({ login: "bench", id: 2, type: "User" }),
  "repos/list-for-org": repositories,
  "repos/list-for-user": (c, _q, response) => (c.request.params.username === "acme" ? repositories(c, _q, response) : paged(c, response, [])),
  "repos/list-for-authenticated-user": noList,
  "gists/list": noList,
  "gists/list-for-user": noList,
  "orgs/list-members": noList,
  "repos/get": (c, _q, response) => {
    const r = find(c);
    if (!r || r.broken === "missing") return missing(response);
    if (r.renamed) return response.redirect(301, `${origin}/api/v3/repos/${r.renamed}`);
    const parent = r.parent && { full_name: r.parent, name: r.parent.split("/")[1], html_url: `${origin}/${r.parent}` };
    return response.status(200).json({ ...shown(r), ...(parent && { parent, source: parent }) });
  },
  "repos/list-activities": (c, _q, response) => {
    const r = find(c);
    if (!r) return missing(response);
    const kind = c.request.query.activity_type;
    return paged(c, response, (r.activity ?? []).filter((a) => !kind || a.activity_type === kind));
  },
  "issues/list-for-repo": noList,
  "issues/list-comments-for-repo": (c, _q, response) => {
    const r = find(c);
    const since = c.request.query.since ?? "";
    return paged(c, response, (r?.comments ?? []).filter((one) => one.updated_at >= since).map((one) => ({
      ...one, html_url: `${origin}/${r.name}/issues/1#issuecomment-${one.id}`, user: { login: "ada" },
      issue_url: `${origin}/api/v3/repos/${r.name}/issues/1`, created_at: one.updated_at })));
  },
  "pulls/list": noList,
  "pulls/list-review-comments-for-repo": noList,
});

async function startAPI() {
  const index = resolve(flags.modules, "@simulacrum/github-api-simulator/dist/index.mjs");
  const { simulation } = await import(pathToFileURL(index));
  const app = simulation({
    initialState: { users: [], organizations: [], repositories: [], branches: [], blobs: [] },
    extend: { openapiHandlers: handlers },
  });
  return (await app.listen(0)).port;
}

// git

function backend(q, s, path, query, count) {
  const env = {
    PATH: process.env.PATH, GIT_PROJECT_ROOT: resolve(flags.organisation, "git"), GIT_HTTP_EXPORT_ALL: "1", PATH_INFO: path,
    QUERY_STRING: query, REQUEST_METHOD: q.method, CONTENT_TYPE: q.headers["content-type"] ?? "", REMOTE_ADDR: "127.0.0.1", REMOTE_USER: "bench",
    GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_0: "safe.directory", GIT_CONFIG_VALUE_0: "*", GIT_CONFIG_KEY_1: "uploadpack.allowAnySHA1InWant", GIT_CONFIG_VALUE_1: "true",
  };
  for (const [header, name] of [["content-length", "CONTENT_LENGTH"], ["content-encoding", "HTTP_CONTENT_ENCODING"], ["git-protocol", "GIT_PROTOCOL"]])
    if (q.headers[header]) env[name] = q.headers[header];
  const child = spawn("git", ["http-backend"], { env, stdio: ["pipe", "pipe", "ignore"] });
  q.pipe(child.stdin);
  child.stdin.on("error", () => {});
  s.on("close", () => child.kill());
  let head = Buffer.alloc(0), body = false;
  child.stdout.on("data", (data) => {
    if (!body) {
      head = Buffer.concat([head, data]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      let status = 200;
      for (const line of head.subarray(0, end).toString().split("\r\n")) {
        const [, name, value] = line.match(/^([^:]+): (.*)$/) ?? [];
        if (name === "Status") status = parseInt(value);
        else if (name) s.setHeader(name, value);
      }
      s.statusCode = status;
      [body, data] = [true, head.subarray(end + 4)];
    }
    count.bytes += data.length;
    if (!s.write(data)) {
      child.stdout.pause();
      s.once("drain", () => child.stdout.resume());
    }
  });
  child.on("close", () => s.end());
}

// A made-up repository: commits of the empty tree, one after the other.

const line = (text) => (text.length + 4).toString(16).padStart(4, "0") + text;
const sha1 = (data) => createHash("sha1").update(data).digest();
const object = (kind, body) => ({ kind, body, id: sha1(`${kind} ${body.length}\0${body}`).toString("hex") });

function history(name) {
  const objects = [object("tree", "")];
  for (let i = 0; i < Number(flags.refs); i++) {
    const parent = i ? `parent ${objects[i].id}\n` : "";
    const who = "A <a@example.com> 1700000000 +0000";
    objects.push(object("commit", `tree ${objects[0].id}\n${parent}author ${who}\ncommitter ${who}\n\n${name} ${i}\n`));
  }
  return objects;
}

function synthetic(q, s, name) {
  const objects = history(name), last = objects.at(-1);
  s.setHeader("Cache-Control", "no-cache");
  if (q.method === "GET") {
    s.setHeader("Content-Type", "application/x-git-upload-pack-advertisement");
    const capabilities = "multi_ack side-band-64k ofs-delta shallow no-progress allow-tip-sha1-in-want symref=HEAD:refs/heads/main agent=made-up";
    const refs = objects.slice(1, -1).map((o, i) => line(`${o.id} refs/pull/${i + 1}/head\n`));
    return s.end(line("# service=git-upload-pack\n") + "0000" + line(`${last.id} HEAD\0${capabilities}\n`) + line(`${last.id} refs/heads/main\n`) + refs.join("") + "0000");
  }
  s.setHeader("Content-Type", "application/x-git-upload-pack-result");
  const parts = [Buffer.from("PACK\0\0\0\x02\0\0\0"), Buffer.from([objects.length])];
  for (const { kind, body } of objects) {
    let size = body.length, byte = ((kind === "commit" ? 1 : 2) << 4) | (size & 15);
    const head = [];
    for (size >>= 4; size; size >>= 7) {
      head.push(byte | 128);
      byte = size & 127;
    }
    parts.push(Buffer.from([...head, byte]), deflateSync(Buffer.from(body)));
  }
  const pack = Buffer.concat(parts);
  const band = Buffer.concat([Buffer.from([1]), pack, sha1(pack)]);
  q.resume();
  q.on("end", () => s.end(Buffer.concat([Buffer.from(line("NAK\n") + (band.length + 4).toString(16).padStart(4, "0")), band, Buffer.from("0000")])));
}

// The front: counts, limits, asks for the token.

const fresh = () => ({ api: { calls: 0, bytes: 0 }, git: { calls: 0, bytes: 0 }, paths: {}, limited: 0, early: 0 });
let counts = fresh(), limit = null, until = 0, remaining = 5000;

function authorized(q) {
  const [kind, value] = (q.headers.authorization ?? "").split(" ");
  if (kind === "Basic") return Buffer.from(value, "base64").toString().endsWith(`:${token}`);
  return /^(bearer|token)$/i.test(kind) && value === token;
}

function api(q, s, path) {
  counts.api.calls++;
  const kind = `${q.method} ` + path.replace(/^\/api\/v3/, "").replace(/\?.*/, "").replace(/^\/repos\/[^/]+\/[^/]+/, "/repos/…");
  counts.paths[kind] = (counts.paths[kind] ?? 0) + 1;
  if (Date.now() < until) counts.early++;
  s.setHeader("X-RateLimit-Limit", "5000");
  s.setHeader("X-RateLimit-Remaining", String((remaining = remaining > 0 ? remaining - 1 : 4999)));
  s.setHeader("X-RateLimit-Reset", String(Math.ceil(Date.now() / 1000) + 3600));
  if (limit && limit.times > 0 && new RegExp(limit.match).test(path)) {
    limit.times--;
    counts.limited++;
    until = Date.now() + limit.seconds * 1000;
    for (const [name, value] of Object.entries(limit.headers ?? {})) s.setHeader(name, String(value).replace("@reset", String(Math.ceil(until / 1000))));
    s.statusCode = limit.status;
    return s.end(JSON.stringify(limit.body ?? { message: "limited" }));
  }
  const headers = { ...q.headers, host: `127.0.0.1:${port}` };
  const ask = forward({ host: "127.0.0.1", port: apiPort, path: path.replace(/^\/api\/v3/, "") || "/", method: q.method, headers }, (answer) => {
    s.writeHead(answer.statusCode, { ...answer.headers });
    answer.on("data", (data) => (counts.api.bytes += data.length));
    answer.pipe(s);
  });
  ask.on("error", () => s.writeHead(502).end());
  q.pipe(ask);
}

function git(q, s, path) {
  counts.git.calls++;
  const [, name, rest, query] = path.match(/^\/([^/]+\/[^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack)(?:\?(.*))?$/) ?? [];
  if (!name) return s.writeHead(404).end();
  if (flags.synthetic) return synthetic(q, s, name);
  const plain = name.replace(/\.wiki$/, "");
  const r = organisation().byName.get(plain.toLowerCase());
  if (!r || r.broken === "missing") return s.writeHead(404).end("Repository not found.");
  if (r.broken === "server") return s.writeHead(500).end("Something went wrong.");
  if (r.renamed) return s.writeHead(301, { Location: `${origin}/${r.renamed}.git/${rest}${query ? "?" + query : ""}` }).end();
  backend(q, s, `/${name}.git/${rest}`, query ?? "", counts.git);
}

const apiPort = await startAPI();
createServer((q, s) => {
  if (q.url === "/-/counts") {
    s.end(JSON.stringify(counts));
    counts = fresh();
  } else if (q.url === "/-/limit") {
    let text = "";
    q.on("data", (data) => (text += data)).on("end", () => {
      limit = JSON.parse(text);
      s.end();
    });
  } else if (!authorized(q)) {
    counts.unauthorized = (counts.unauthorized ?? 0) + 1;
    s.writeHead(401, { "WWW-Authenticate": 'Basic realm="GitHub"' }).end('{"message": "Requires authentication"}');
  } else if (q.url.startsWith("/api/")) api(q, s, q.url);
  else git(q, s, q.url);
}).listen(port, "127.0.0.1", () => console.log(`${origin}/api/v3`));
