package database

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// randomSecret returns 40 random characters of base64.
func randomSecret(r *rand.Rand) string {
	raw := make([]byte, 30)
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func TestRedact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // to have the same ones in each run
	for _, form := range []struct{ name, before, after string }{
		{"alone", "", ""}, {"a file", "dir/", ".env"}, {"a folder", "dir/", "/main.tf"}, {"a branch", "refs/heads/", ""},
		{"glued", "x", "y"}, {"assigned", "aws_secret_access_key=", ""}, {"in an address", "", "@example.com"}, {"in JSON", `{"path":"a\n`, `"}`},
		{"a Windows path", `C:\`, `\x`}, {"not UTF-8", "\xe9", "\xff"},
	} {
		for range 1000 {
			secret := randomSecret(r)
			for _, s := range []string{secret, url.PathEscape(secret), url.QueryEscape(secret), url.QueryEscape(url.QueryEscape(secret)), strings.ReplaceAll(secret, "/", `\/`), strings.ReplaceAll(secret, "+", `\u002b`)} {
				text := form.before + s + form.after
				got := Redact(text)
				if strings.Contains(got, s[:30]) || strings.Contains(got, s[len(s)-30:]) || !finding.IsRedacted(got) {
					t.Errorf("%s: %q is kept as %q", form.name, text, got)
				}
				if again := Redact(got); again != got {
					t.Errorf("%s: %q is kept as %q, and then as %q", form.name, text, got, again)
				}
			}
		}
	}
	one, two := Redact("a/"+randomSecret(r)), Redact("a/"+randomSecret(r))
	if one == two {
		t.Errorf("two names are both kept as %q", one)
	}
}

// TestRedactLeaves: hashes and ordinary names stay readable.
func TestRedactLeaves(t *testing.T) {
	for _, text := range []string{
		"", "a", "objects/ab/" + strings.Repeat("0123456789abcdef", 4), strings.Repeat("0123456789ABCDEF", 4),
		"https://github.com/acme/app/blob/0123456789abcdef0123456789abcdef01234567/src/main.go",
		"src/main/java/org/springframework/boot/autoconfigure/AutoConfigurationImportSelectorTests.java",
		"Assets/Plugins/iOS/UnityPurchasing/AppStoreReceiptParserTests.cs", "test/EFCore.SqlServer.FunctionalTests/Query/NorthwindGroupByQuerySqlServerTest.cs",
		"arn:aws:iam::123456789012:user/ci/DeployUserOfTheProductionEnvironment", "refs/heads/dependabot/npm_and_yarn/types/node-20.11.5",
		"AKIA" + strings.Repeat("A2", 8) + "/20240101/us", `{"a":"b\u003cc","secret_sha256":"` + strings.Repeat("0a", 32) + `"}`,
		"LICENSES/BSD-3-Clause.txt",
	} {
		if got := Redact(text); got != text || finding.IsRedacted(got) {
			t.Errorf("%q is kept as %q", text, got)
		}
	}
}

// TestRedactRates measures how many secrets are not recognized, and how many of the paths
// in the file STANCH_PATHS, a line each, lose a part.
func TestRedactRates(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // to have the same ones in each run
	const n = 500_000
	missed := 0
	for range n {
		if s := randomSecret(r); Redact(s) == s {
			missed++
		}
	}
	t.Logf("%d of %d secrets are not recognized", missed, n)
	if missed > n/100_000 {
		t.Errorf("%d of %d secrets are not recognized", missed, n)
	}
	file := os.Getenv("STANCH_PATHS")
	if file == "" {
		return
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	paths := strings.Split(strings.TrimSpace(string(raw)), "\n")
	cut := 0
	for _, path := range paths {
		if got := Redact(path); got != path {
			if cut++; cut%10 == 1 {
				t.Logf("%s: %s", path, got)
			}
		}
	}
	t.Logf("%d of %d paths lose a part", cut, len(paths))
}

// FuzzRedact holds that JSON stays JSON, and that nothing is left to redact.
func FuzzRedact(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // to have the same ones in each run
	for _, before := range []string{"", "\n", `\`, "<", "\xff", "\u2028", `\u00`, "%", "%25"} {
		f.Add(before+randomSecret(r)+before, before)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		raw, err := json.Marshal(map[string]string{a: b, b: a + b})
		if err != nil {
			t.Skip()
		}
		if got := Redact(string(raw)); !json.Valid([]byte(got)) {
			t.Errorf("%s is kept as %s", raw, got)
		}
		if got := Redact(a); Redact(got) != got {
			t.Errorf("%q is kept as %q, and then as %q", a, got, Redact(got))
		}
	})
}

// TestRedactAttr: a log has no secret, in whatever it is.
func TestRedactAttr(t *testing.T) {
	secret := randomSecret(rand.New(rand.NewPCG(7, 8))) //nolint:gosec // to have the same one in each run
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: RedactAttr}))
	log.With("repository", "acme/"+secret).WithGroup("g").Warn("reading "+secret, //nolint:sloglint // it quotes a name, as no message should
		"err", errors.New("no "+secret), "n", 3)
	if strings.Contains(out.String(), secret[:30]) || strings.Count(out.String(), redactedMark) != 3 || !strings.Contains(out.String(), "g.n=3") {
		t.Error(out.String())
	}
}
