package scanner_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier"
)

// history is a source of texts by "COMMIT PATH": a commit is a number, one a day,
// or "-" outside of git; without a path, the text is the message of the commit.
type history map[string]string

func (h history) Blobs(_ context.Context, yield func(scanner.Blob) error) error {
	for place, text := range h {
		b := scanner.Blob{ID: finding.BlobID(place), Kind: finding.KindBlob, Name: place, Data: []byte(detectorstest.Fill(text))}
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}

func (h history) Locate(_ context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for _, id := range ids {
		commit, path, _ := strings.Cut(string(id), " ")
		p := finding.Location{Kind: finding.KindBlob, Path: path}
		if n, err := strconv.Atoi(commit); err == nil {
			p.Commit, p.Time = commit, time.Unix(int64(n)*86400, 0)
		}
		if path == "" {
			p.Kind = finding.KindCommit
		}
		if err := yield(id, p); err != nil {
			return err
		}
	}
	return nil
}

// reported renders findings that are not ignored: the parts with their places, the
// confidence and the state.
func reported(sink *scannertest.Sink) []string {
	var out []string
	for _, f := range sink.Findings {
		if f.Ignored != "" {
			continue
		}
		c := f.Match.Credential
		line := partsOf(c)
		for _, l := range f.Locations {
			line += fmt.Sprintf(", %s", strings.TrimSpace(l.Part+" "+string(l.Blob)))
		}
		out = append(out, line+", "+strings.TrimSpace(string(f.Match.Confidence)+" "+string(f.Verdict.State)))
	}
	slices.Sort(out)
	return out
}

// partsOf renders the parts that c has.
func partsOf(c detectors.Credential) string {
	return strings.Join(strings.Fields(c.ID+" "+c.Secret.Reveal()+" "+c.Token.Reveal()), " ")
}

func fillAll(list []string) []string {
	var filled []string
	for _, s := range list {
		filled = append(filled, detectorstest.Fill(s))
	}
	slices.Sort(filled)
	return filled
}

// answers is a verifier that knows the state of "{AKIA1} {secret1}"; of the rest it
// answers as a verifier that is offline.
type answers map[string]verifier.State

func (a answers) Verify(_ context.Context, c detectors.Credential) verifier.Verdict {
	for text, state := range a {
		if detectorstest.Fill(text) == partsOf(c) {
			return verifier.Verdict{State: state, At: time.Unix(1, 0)}
		}
	}
	return verifier.Verdict{State: verifier.Skipped}
}

// inBase64 returns text, filled in, in base64.
func inBase64(text string) string {
	return base64.StdEncoding.EncodeToString([]byte(detectorstest.Fill(text)))
}

// TestPairing holds the rules of pairing.go, without proof.
func TestPairing(t *testing.T) {
	const (
		id, secret = "id={AKIA1}", "secret={secret1}"
		foreign    = "\narn:aws:iam::210987654321:user/x"
	)
	cluster := history{"1 a/id": id, "2 a/s": secret}
	far := history{"1 a/x": id + strings.Repeat("\n", 500) + "aws_secret={secret1}"}
	for i := range 40 {
		cluster[fmt.Sprintf("%d a/%d", i+3, i)] = "secret=" + detectorstest.SecretKey(uint64(i)+100)
	}
	for _, tt := range []struct {
		name  string
		texts history
		want  []string
	}{
		{"same_path", history{"1 a/x": id, "2 a/x": secret}, []string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/x, medium"}},
		{"same_path_secret_first", history{"1 a/x": secret, "2 a/x": id}, []string{"{AKIA1} {secret1}, secret 1 a/x, 2 a/x, medium"}},
		{"same_commit_and_directory", history{"1 a/x": id, "1 a/y": secret}, []string{"{AKIA1} {secret1}, 1 a/x, secret 1 a/y, medium"}},
		{"same_commit", history{"1 a/x": id, "1 b/y": "aws_secret={secret1}"}, []string{"{AKIA1} {secret1}, 1 a/x, secret 1 b/y, low"}},
		{"message_of_the_commit", history{"1 a/x": id, "1 ": "aws_secret={secret1}"}, []string{"{AKIA1} {secret1}, 1 a/x, secret 1, low"}},
		{"same_directory", history{"1 a/x": id, "2 a/y": "aws_secret={secret1}"}, []string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/y, low"}},
		{"same_commit_and_anybodys", history{"1 a/x": id, "1 b/y": secret}, []string{"{AKIA1}, 1 a/x, high"}},
		{"same_directory_and_anybodys", history{"1 a/x": id, "2 a/y": secret}, []string{"{AKIA1}, 1 a/x, high"}},
		{"same_directory_on_disk", history{"- a/x": id, "- a/y": "aws_secret={secret1}"}, []string{"{AKIA1} {secret1}, - a/x, secret - a/y, low"}},
		{"files_of_one_value", history{"- a/access_key": "{AKIA1}\n", "- a/secret_key": "{secret1}\n"}, []string{"{AKIA1} {secret1}, - a/access_key, secret - a/secret_key, medium"}},
		{"files_of_one_value_in_base64", history{"- a/AWS_ACCESS_KEY_ID": inBase64("{AKIA1}"), "- a/AWS_SECRET_ACCESS_KEY": inBase64("{secret1}\n")},
			[]string{"{AKIA1} {secret1}, - a/AWS_ACCESS_KEY_ID, secret - a/AWS_SECRET_ACCESS_KEY, medium"}},
		{"files_of_one_value_in_an_archive", history{"- a.zip!id": "{AKIA1}", "- a.zip!aws_secret_key": "{secret1}"}, []string{"{AKIA1} {secret1}, - a.zip!id, secret - a.zip!aws_secret_key, medium"}},
		{"files_of_one_value_below_their_names", history{"- a/aws_key_id/value": "{AKIA1}", "- a/aws_secret_key/value": "{secret1}", "- a/jwt_secret/value": "{secret2}"},
			[]string{"{AKIA1} {secret1}, - a/aws_key_id/value, secret - a/aws_secret_key/value, medium"}},
		{"files_of_two_accounts", history{"- a/DEV_KEY_ID": "{AKIA1}", "- a/DEV_SECRET": "{secret1}", "- a/PROD_KEY_ID": "{AKIA2}", "- a/PROD_SECRET": "{secret2}"},
			[]string{"{AKIA1} {secret1}, - a/DEV_KEY_ID, secret - a/DEV_SECRET, medium", "{AKIA2} {secret2}, - a/PROD_KEY_ID, secret - a/PROD_SECRET, medium"}},
		{"file_of_a_lone_secret", history{"- a/aws_secret_access_key": "{secret1}", "- b/secret_key": "{secret2}", "- b/notes": "{secret3}"}, []string{"{secret1}, - a/aws_secret_access_key, medium"}},
		{"file_that_says_nothing", history{"1 a/id": "{AKIA1}", "1 a/notes": "{secret1}", "2 a/id": "{AKIA1}\n"}, []string{"{AKIA1}, 1 a/id, 2 a/id, high"}},
		{"file_of_a_hash", history{"1 a/key_id": "{AKIA1}", "1 a/secret.sha1": "{secret1}"}, []string{"{AKIA1}, 1 a/key_id, high"}},
		{"file_of_a_known_secret", history{"1 a/x": "id={AKIA1} secret={secret1}", "2 b/etag": "{secret1}"}, []string{"{AKIA1} {secret1}, 1 a/x, secret 2 b/etag, high"}},
		{"files_of_one_value_and_a_text", history{"- a/key_id": "{AKIA1}", "- a/secret_key": "{secret1}", "- a/x": "aws_secret={secret2}"},
			[]string{"{AKIA1} {secret1}, - a/key_id, secret - a/secret_key, medium", "{secret2}, - a/x, medium"}},
		{"same_archive", history{"- a/z.zip!x": id, "- a/z.zip!y": "aws_secret={secret1}"}, []string{"{AKIA1} {secret1}, - a/z.zip!x, secret - a/z.zip!y, low"}},
		{"no_relation", history{"1 a/x": id, "2 b/y": secret}, []string{"{AKIA1}, 1 a/x, high"}},
		{"no_relation_on_disk", history{"- a/x": id, "- a/b/y": secret}, []string{"{AKIA1}, - a/x, high"}},
		{"no_id", history{"1 a/x": secret}, nil},
		{"reported_alone_but_for_the_id", history{"1 a/x": id, "2 a/x": "aws_secret_key={secret1}", "3 b/y": "aws_secret_key={secret2}"},
			[]string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/x, medium", "{secret2}, 3 b/y, medium"}},

		{"own_text", history{"1 a/x": id, "1 a/y": "id={AKIA2}\n" + secret}, []string{"{AKIA1}, 1 a/x, high", "{AKIA2} {secret1}, 1 a/y, high"}},
		{"copy_of_a_secret_with_its_id", history{"1 a/x": id, "1 a/y": secret, "2 b/z": "id={AKIA2}\n" + secret},
			[]string{"{AKIA1}, 1 a/x, high", "{AKIA2} {secret1}, secret 1 a/y, 2 b/z, high"}},
		{"account", history{"1 a/x": id, "2 a/x": secret + foreign}, []string{"{AKIA1}, 1 a/x, high"}},
		{"account_elsewhere", history{"1 a/x": id, "2 a/x": secret + foreign, "3 a/y": "aws_secret={secret2}"}, []string{"{AKIA1} {secret2}, 1 a/x, secret 3 a/y, low"}},
		{"group", history{"1 a/x": "DEV_ID={AKIA1}", "1 a/y": "PROD_SECRET={secret2}\nDEV_SECRET={secret1}"}, []string{"{AKIA1} {secret1}, 1 a/x, secret 1 a/y, medium"}},
		{"other_group", history{"1 a/x": "DEV_ID={AKIA1}", "2 a/x": "PROD_SECRET={secret1}"}, []string{"{AKIA1}, 1 a/x, high"}},
		{"other_service", history{"1 a/x": "AWS_KEY={AKIA1}", "2 a/x": "JWT_SECRET={secret1}"}, []string{"{AKIA1}, 1 a/x, high"}},
		{"other_service_and_another", history{"1 a/x": "AWS_KEY={AKIA1}", "2 a/x": "JWT_SECRET={secret2}", "1 a/y": secret}, []string{"{AKIA1} {secret1}, 1 a/x, secret 1 a/y, medium"}},
		{"its_service", history{"1 a/x": "JWT_ID={AKIA1}", "2 a/x": "JWT_SECRET={secret1}"}, []string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/x, medium"}},
		{"one_text_and_far", far, []string{"{AKIA1}, 1 a/x, high", "{secret1}, 1 a/x, medium"}},
		{"one_text_and_far_and_its_next_version", history{"1 a/x": far["1 a/x"], "2 a/x": far["1 a/x"] + "\n"}, []string{"{AKIA1}, 1 a/x, 2 a/x, high", "{secret1}, 1 a/x, 2 a/x, medium"}},
		{"signed_request", history{"1 a/x": "https://b/?X-Amz-Credential={AKIA1}%2F20260102%2Fus-east-1", "1 a/y": secret}, []string{"{AKIA1}, 1 a/x, high"}},
		{"signed_request_and_elsewhere", history{"1 a/x": "https://b/?X-Amz-Credential={AKIA1}%2F20260102%2Fus-east-1", "1 a/y": secret, "1 a/z": id},
			[]string{"{AKIA1} {secret1}, 1 a/x, 1 a/z, secret 1 a/y, medium"}},
		{"members_of_one_archive", history{"1 z.zip!x": id, "1 z.zip!y": "aws_secret={secret1}"}, []string{"{AKIA1} {secret1}, 1 z.zip!x, secret 1 z.zip!y, medium"}},
		{"path_before_commit", history{"1 a/x": id, "1 a/y": "secret={secret2}", "3 a/x": secret}, []string{"{AKIA1} {secret1}, 1 a/x, secret 3 a/x, medium"}},
		{"commit_before_directory", history{"1 a/x": id, "2 a/y": "s3_secret={secret2}", "1 b/y": "s3_secret={secret1}"},
			[]string{"{AKIA1} {secret1}, 1 a/x, secret 1 b/y, low", "{secret2}, 2 a/y, medium"}},
		{"directories", history{"1 a/x": id, "1 b/x": "id={AKIA2}", "1 a/y": secret, "1 b/y": "secret={secret2}"},
			[]string{"{AKIA1} {secret1}, 1 a/x, secret 1 a/y, medium", "{AKIA2} {secret2}, 1 b/x, secret 1 b/y, medium"}},
		{"name", history{"1 a/x": id, "1 a/y": "secret={secret2}", "1 a/z": "aws_secret={secret1}"}, []string{"{AKIA1} {secret1}, 1 a/x, secret 1 a/z, medium"}},
		{"time", history{"1 a/x": id, "2 a/x": secret, "3 a/x": "secret={secret2}"}, []string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/x, low"}},
		{"cluster", cluster, []string{"{AKIA1}, 1 a/id, high"}},
		{"two_secrets_fit_alike", history{"1 a/x": id, "1 a/y": secret, "1 a/z": "secret={secret2}"}, []string{"{AKIA1}, 1 a/x, high"}},
		{"two_ids_fit_alike", history{"1 a/x": id, "1 a/y": secret, "1 a/z": "id={AKIA2}"}, []string{"{AKIA1}, 1 a/x, high", "{AKIA2}, 1 a/z, high"}},
		{"an_id_with_a_secret_is_no_rival", history{"1 a/x": id, "1 a/y": secret, "1 a/z": "id={AKIA2} secret={secret2}"},
			[]string{"{AKIA1} {secret1}, 1 a/x, secret 1 a/y, medium", "{AKIA2} {secret2}, 1 a/z, high"}},
		{"signs_nothing", history{"1 a/x": "{ACCA1}", "2 a/x": secret}, []string{"{ACCA1}, 1 a/x, low"}},
		{"copies", history{"1 a/x": id, "2 a/x": secret, "3 b/x": id, "4 b/y": secret}, []string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/x, 3 b/x, secret 4 b/y, medium"}},

		{"session", history{"1 a/x": "{ASIA1}", "1 a/y": secret + "\ntoken={token1}"}, []string{"{ASIA1} {secret1} {token1}, 1 a/x, secret 1 a/y, token 1 a/y, medium"}},
		{"session_in_three_texts", history{"1 a/x": "{ASIA1}", "2 a/x": secret, "3 a/x": "token={token1}"},
			[]string{"{ASIA1} {secret1} {token1}, 1 a/x, secret 2 a/x, token 3 a/x, medium"}},
		{"only_the_token_elsewhere", history{"1 a/x": "{ASIA1} {secret1}", "2 a/x": "token={token1}"}, []string{"{ASIA1} {secret1} {token1}, 1 a/x, token 2 a/x, medium"}},
		{"only_the_secret_elsewhere", history{"1 a/x": "{ASIA1} token={token1}", "2 a/x": secret}, []string{"{ASIA1} {secret1} {token1}, 1 a/x, secret 2 a/x, medium"}},
		{"token_of_another_account", history{"1 a/x": "{ASIA1} {secret1}", "2 a/x": detectorstest.Token("210987654321", "us-east-1", time.Unix(1_700_000_000, 0), 1)},
			[]string{detectorstest.Token("210987654321", "us-east-1", time.Unix(1_700_000_000, 0), 1) + ", 2 a/x, medium", "{ASIA1} {secret1}, 1 a/x, high"}},
		{"long_term_takes_no_token", history{"1 a/x": id, "2 a/x": secret + " token={token1}"},
			[]string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/x, medium", "{token1}, 2 a/x, medium"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := reported(scan(t, tt.texts, answers{}))
			want := fillAll(tt.want)
			for i := range want {
				want[i] += " " + string(verifier.Skipped)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestPairingOfOneDirectory: an id and a secret that are written in different ways, in
// files that people keep together.
func TestPairingOfOneDirectory(t *testing.T) {
	for _, tt := range []struct{ name, idFile, secretFile string }{
		{"kubernetes", "kind: ConfigMap\ndata:\n  AWS_ACCESS_KEY_ID: {AKIA1}\n", "kind: Secret\ndata:\n  AWS_SECRET_ACCESS_KEY: " + inBase64("{secret1}") + "\n"},
		{"terraform", "aws_access_key = \"{AKIA1}\"\n", "variable \"aws_secret_key\" {\n  default = \"{secret1}\"\n}\n"},
		{"helm", "aws:\n  accessKeyId: {AKIA1}\n", "data:\n  secretAccessKey: " + inBase64("{secret1}") + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := reported(scan(t, history{"- a/x": tt.idFile, "- a/y": tt.secretFile}, answers{}))
			want := fillAll([]string{"{AKIA1} {secret1}, - a/x, secret - a/y, low skipped"})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestPairingVerified: answers of the provider about an id with parts from other texts.
func TestPairingVerified(t *testing.T) {
	const live, active, invalid, unknown = verifier.Live, verifier.IDActive, verifier.Invalid, verifier.Unknown
	one := history{"1 a/x": "id={AKIA1}", "2 a/x": "secret={secret1}"}
	three := history{"1 a/x": "id={AKIA1}", "2 a/x": "secret={secret1}", "3 a/x": "secret={secret2}", "4 a/x": "secret={secret3}", "5 a/x": "secret={secret4}"}
	refused := history{"1 a/x": "id={AKIA1} secret={secret2}", "2 a/x": "secret={secret1}"}
	alike := history{"1 a/x": "id={AKIA1}", "1 a/y": "secret={secret1}", "1 a/z": "secret={secret2}"}
	far := history{"1 a/x": "id={AKIA1}" + strings.Repeat("\n", 500) + "aws_secret={secret1}" + strings.Repeat("\n", 500) + "session_secret={secret2}"}
	service := history{"1 a/x": "AWS_KEY={AKIA1}", "2 a/x": "JWT_SECRET={secret1}"}
	two := history{"1 a/x": "id={AKIA1}", "2 a/x": "secret={secret1}", "1 a/y": "id={AKIA2}"}
	session := history{"1 a/x": "{ASIA1} {secret1}", "2 a/x": "token={token1}"}
	for _, tt := range []struct {
		name    string
		texts   history
		answers answers
		want    []string
	}{
		{"live", one, answers{"{AKIA1} {secret1}": live}, []string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/x, high live"}},
		{"the_id_lives", one, answers{"{AKIA1} {secret1}": active}, []string{"{AKIA1}, 1 a/x, high id-active-secret-mismatch"}},
		{"the_id_is_dead", one, answers{"{AKIA1} {secret1}": invalid}, []string{"{AKIA1}, 1 a/x, high invalid"}},
		{"no_answer", one, answers{"{AKIA1} {secret1}": unknown}, []string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/x, medium unknown"}},
		{"expired", one, answers{"{AKIA1} {secret1}": verifier.Expired}, []string{"{AKIA1}, 1 a/x, high skipped"}},
		{"canary", one, answers{"{AKIA1} {secret1}": verifier.CanarySuspected}, []string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/x, medium canary-suspected"}},
		{"third", three, answers{"{AKIA1} {secret1}": active, "{AKIA1} {secret2}": active, "{AKIA1} {secret3}": live},
			[]string{"{AKIA1} {secret3}, 1 a/x, secret 4 a/x, high live"}},
		{"fourth", three, answers{"{AKIA1} {secret1}": active, "{AKIA1} {secret2}": active, "{AKIA1} {secret3}": active, "{AKIA1} {secret4}": live},
			[]string{"{AKIA1} {secret4}, 1 a/x, secret 5 a/x, high live"}},
		{"no_answer_after_the_first", three, answers{"{AKIA1} {secret1}": active, "{AKIA1} {secret2}": unknown, "{AKIA1} {secret3}": live},
			[]string{"{AKIA1}, 1 a/x, high id-active-secret-mismatch"}},
		{"alike", alike, answers{"{AKIA1} {secret1}": active, "{AKIA1} {secret2}": live}, []string{"{AKIA1} {secret2}, 1 a/x, secret 1 a/z, high live"}},
		{"alike_without_an_answer", alike, answers{"{AKIA1} {secret1}": unknown, "{AKIA1} {secret2}": unknown}, []string{"{AKIA1}, 1 a/x, high unknown"}},
		{"own_secret_refused", refused, answers{"{AKIA1} {secret2}": active, "{AKIA1} {secret1}": live}, []string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/x, high live"}},
		{"all_refused", refused, answers{"{AKIA1} {secret2}": active, "{AKIA1} {secret1}": active}, []string{"{AKIA1} {secret2}, 1 a/x, high id-active-secret-mismatch"}},
		{"own_secret_without_an_answer", refused, answers{"{AKIA1} {secret2}": unknown, "{AKIA1} {secret1}": live}, []string{"{AKIA1} {secret2}, 1 a/x, high unknown"}},
		{"far", far, answers{"{AKIA1} {secret1}": live}, []string{"{AKIA1} {secret1}, 1 a/x, secret 1 a/x, high live"}},
		{"far_and_called_something_else", far, answers{"{AKIA1} {secret1}": active, "{AKIA1} {secret2}": live},
			[]string{"{AKIA1} {secret2}, 1 a/x, secret 1 a/x, high live", "{secret1}, 1 a/x, medium skipped"}},
		{"far_without_an_answer", far, answers{"{AKIA1} {secret1}": unknown}, []string{"{AKIA1}, 1 a/x, high unknown", "{secret1}, 1 a/x, medium skipped"}},
		{"other_service", service, answers{"{AKIA1} {secret1}": live}, []string{"{AKIA1} {secret1}, 1 a/x, secret 2 a/x, high live"}},
		{"proved_of_another_id", two, answers{"{AKIA2} {secret1}": live}, []string{"{AKIA1}, 1 a/x, high skipped", "{AKIA2} {secret1}, 1 a/y, secret 2 a/x, high live"}},
		{"token_refused", session, answers{"{ASIA1} {secret1} {token1}": invalid}, []string{"{ASIA1} {secret1}, 1 a/x, high skipped", "{token1}, 2 a/x, medium skipped"}},
		{"session", session, answers{"{ASIA1} {secret1} {token1}": live}, []string{"{ASIA1} {secret1} {token1}, 1 a/x, token 2 a/x, high live"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(fillAll(tt.want), reported(scan(t, tt.texts, tt.answers))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestPairingSuppressed: a suppressed part is no candidate; of a suppressed pair the
// id is not reported either.
func TestPairingSuppressed(t *testing.T) {
	texts := history{"1 a/x": "id={AKIA1}", "2 a/x": "secret={secret1}"}
	for _, tt := range []struct{ name, suppressed, want string }{
		{"id", "{AKIA1}", ""},
		{"secret", " {secret1}", "{AKIA1}, 1 a/x, high skipped"},
		{"pair", "{AKIA1} {secret1}", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sink := scan(t, texts, answers{"{AKIA1} {secret1}": verifier.Live}, func(f *finding.Finding) string {
				c := f.Match.Credential
				if key := c.ID + " " + c.Secret.Reveal(); strings.TrimSuffix(key, " ") == detectorstest.Fill(tt.suppressed) {
					return "known"
				}
				return ""
			})
			if got := strings.Join(reported(sink), "\n"); got != detectorstest.Fill(tt.want) {
				t.Errorf("got %s", got)
			}
			if tt.want == "" && sink.Summary.Ignored != 1 {
				t.Errorf("summary %+v", sink.Summary)
			}
		})
	}
}

// TestPairingCost: an id that may have thousands of secrets costs no more than one.
func TestPairingCost(t *testing.T) {
	asked := &oracle{}
	texts := history{}
	for i := range 30 {
		texts[fmt.Sprintf("%d a/x", i)] = "id=" + detectorstest.KeyID("AKIA", detectorstest.Account, uint64(i))
	}
	for i := range 5000 {
		texts[fmt.Sprintf("%d a/x", 100+i)] = "secret=" + detectorstest.SecretKey(uint64(i))
	}
	sink := scan(t, texts, asked)
	if len(asked.asked) != 30 || len(sink.Findings) != 30 {
		t.Errorf("asked %d times, %d findings", len(asked.asked), len(sink.Findings))
	}
}
