// Runs AI assistants with the configuration that docs/editors.md shows, beside a stand-in for
// the model. The stand-in asks for one command, with a key in it or without. It holds that the
// assistant runs the command without a key and no other, tells the model why, and sends no
// prompt with a key. It takes some 900 MB of npm packages, so .ci/run does not run it.
//
//   npm install --prefix FOLDER @anthropic-ai/claude-code @openai/codex @google/gemini-cli @github/copilot
//   node FOLDER/node_modules/@anthropic-ai/claude-code/install.cjs
//   node .ci/assistants.mjs FOLDER
import {spawn, spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:http'
import {randomBytes, randomInt} from 'node:crypto'
import {dirname, join} from 'node:path'
import {tmpdir} from 'node:os'

const folder = process.argv[2]
const home = mkdtempSync(join(tmpdir(), 'assistants-'))
const bin = join(home, 'bin'), work = join(home, 'work'), ran = join(home, 'ran')
const build = spawnSync('go', ['build', '-o', join(bin, 'stanch'), './cmd/stanch'], {stdio: 'inherit'})
if (build.status !== 0) process.exit(1)

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const id = 'AK' + 'IA' + Array.from({length: 16}, () => letters[randomInt(32)]).join('')
const key = `AWS_ACCESS_KEY_ID=${id} AWS_SECRET_ACCESS_KEY=${randomBytes(30).toString('base64')}`

const page = readFileSync('docs/editors.md', 'utf8')
function configure(name, heading, more = {}) {
	const block = page.split(`### ${heading}\n`)[1].match(/```json\n([^]*?)```/)[1]
	mkdirSync(dirname(join(home, name)), {recursive: true})
	writeFileSync(join(home, name), JSON.stringify({...JSON.parse(block), ...more}))
}
configure('.claude/settings.json', 'Claude Code')
configure('.codex/hooks.json', 'Codex')
configure('.gemini/settings.json', 'Gemini CLI', {security: {auth: {selectedType: 'gemini-api-key'}}})
configure('work/.github/hooks/stanch.json', 'GitHub Copilot and VS Code')
spawnSync('git', ['init', '-q', work])

let command, told, requests
const model = createServer((request, response) => {
	let body = ''
	request.on('data', (part) => { body += part })
	request.on('end', () => {
		if (request.method === 'POST' && !request.url.includes('count_tokens')) requests++
		told ||= body.includes('this call is blocked, because it brings a key')
		const send = (events) => {
			response.setHeader('content-type', 'text/event-stream')
			for (const [type, data] of events) response.write((type ? `event: ${type}\n` : '') + `data: ${JSON.stringify(type ? {type, ...data} : data)}\n\n`)
			response.end()
		}
		const asked = body ? JSON.parse(body) : {}
		const done = /"tool_result"|"function_call_output"|"functionResponse"/.test(body)
		if (request.url.startsWith('/v1/messages')) send(anthropic(asked, done))
		else if (request.url.startsWith('/v1/responses')) send(openai(asked, done))
		else if (/streamGenerateContent/.test(request.url)) send([['', gemini(done)]])
		else response.end('{}')
	})
}).listen(0, '127.0.0.1', main)

function anthropic(asked, done) {
	const tool = (asked.tools ?? []).find((t) => /^bash$/i.test(t.name))
	const call = tool && !done
	return [
		['message_start', {message: {id: 'm', type: 'message', role: 'assistant', model: asked.model, content: [], stop_reason: null, usage: {input_tokens: 1, output_tokens: 1}}}],
		['content_block_start', {index: 0, content_block: call ? {type: 'tool_use', id: 'call', name: tool.name, input: {}} : {type: 'text', text: ''}}],
		['content_block_delta', {index: 0, delta: call ? {type: 'input_json_delta', partial_json: JSON.stringify({command, description: 'x'})} : {type: 'text_delta', text: 'done'}}],
		['content_block_stop', {index: 0}],
		['message_delta', {delta: {stop_reason: call ? 'tool_use' : 'end_turn'}, usage: {output_tokens: 1}}],
		['message_stop', {}],
	]
}

function openai(asked, done) {
	const names = (asked.tools ?? []).map((t) => t.name)
	const item = done ? {type: 'message', role: 'assistant', id: 'm', content: [{type: 'output_text', text: 'done'}]}
		: names.includes('exec_command') ? {type: 'function_call', id: 'f', call_id: 'call', name: 'exec_command', arguments: JSON.stringify({cmd: command})}
			: {type: 'function_call', id: 'f', call_id: 'call', name: 'shell_command', arguments: JSON.stringify({command})}
	return [['response.created', {response: {id: 'r'}}], ['response.output_item.done', {item}],
		['response.completed', {response: {id: 'r', usage: {input_tokens: 1, output_tokens: 1, total_tokens: 2}}}]]
}

function gemini(done) {
	const part = done ? {text: 'done'} : {functionCall: {name: 'run_shell_command', args: {command, description: 'x'}}}
	return {candidates: [{content: {role: 'model', parts: [part]}, finishReason: 'STOP', index: 0}], usageMetadata: {totalTokenCount: 2}}
}

function run(program, args, env, withStanch) {
	const path = [...withStanch ? [bin] : [], join(folder, 'node_modules/.bin'), '/usr/bin', '/bin'].join(':')
	return new Promise((resolve) => {
		const child = spawn(join(folder, 'node_modules/.bin', program), args, {cwd: work, env: {HOME: home, PATH: path, TERM: 'dumb', ...env}, stdio: ['ignore', 'pipe', 'pipe'], timeout: 100_000})
		let out = ''
		child.stdout.on('data', (part) => { out += part })
		child.stderr.on('data', (part) => { out += part })
		child.on('close', () => resolve(out))
	})
}

async function main() {
	const url = `http://127.0.0.1:${model.address().port}`
	writeFileSync(join(home, '.codex/config.toml'), `model = "gpt-5"\nmodel_provider = "here"\n[model_providers.here]\nname = "here"\nbase_url = "${url}/v1"\nwire_api = "responses"\nenv_key = "KEY"\n`)
	const assistants = {
		claude: [(p) => ['-p', p, '--allowedTools', 'Bash'], {ANTHROPIC_API_KEY: 'x', ANTHROPIC_BASE_URL: url, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1'}],
		codex: [(p) => ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '--dangerously-bypass-hook-trust', p], {KEY: 'x'}],
		gemini: [(p) => ['--yolo', '-m', 'gemini-2.5-flash', '-p', p], {GEMINI_API_KEY: 'x', GOOGLE_GEMINI_BASE_URL: url, GEMINI_CLI_TRUST_WORKSPACE: 'true'}],
		copilot: [(p) => ['--allow-all-tools', '-p', p], {COPILOT_PROVIDER_TYPE: 'anthropic', COPILOT_PROVIDER_BASE_URL: url, COPILOT_PROVIDER_API_KEY: 'x', COPILOT_MODEL: 'claude-sonnet-4.5', COPILOT_OFFLINE: 'true', GITHUB_COPILOT_PROMPT_MODE_REPO_HOOKS: 'true'}],
	}
	let failed = false
	for (const [name, [args, env]] of Object.entries(assistants)) {
		console.log(name, (await run(name, ['--version'], {}, true)).split('\n').find((line) => /\d+\.\d+\.\d+/.test(line)))
		for (const [row, prompt, typed, withStanch, want] of [
			['no key', 'list', `touch ${ran}`, true, {ran: true, told: false, sent: true}],
			['a key in a command', 'list', `touch ${ran}; export ${key}`, true, {ran: false, told: true, sent: true}],
			['a key in a prompt', key, `touch ${ran}`, true, {ran: name === 'copilot', told: false, sent: name === 'copilot'}],
			['no stanch', 'list', `touch ${ran}`, false, {ran: false}],
		]) {
			[command, told, requests] = [typed, false, 0]
			rmSync(ran, {force: true})
			const out = await run(name, args(prompt), env, withStanch)
			const got = {ran: existsSync(ran), told, sent: requests > 0}
			const ok = Object.entries(want).every(([field, value]) => got[field] === value)
			failed ||= !ok
			console.log(ok ? '  ok  ' : '  FAIL', row, JSON.stringify(got), ok ? '' : '\n' + out)
		}
	}
	rmSync(home, {recursive: true, force: true})
	process.exit(failed ? 1 : 0)
}
