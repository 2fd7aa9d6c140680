package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// env is a file with a key, as an assistant writes it: the id is in line 2.
const env = "PORT=80\nAWS_ACCESS_KEY_ID={AKIA1}\nAWS_SECRET_ACCESS_KEY={secret1}\n"

type object = map[string]any

// assistantCalls are the documents that assistants pass to their hooks, as their vendors
// describe them. want is a part of the text for the model, or "" for a call that goes on.
var assistantCalls = []struct {
	name string
	call object
	want string
}{
	{"claude_write", toolCall("Write", object{"file_path": "/app/.env", "content": env}), "tool_input.content line 2, with its secret in tool_input.content line 3"},
	{"claude_write_json", toolCall("Write", object{"file_path": "/app/a.json", "content": `{"accessKeyId": "{AKIA1}", "secretAccessKey": "{secret1}"}`}), "in tool_input.content\n"},
	{"claude_write_example", toolCall("Write", object{"content": "id = AKIA" + "IOSFODNN7EXAMPLE\nsecret = wJalrXUtnFEMI/K7MDENG/bPx" + "RfiCYEXAMPLEKEY\n"}), ""},
	{"claude_write_nothing", toolCall("Write", object{"content": "secret = os.environ['AWS_SECRET_ACCESS_KEY']\n"}), ""},
	{"claude_allowed", toolCall("Write", object{"content": "k = {AKIA1} {secret1} # stanch:allow a test\n"}), ""},
	{"claude_one_of_two_allowed", toolCall("Write", object{"content": "k = {AKIA1} {secret1} # stanch:allow a test\n\n\n\nk = {AKIA2} {secret2}\n"}), "tool_input.content line 5"},
	{"claude_edit_adds", toolCall("Edit", object{"old_string": "x = 1", "new_string": "x = boto3.client(\n  aws_access_key_id=\"{AKIA1}\",\n  aws_secret_access_key=\"{secret1}\")"}), "tool_input.new_string line 2"},
	{"claude_edit_adds_a_secret", toolCall("Edit", object{"old_string": "AWS_SECRET_ACCESS_KEY=", "new_string": "AWS_SECRET_ACCESS_KEY={secret1}"}), "AWS secret access key in tool_input.new_string"},
	{"claude_edit_takes_away", toolCall("Edit", object{"old_string": env, "new_string": "import os\n"}), ""},
	{"claude_edit_takes_away_in_a_line", toolCall("Edit", object{"old_string": "k = \"{AKIA1}:{secret1}\"", "new_string": "k = os.environ['K']"}), ""},
	{"claude_edit_keeps", toolCall("Edit", object{"old_string": env, "new_string": strings.Replace(env, "PORT=80", "PORT=81", 1)}), ""},
	{"claude_edit_keeps_and_adds", toolCall("Edit", object{"old_string": env, "new_string": env + "\n\n" + strings.ReplaceAll(env, "1}", "2}")}), "{AKIA2} in tool_input.new_string line 7"},
	{"claude_edit_changes_the_line", toolCall("Edit", object{"old_string": "k = \"{AKIA1}:{secret1}\"", "new_string": "key = \"{AKIA1}:{secret1}\""}), "tool_input.new_string"},
	{"claude_multiedit", toolCall("MultiEdit", object{"edits": []any{object{"old_string": "a", "new_string": "b"}, object{"old_string": "c", "new_string": env}}}), "tool_input.edits[1].new_string line 2"},
	{"claude_bash", toolCall("Bash", object{"command": "export AWS_ACCESS_KEY_ID={AKIA1} AWS_SECRET_ACCESS_KEY='{secret1}' && aws s3 ls"}), "in tool_input.command"},
	{"claude_bash_id_alone", toolCall("Bash", object{"command": "stanch respond plan {AKIA1} --accounts 111122223333 -o plan.json"}), ""},
	{"claude_session_token", toolCall("Bash", object{"command": "export AWS_ACCESS_KEY_ID={ASIA1} AWS_SECRET_ACCESS_KEY={secret1} AWS_SESSION_TOKEN={token1}"}), "in tool_input.command"},
	{"claude_bedrock", toolCall("Write", object{"content": "AWS_BEARER_TOKEN_BEDROCK={bedrock1}\n"}), "tool_input.content line 1"},
	{"claude_mcp_fields", toolCall("mcp__x__start", object{"env": object{"AWS_ACCESS_KEY_ID": "{AKIA1}", "AWS_SECRET_ACCESS_KEY": "{secret1}"}}), "in tool_input.env.AWS_ACCESS_KEY_ID, with its secret in tool_input.env.AWS_SECRET_ACCESS_KEY"},
	{"claude_mcp_list", toolCall("mcp__x__start", object{"args": []any{"--key", "{AKIA1}", "--secret", "{secret1}"}}), "in tool_input.args[1]"},
	{"claude_prompt", object{"hook_event_name": "UserPromptSubmit", "prompt": "my key is {AKIA1} and its secret is {secret1}: list the buckets"}, "in prompt"},
	{"claude_prompt_nothing", object{"hook_event_name": "UserPromptSubmit", "prompt": "list the buckets", "session_id": "0b5b2b1e-7f3c-4f5e-9d52-3a7d2f6f3a10"}, ""},

	{"codex_patch_adds", toolCall("apply_patch", object{"command": "*** Begin Patch\n*** Update File: .env\n@@\n PORT=80\n+AWS_ACCESS_KEY_ID={AKIA1}\n+AWS_SECRET_ACCESS_KEY={secret1}\n*** End Patch\n"}), "tool_input.command line 5"},
	{"codex_patch_takes_away", toolCall("apply_patch", object{"command": "*** Begin Patch\n*** Update File: .env\n@@\n PORT=80\n-AWS_ACCESS_KEY_ID={AKIA1}\n-AWS_SECRET_ACCESS_KEY={secret1}\n+#\n*** End Patch\n"}), ""},

	{"cursor_shell", object{"hook_event_name": "beforeShellExecution", "command": "AWS_ACCESS_KEY_ID={AKIA1} AWS_SECRET_ACCESS_KEY={secret1} aws s3 ls", "cwd": "/app"}, "in command"},
	{"cursor_read", object{"hook_event_name": "beforeReadFile", "file_path": "/app/.env", "content": env}, "content line 2"},
	{"cursor_mcp", object{"hook_event_name": "beforeMCPExecution", "tool_name": "put", "tool_input": `{"body": "id: {AKIA1}\nsecret: {secret1}\n"}`}, "tool_input.body line 1"},
	{"cursor_prompt", object{"hook_event_name": "beforeSubmitPrompt", "prompt": env, "attachments": []any{}}, "prompt line 2"},

	{"copilot_create", object{"toolName": "create", "toolArgs": object{"path": "/app/.env", "file_text": env}}, "toolArgs.file_text line 2"},
	{"copilot_arguments_in_a_string", object{"toolName": "edit", "toolArgs": `{"path": "/app/.env", "old_str": "id = {AKIA1}\nsecret = {secret1}\n", "new_str": "\n"}`}, ""},
	{"vscode_replace", toolCall("replace_string_in_file", object{"oldString": "x", "newString": env}), "tool_input.newString line 2"},
	{"vscode_takes_away", toolCall("replace_string_in_file", object{"oldString": env, "newString": "x"}), ""},

	{"gemini_shell", toolCall("run_shell_command", object{"command": "curl -u {AKIA1}:{secret1} https://example.com"}), "in tool_input.command"},
	{"gemini_result", object{"tool_name": "read_file", "tool_input": object{"path": ".env"}, "tool_response": object{"llmContent": env}}, "tool_response.llmContent line 2"},

	{"windsurf_write", object{"agent_action_name": "pre_write_code", "tool_info": object{"file_path": "/app/.env", "edits": []any{object{"old_string": "", "new_string": env}}}}, "tool_info.edits[0].new_string line 2"},
	{"windsurf_takes_away", object{"agent_action_name": "pre_write_code", "tool_info": object{"edits": []any{object{"old_string": env, "new_string": ""}}}}, ""},
	{"windsurf_command", object{"agent_action_name": "pre_run_command", "tool_info": object{"command_line": "echo {AKIA1} {secret1}", "cwd": "/app"}}, "in tool_info.command_line"},
}

func toolCall(tool string, input object) object {
	return object{"session_id": "abc123", "cwd": "/app", "hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": input}
}

// document is the JSON of a call, with its blanks filled first: a secret may need escapes.
func document(t *testing.T, call object) string {
	t.Helper()
	text, err := json.Marshal(filled(call))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func filled(v any) any {
	switch v := v.(type) {
	case string:
		return detectorstest.Fill(v)
	case object:
		o := object{}
		for key, value := range v {
			o[key] = filled(value)
		}
		return o
	case []any:
		list := make([]any, 0, len(v))
		for _, value := range v {
			list = append(list, filled(value))
		}
		return list
	}
	return v
}

// TestAssistantCalls: a call that brings a key is blocked, and the model learns where the key
// is and not what it is.
func TestAssistantCalls(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, tt := range assistantCalls {
		t.Run(tt.name, func(t *testing.T) {
			var out, log bytes.Buffer
			code := cli.ExitCode(&log, run(t.Context(), []string{"hook", "assistant"}, strings.NewReader(document(t, tt.call)), &out, &log))
			checkAnswer(t, code, out.String(), log.String(), tt.want)
		})
	}
}

func checkAnswer(t *testing.T, code int, stdout, stderr, want string) {
	t.Helper()
	said := stdout + stderr
	if strings.HasPrefix(want, "toolArgs") { // Copilot's
		reason, err := json.Marshal(map[string]string{"permissionDecision": "deny", "permissionDecisionReason": stderr})
		if err != nil || string(reason)+"\n" != stdout {
			t.Errorf("Copilot is told %s", stdout)
		}
		stdout = ""
	}
	wantCode := cli.ExitUsage
	if want == "" {
		wantCode = cli.ExitClean
	}
	if code != wantCode || stdout != "" || !strings.Contains(stderr, detectorstest.Fill(want)) || want == "" && stderr != "" {
		t.Errorf("exit code %d, standard output %q, standard error:\n%s\nwant code %d and %q", code, stdout, stderr, wantCode, want)
	}
	for _, secret := range []string{"{secret1}", "{secret2}"} {
		if strings.Contains(said, detectorstest.Fill(secret)) {
			t.Errorf("the text for the model holds a secret:\n%s", said)
		}
	}
}

// TestAssistantCannotRead: a call that stanch cannot read is blocked.
func TestAssistantCannotRead(t *testing.T) {
	t.Chdir(t.TempDir())
	deep := strings.Repeat(`{"a":`, 200) + `"x"` + strings.Repeat("}", 200)
	for name, tt := range map[string]struct{ stdin, config, want string }{
		"nothing":       {"", "", "holds no tool call in JSON"},
		"text":          {"no JSON", "", "holds no tool call in JSON"},
		"two":           {"{} {}", "", "holds no tool call in JSON"},
		"list":          {"[]", "", "no object"},
		"string":        {`"x"`, "", "no object"},
		"deep":          {deep, "", "more than 100 deep"},
		"configuration": {"{}", "[[allow]\n", ".stanch.toml"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.config != "" {
				t.Chdir(t.TempDir())
				if err := os.WriteFile(".stanch.toml", []byte(tt.config), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out, log bytes.Buffer
			code := cli.ExitCode(&log, run(t.Context(), []string{"hook", "assistant"}, strings.NewReader(tt.stdin), &out, &log))
			if code != cli.ExitUsage || !strings.HasPrefix(log.String(), "stanch: this call is blocked: ") || !strings.Contains(log.String(), tt.want) {
				t.Errorf("exit code %d, standard error %q, want %q", code, log.String(), tt.want)
			}
		})
	}
}

// TestAssistantOwnRule: a rule of the project finds strings without an id and a hash. They count.
func TestAssistantOwnRule(t *testing.T) {
	t.Chdir(t.TempDir())
	const rule = "[[rules]]\nid = \"acme-token\"\ntitle = \"ACME token\"\nhelp = \"Opens the ACME shop.\"\nregex = 'acme_([0-9a-f]{16})'\n"
	if err := os.WriteFile(".stanch.toml", []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	call := document(t, toolCall("Write", object{"content": "\nt = acme_0123456789abcdef\n"}))
	code := cli.ExitCode(&log, run(t.Context(), []string{"hook", "assistant"}, strings.NewReader(call), &out, &log))
	checkAnswer(t, code, out.String(), log.String(), "ACME token in tool_input.content line 2")
}

// assistantLines returns the commands that docs/editors.md tells assistants to run.
func assistantLines(t *testing.T) (lines []string) {
	t.Helper()
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case object:
			for key, value := range v {
				if s, ok := value.(string); ok && (key == "command" || key == "bash") && strings.Contains(s, "hook assistant") {
					lines = append(lines, s)
				}
				collect(value)
			}
		case []any:
			for _, value := range v {
				collect(value)
			}
		}
	}
	for _, text := range editorBlocks(t, "json") {
		var doc any
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Errorf("a configuration of docs/editors.md is no JSON: %v\n%s", err, text)
		}
		collect(doc)
	}
	if len(lines) < 15 {
		t.Errorf("docs/editors.md configures %d hooks of assistants", len(lines))
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

func editorBlocks(t *testing.T, language string) (blocks []string) {
	t.Helper()
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(readPage(t, "docs/editors.md"), -1) {
		blocks = append(blocks, m[1])
	}
	if len(blocks) == 0 {
		t.Errorf("docs/editors.md has no block of %s", language)
	}
	return blocks
}

// answerOf runs a line of sh with text on standard input.
func answerOf(t *testing.T, env []string, line, stdin string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = t.TempDir(), env, strings.NewReader(stdin), &out, &log
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), log.String()
}

// TestAssistantLines: the lines of docs/editors.md block each call that brings a key, and no
// other. They block all if there is no stanch.
func TestAssistantLines(t *testing.T) {
	scannertest.Need(t, "sh")
	environment := hookEnv(t)
	for _, line := range assistantLines(t) {
		for _, tt := range assistantCalls {
			t.Run(tt.name, func(t *testing.T) {
				code, out, log := answerOf(t, environment, line, document(t, tt.call))
				checkAnswer(t, code, out, log, tt.want)
			})
		}
		if code, _, _ := answerOf(t, []string{"PATH=" + t.TempDir()}, line, "{}"); code != cli.ExitUsage {
			t.Errorf("without stanch, %q exits with %d: the assistant would go on", line, code)
		}
	}
}

// TestAssistantText: docs/editors.md shows the text that a model gets.
func TestAssistantText(t *testing.T) {
	page := readPage(t, "docs/editors.md")
	t.Chdir(t.TempDir())
	var out, log bytes.Buffer
	_ = run(t.Context(), []string{"hook", "assistant"}, strings.NewReader(document(t, assistantCalls[0].call)), &out, &log)
	want := strings.ReplaceAll(log.String(), detectorstest.Fill("{AKIA1}"), "AKIA…")
	if !strings.Contains(page, "```\n"+want+"```") {
		t.Errorf("docs/editors.md does not show the text\n%s", want)
	}
}

// TestEditors: Vim and Emacs show the key in a file that is saved, by the lines of
// docs/editors.md, and nothing for a file without one.
func TestEditors(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the lines are for a shell of Unix")
	}
	for _, tt := range []struct {
		editor, language string
		args             func(configuration, file, shown string) []string
	}{
		{"vim", "vim", func(configuration, file, shown string) []string {
			return []string{
				"-es", "-N", "-u", configuration, "-i", "NONE", file,
				"-c", "redir! > " + shown, "-c", "write", "-c", "redir END", "-c", "qa!",
			}
		}},
		{"emacs", "elisp", func(configuration, file, shown string) []string {
			return []string{
				"-Q", "--batch", "-l", configuration, file, "--eval",
				`(progn (set-buffer-modified-p t) (save-buffer) (with-current-buffer "*stanch*" (write-region nil nil "` + shown + `")))`,
			}
		}},
	} {
		t.Run(tt.editor, func(t *testing.T) {
			if _, err := exec.LookPath(tt.editor); err != nil {
				t.Skip(err)
			}
			environment := hookEnv(t)
			for text, want := range map[string]string{env: "where   ", "PORT=80\n": ""} {
				dir := t.TempDir()
				configuration, file, shown := filepath.Join(dir, "rc"), filepath.Join(dir, "a b.env"), filepath.Join(dir, "shown")
				for name, text := range map[string]string{configuration: editorBlocks(t, tt.language)[0], file: detectorstest.Fill(text)} {
					if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				cmd := exec.CommandContext(t.Context(), tt.editor, tt.args(configuration, file, shown)...)
				cmd.Env, cmd.Dir = environment, dir
				out, err := cmd.CombinedOutput()
				got, readErr := os.ReadFile(shown)
				if readErr != nil {
					t.Fatalf("%v, %v\n%s", err, readErr, out)
				}
				if strings.Contains(string(got), "where   ") != (want != "") {
					t.Errorf("for a file that holds %q, %s shows %q (%v, %s)", text, tt.editor, got, err, out)
				}
			}
		})
	}
}

// TestProblemMatcher: the pattern of docs/editors.md finds the file and the line of a key in
// what the task prints.
func TestProblemMatcher(t *testing.T) {
	var task struct {
		Tasks []struct {
			Command        string
			Args           []string
			ProblemMatcher struct {
				Pattern struct {
					Regexp     string
					File, Line int
				}
			}
		}
	}
	for _, text := range editorBlocks(t, "json") {
		if strings.Contains(text, "problemMatcher") {
			if err := json.Unmarshal([]byte(text), &task); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(task.Tasks) != 1 || task.Tasks[0].Command != "stanch" {
		t.Fatalf("docs/editors.md has no task that runs stanch: %+v", task)
	}
	file := filepath.Join(t.TempDir(), "a b.env")
	if err := os.WriteFile(file, []byte(detectorstest.Fill(env)), 0o600); err != nil {
		t.Fatal(err)
	}
	args := slices.Clone(task.Tasks[0].Args)
	args[slices.Index(args, "${file}")] = file
	pattern := task.Tasks[0].ProblemMatcher.Pattern
	m := regexp.MustCompile("(?m)" + pattern.Regexp).FindStringSubmatch(printed(t, cli.ExitLeaks, "", args...))
	if m == nil || m[pattern.File] != filepath.ToSlash(file) || m[pattern.Line] != "2" {
		t.Errorf("the pattern matches %q", m)
	}
}
