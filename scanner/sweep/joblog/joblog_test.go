package joblog

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

func TestWith(t *testing.T) {
	var out bytes.Buffer
	log, err := New(&out, "json", slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	job := With(t.Context(), slog.Int64("job", 12), slog.String("kind", "scan"))
	first, second := With(job, slog.String("repository", "acme/a")), With(job, slog.String("repository", "acme/b")) // of one context: they share nothing
	log.With("process", "p").WarnContext(first, "it failed", "err", "why")
	log.InfoContext(second, "it went on")
	log.InfoContext(context.Background(), "of no job")
	log.DebugContext(job, "not for this level")
	want := []map[string]any{
		{"level": "WARN", "msg": "it failed", "err": "why", "process": "p", "job": 12.0, "kind": "scan", "repository": "acme/a"},
		{"level": "INFO", "msg": "it went on", "job": 12.0, "kind": "scan", "repository": "acme/b"},
		{"level": "INFO", "msg": "of no job"},
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines: %s", len(lines), out.String())
	}
	for i, line := range lines {
		got := map[string]any{}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		delete(got, "time")
		if len(got) != len(want[i]) {
			t.Errorf("line %d: %v, want %v", i, got, want[i])
		}
		for k, v := range want[i] {
			if got[k] != v {
				t.Errorf("line %d: %s is %v, want %v", i, k, got[k], v)
			}
		}
	}
}

func TestFormat(t *testing.T) {
	var out bytes.Buffer
	log, err := New(&out, "text", slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	log.InfoContext(With(t.Context(), slog.Int64("job", 3)), "done")
	if !strings.HasSuffix(out.String(), "level=INFO msg=done job=3\n") {
		t.Errorf("%s", out.String())
	}
	if _, err := New(&out, "xml", slog.LevelInfo); err == nil || !strings.Contains(err.Error(), "text or json") {
		t.Errorf("%v", err)
	}
}
