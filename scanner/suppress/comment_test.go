package suppress_test

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/scanner/suppress"
)

// TestForeignComments: the comments of other tools in a text, each where its tool reads it.
func TestForeignComments(t *testing.T) {
	const key = "id = {AKIA1}"
	for _, tt := range []struct{ name, text, why string }{
		{"none", "a\n" + key + "\nb\n", ""},
		{"betterleaks", key + " # betterleaks:allow\n", "its line says betterleaks:allow"},
		{"betterleaks_in_capitals", key + " # Betterleaks:Allow\n", ""},
		{"betterleaks_before", "# betterleaks:allow\n" + key, ""},
		{"ggshield", key + " # ggignore\n", "its line says ggignore"},
		{"ggshield_before", "# ggignore\n" + key, ""},
		{"ggshield_pragma", key + " # pragma: allowlist secret\n", "its line says pragma: allowlist secret"},
		{"pragma_above_the_secret", key + "\n\n# pragma: allowlist nextline secret\naws_secret_access_key = {secret1}\n", "the line before says: pragma: allowlist nextline secret"},

		{"kingfisher", key + " // kingfisher:ignore\n", "its line says kingfisher:ignore"},
		{"kingfisher_in_capitals", key + " // Kingfisher:Ignore\n", "its line says kingfisher:ignore"},
		{"kingfisher_old", key + " // kingfisher:allow\n", "its line says kingfisher:allow"},
		{"kingfisher_before", "# kingfisher:ignore\n" + key, "the line before says kingfisher:ignore"},
		{"kingfisher_after", key + "\n# kingfisher:ignore\n", "the line after says kingfisher:ignore"},
		{"kingfisher_two_lines_before", "# kingfisher:ignore\n\n" + key, ""},
		{"kingfisher_below_the_secret", key + "\n\naws_secret_access_key = {secret1}\n# kingfisher:ignore", "the line after says kingfisher:ignore"},

		{"secretlint_line", key + " // secretlint-disable-line\n", "its line says secretlint-disable-line"},
		{"secretlint_line_before", "x // secretlint-disable-line\n" + key, ""},
		{"secretlint_next_line", "// secretlint-disable-next-line\n" + key, "the line before says secretlint-disable-next-line"},
		{"secretlint_next_line_above_the_secret", key + "\n\n# secretlint-disable-next-line\naws_secret_access_key = {secret1}\n", "the line before says secretlint-disable-next-line"},
		{"secretlint_next_line_on_the_line", key + " // secretlint-disable-next-line\n", ""},
		{"secretlint_line_of_the_rule", key + " # secretlint-disable-line x, @secretlint/secretlint-rule-aws -- demo\n", "its line says secretlint-disable-line"},
		{"secretlint_line_of_another_rule", key + " # secretlint-disable-line @secretlint/secretlint-rule-github\n", ""},
		{"secretlint_in_html", key + " <!-- secretlint-disable-line -->\n", "its line says secretlint-disable-line"},
		{"secretlint_off", "/* secretlint-disable */\n\n\n" + key, "a line before says secretlint-disable"},
		{"secretlint_off_afterwards", key + "\n// secretlint-disable\n", ""},
		{"secretlint_on_again", "// secretlint-disable\nx\n// secretlint-enable -- done\n" + key, ""},
		{"secretlint_on_afterwards", "// secretlint-disable\n" + key + "\n// secretlint-enable\n", "a line before says secretlint-disable"},
		{"secretlint_off_for_the_rule", "// secretlint-disable @secretlint/secretlint-rule-aws\n\n" + key, "a line before says secretlint-disable"},
		{"secretlint_off_for_another_rule", "// secretlint-disable @secretlint/secretlint-rule-github\n\n" + key, ""},
		{"secretlint_on_for_another_rule", "// secretlint-disable\n// secretlint-enable @secretlint/secretlint-rule-github\n" + key, "a line before says secretlint-disable"},
		{"secretlint_on_for_the_rule", "// secretlint-disable a, @secretlint/secretlint-rule-aws\n// secretlint-enable @secretlint/secretlint-rule-aws\n" + key, ""},
		{"secretlint_on_once", "// secretlint-disable\n// secretlint-disable @secretlint/secretlint-rule-github\n// secretlint-enable\n" + key, "a line before says secretlint-disable"},

		{"semgrep", key + " # nosemgrep\n", "its line, or the line before, says nosemgrep"},
		{"semgrep_short", key + " # NOSEM\n", "its line, or the line before, says nosemgrep"},
		{"semgrep_without_a_space", key + " #nosemgrep\n", ""},
		{"semgrep_before", "  // nosemgrep\n" + key, "its line, or the line before, says nosemgrep"},
		{"semgrep_before_behind_code", "f() // nosemgrep\n" + key, ""},
		{"semgrep_after", key + "\n# nosemgrep\n", ""},
		{"semgrep_rule", key + " # nosemgrep: generic.secrets.security.detected-aws-access-key-id-value.detected-aws-access-key-id-value\n", "its line, or the line before, says nosemgrep"},
		{"semgrep_end_of_a_rule", key + " # nosem:other-rule, detected-aws-access-key-id-value because\n", "its line, or the line before, says nosemgrep"},
		{"semgrep_rule_in_html", `<a nosemgrep="aws-access-token" href="{AKIA1}">`, "its line, or the line before, says nosemgrep"},
		{"semgrep_other_rule", key + " # nosemgrep: detected-stripe-api-key\n", ""},
		{"semgrep_other_rule_of_aws", key + " # nosemgrep: aws-lambda-environment-unencrypted\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sc := scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: &answer{}}
			sc.AllowAt = []scanner.LocationFilter{suppress.Comments(now, nil)}
			var sink scannertest.Sink
			if err := sc.Scan(t.Context(), text(detectorstest.Fill(tt.text)), &sink); err != nil {
				t.Fatal(err)
			}
			if len(sink.Findings) != 1 || sink.Findings[0].Ignored != tt.why {
				t.Fatalf("%d findings, ignored %q; want one, %q", len(sink.Findings), sink.Findings[0].Ignored, tt.why)
			}
		})
	}
}

// TestSwitches: in a text with a hundred thousand comments that switch secretlint, the first
// hundred count.
func TestSwitches(t *testing.T) {
	sc := scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: &answer{}}
	sc.AllowAt = []scanner.LocationFilter{suppress.Comments(now, nil)}
	var sink scannertest.Sink
	source := text(strings.Repeat("secretlint-disable\nsecretlint-enable\n", 50_000) + strings.Repeat(detectorstest.Fill("{AKIA1}\n{AKIA2}\n"), 1000))
	if err := sc.Scan(t.Context(), source, &sink); err != nil {
		t.Fatal(err)
	}
	for _, f := range sink.Findings {
		if f.Ignored != "" {
			t.Errorf("%s: %s", f.Match.Credential.ID, f.Ignored)
		}
	}
}
