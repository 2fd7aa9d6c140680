package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestInventory makes a list of keys at moto's IAM and finds them, offline.
func TestInventory(t *testing.T) {
	aws := startMoto(t)
	aws.call("CreateUser", "UserName", "alice")
	aws.call("CreateUser", "UserName", "bob")
	active, inactive := aws.createKey("alice"), aws.createKey("bob")
	aws.call("UpdateAccessKey", "UserName", "bob", "AccessKeyId", inactive.ID, "Status", "Inactive")
	operateAt(t, active)

	dir := t.TempDir()
	list := filepath.Join(dir, "keys.jsonl")
	var stdout, stderr bytes.Buffer
	if err := run(t.Context(), []string{"inventory", "--output", list, "--aws-endpoint", aws.url.String()}, nil, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stderr.String(), "2 access keys of account 123456789012") {
		t.Errorf("stderr %s", stderr.String())
	}
	text, err := os.ReadFile(list)
	if err != nil || bytes.Contains(text, []byte(active.ID)) || bytes.Count(text, []byte("\n")) != 3 {
		t.Errorf("%v:\n%s", err, text)
	}
	if info, err := os.Stat(list); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}

	foreign := detectorstest.KeyID("AKIA", "210987654321", 1)
	leak := filepath.Join(dir, "leak")
	if err := os.Mkdir(leak, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"a.env": "endpoint=http://localhost:4566\nkey=" + active.ID + "\n", "b.env": "key=" + inactive.ID + "\n", "c.env": "key=" + foreign + "\n",
	} {
		if err := os.WriteFile(filepath.Join(leak, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stdout.Reset()
	if err := run(t.Context(), []string{"dir", leak, "--inventory", list, "-f", "json"}, nil, &stdout, &stderr); !errors.Is(err, cli.ErrLeaks) {
		t.Errorf("error %v", err)
	}
	found := readFindings(t, stdout.Bytes())
	for id, want := range map[string]verifier.Fact{
		active.ID:   {Name: "owner", Value: "IAM user alice of account 123456789012, by your inventory", Risk: 3},
		inactive.ID: {Name: "owner", Value: "IAM user bob of account 123456789012, by your inventory", Risk: 1},
		foreign:     {},
	} {
		got := verifier.Fact{}
		for _, f := range found[id].Verdict.Facts {
			if f.Name == "owner" {
				got = f
			}
		}
		if got != want || found[id].Match.Confidence != detectors.High || found[id].Verdict.State != verifier.Skipped {
			t.Errorf("%+v, confidence %s, state %s; want %+v", got, found[id].Match.Confidence, found[id].Verdict.State, want)
		}
	}
}

// operateAt makes the default chain of the AWS CLI sign with key.
func operateAt(t *testing.T, key accessKey) {
	t.Helper()
	verifiertest.SignAs(t, detectors.Credential{ID: key.ID, Secret: detectors.NewSecret(key.Secret)})
}

// TestInventoryOfNobody: without an identity, or with one that IAM refuses, nothing is
// written.
func TestInventoryOfNobody(t *testing.T) {
	operateAt(t, accessKey{})
	out := filepath.Join(t.TempDir(), "keys.jsonl")
	err := run(t.Context(), []string{"inventory", "-o", out, "--aws-endpoint", "http://127.0.0.1:1"}, nil, &bytes.Buffer{}, &bytes.Buffer{})
	if !errors.Is(err, cli.ErrIncomplete) || !strings.Contains(err.Error(), "no identity of your own") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was written: %v", err)
	}
}
