package detectors_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestDetectVersion changes long texts at random, and holds that what is found in a version
// with the help of the one before is what is found in it alone.
func TestDetectVersion(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	versions, carried, texts := 0, 0, uint64(3)
	if scannertest.WholeMatrix(t, "15 texts; here are 3") {
		texts = 15
	}
	for seed := range texts {
		r := rand.New(rand.NewPCG(seed, 14))
		list := localPlants(set, seed)
		lines := longText(r, list)
		if seed%5 > 0 { // a fifth keeps them, to test what they tie together
			dropGroups(set, lines)
		}
		base := &detectors.Version{Text: []byte(strings.Join(lines, ""))}
		set.DetectVersion(base)
		for range 5 {
			next, copies := edited(r, lines, list)
			v := &detectors.Version{Text: []byte(strings.Join(next, "")), Base: base, Copies: copies}
			versions++
			if set.CarriesOver(v) {
				carried++
			}
			set.DetectVersion(v)
			want := set.DetectAfresh(v.Text)
			if got, want := described(v.Matches), described(want); !slices.Equal(got, want) {
				t.Fatalf("seed %d: found %q, want %q", seed, got, want)
			}
			for i := range want {
				if got, want := v.Matches[i], want[i]; got.Span != want.Span || got.Secret != want.Secret || got.Token != want.Token || !reflect.DeepEqual(got.Facts, want.Facts) {
					t.Fatalf("seed %d: match %d is at %v, %v, %v with %v, want %v, %v, %v with %v", seed, i, got.Span, got.Secret, got.Token, got.Facts, want.Span, want.Secret, want.Token, want.Facts)
				}
			}
			lines, base = next, v
			base.Base = nil
		}
	}
	if carried < versions/5 {
		t.Errorf("only %d of %d versions were searched where they differ", carried, versions)
	}
}

// TestDetectVersionFar has a row for each change that tells on a match far away.
func TestDetectVersionFar(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	lines := func(n int) string { return strings.Repeat(strings.Repeat("some words ", 12)+"\n", n) }
	rows := func(n int, secret string) string { return strings.Repeat("alice,"+secret+"\n", n) }
	id := func(seed uint64) string {
		return "AWS_ACCESS_KEY_ID=" + detectorstest.KeyID("AKIA", detectorstest.Account, seed) + "\n"
	}
	secret := detectorstest.SecretKey(1)
	state := `{"version": 4, "terraform_version": "1.5.0", "resources": [` + "\n"
	var words strings.Builder
	for r := rand.New(rand.NewPCG(1, 2)); words.Len() < 50_000; {
		fmt.Fprintf(&words, "word %x,\n", r.Uint64())
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(words.String() + id(5)))
	key := detectorstest.KeyID("AKIA", detectorstest.Account, 6)
	quoted := strings.Repeat(strings.Repeat("some words ", 6)+"\n", 160) + "AWS_ACCESS_KEY_ID=3D" + key[:10] + "=\n" + key[10:] + "\n"
	header := "Content-Transfer-Encoding: "
	pieces := func(encoded string) string {
		var b strings.Builder
		for ; len(encoded) > 0; encoded = encoded[min(77, len(encoded)):] {
			fmt.Fprintf(&b, "'%s' ||\n", encoded[:min(77, len(encoded))])
		}
		return b.String()
	}
	parts := base64.StdEncoding.EncodeToString([]byte(words.String()[:34_044] + id(5)))
	keyPair := "key pair: APKA" + key[4:] + "\n"
	bob, password := "user: bob-at-"+detectorstest.Account+"\n", "password: "+detectorstest.ServicePassword(1)+"\n"
	session := "AWS_ACCESS_KEY_ID=" + detectorstest.KeyID("ASIA", detectorstest.Account, 7) + "\n"
	token := func(seed uint64) string {
		return "AWS_SESSION_TOKEN=" + detectorstest.Token(detectorstest.Account, "eu-west-1", time.Unix(1_700_000_000, 0), seed) + "\n"
	}
	block := strings.Repeat(strings.Repeat(" ", 8)+strings.Repeat("some words ", 8)+"\n", 300)
	columns := "name," + strings.Repeat("column,", 30) + "aws_secret_access_key" + strings.Repeat(",column", 200) + "\n"
	row := func(value string) string {
		return "alice," + strings.Repeat("v,", 29) + "two words:," + value + strings.Repeat(",v", 60) + "\n"
	}
	escaped := strings.Repeat(percent(strings.Repeat("some words, ", 44))+": two words\n", 32)
	literal := "    \"ONEWORDOFTEN " + strings.Repeat("some words ", 5) + "ONEWORDOFTEN\" +\n"
	for _, tt := range []struct{ name, before, old, new, behind string }{
		{"the_form_of_a_file", state + lines(400) + id(4) + lines(400), "", `{"type": "aws_iam_access_key"}` + "\n", lines(400)},
		{"an_id_loses_its_secret_to_one_behind", lines(400) + id(1), "", "[prod]\n", lines(46) + "AWS_SECRET_ACCESS_KEY=" + secret + "\n" + lines(70) + id(2) + lines(400)},
		{"the_head_of_a_table", "", "user,note\n", "user,aws_secret_access_key\n", rows(2000, "x") + rows(20, secret) + rows(1000, "x") + lines(400) + id(1)},
		{"a_long_line_of_base64", "data: " + encoded[:20_000], "A", "", encoded[20_000:] + "\n" + lines(400)},
		{"a_paragraph_of_quoted_printable", "\n", strings.Repeat("some words ", 12) + "\n", "some words\n", quoted + "\n" + lines(400)},
		{"a_header_above_quoted_printable", "note\nsubject\n", header + "7bit\n", header + "quoted-printable\n", "\n" + lines(140) + "\n" + "AWS_ACCESS_KEY_ID: " + key[:10] + "=\n" + key[10:] + "\n" + "\n" + lines(400)},
		{"base64_in_literals", lines(20) + id(4) + pieces(parts[:77*260]), "'A' ||\n", "", pieces(parts[77*260:]) + lines(20)},
		{"what_mentions_passwords", lines(400), "", "https://git-codecommit.eu-west-1.amazonaws.com/\n", lines(400) + bob + strings.Repeat("some words\n", 10) + password + id(4) + lines(40)},
		{"an_id_for_private_keys", lines(400) + "APKA\n", "", keyPair, lines(400) + detectorstest.PrivateKey(1) + "\n" + lines(40)},
		{"a_private_key_in_base64", "notes\n" + keyPair + lines(350), "", base64.StdEncoding.EncodeToString([]byte("key: "+detectorstest.PrivateKey(1))) + "\n", lines(20)},
		{"indentation", "some:\n  keys:\n    key: value\n" + block, "", "other: value\n", block + "        aws_access_key_id: " + key + "\n    uploader_secret: " + secret + "\n" + lines(40)},
		{"names_around_a_secret_of_a_group", lines(4) + "DEV_ACCESS_KEY_ID=" + key + "\n" + lines(400), "jwt:\n", "app:\n", "  DEV_SECRET: " + secret + "\n" + lines(400)},
		{"a_password_of_a_group", lines(4) + "DEV_ACCESS_KEY_ID=" + key + "\n" + lines(400), "", "DEV_PASSWORD=" + secret + "\n", lines(400)},
		{"a_secret_of_a_group_without_digits", lines(4) + "DEV_ACCESS_KEY_ID=" + key + "\n" + lines(400), "", "Dev_Secret=" + strings.Map(withoutDigits, secret) + "\n", lines(400)},
		{"a_blank_line_between_parts_of_a_group", "notes\nDEV_SECRET=" + secret + "\n" + lines(400) + "DEV_ACCESS_KEY_ID=" + key + "\n" + lines(400), "", "\n", lines(400) + "DEV_SECRET=" + detectorstest.SecretKey(2) + "\n"},
		{"a_blank_line_before_a_token", "notes\n" + token(1) + lines(400) + session + lines(400), "", "\n", lines(400) + token(2)},
		{"a_row_below_a_long_head", columns + strings.Repeat(row("x"), 180), "", row(secret), strings.Repeat(row("y"), 400) + id(3)},
		{"escapes_between_an_id_and_a_password", "notes\n" + percent(id(3)) + "\n" + escaped, "", percent("password: "+secret) + "\n", lines(40)},
		{"joints_between_an_id_and_a_password", "notes\n" + id(3) + "x =\n" + strings.Repeat(literal, 225), "", "\"password: " + secret[:20] + "\" +\n\"" + secret[20:] + "\"\n", lines(300)},
		{"a_secret_in_hexadecimal", "notes\n" + id(3) + lines(350), "", fmt.Sprintf("aws_secret_access_key: %x\n", secret), lines(20)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, texts := range [][2]string{{tt.old, tt.new}, {tt.new, tt.old}} {
				base := &detectors.Version{Text: []byte(tt.before + texts[0] + tt.behind)}
				set.DetectVersion(base)
				at := len(tt.before)
				v := &detectors.Version{Text: []byte(tt.before + texts[1] + tt.behind), Base: base, Copies: []detectors.Copy{
					{At: 0, From: 0, Len: at}, {At: at + len(texts[1]), From: at + len(texts[0]), Len: len(tt.behind)},
				}}
				set.DetectVersion(v)
				if got, want := described(v.Matches), described(set.Detect(nil, v.Text)); !slices.Equal(got, want) {
					t.Errorf("found %q, want %q", got, want)
				}
				if slices.Equal(described(base.Matches), described(v.Matches)) {
					t.Error("the change tells on nothing")
				}
			}
		})
	}
}

// withoutDigits returns a letter in place of a digit.
func withoutDigits(c rune) rune {
	if '0' <= c && c <= '9' {
		return c - '0' + 'K'
	}
	return c
}

// localPlants returns the plants without those whose encoding reaches far, in order.
func localPlants(set *detectors.Set, seed uint64) (list []string) {
	isPacked := set.Parts()["packed"]
	for _, plant := range plants(seed) {
		if !strings.Contains(plant, "\x00") && !isPacked([]byte(plant)) {
			list = append(list, plant)
		}
	}
	slices.Sort(list)
	return list
}

// longText returns the lines of a text of some hundred kilobytes, in which some of plants
// stand: few in some texts, many in others.
func longText(r *rand.Rand, plants []string) []string {
	one := 1 << (4 + r.IntN(7))
	lines := make([]string, 3000+r.IntN(3000))
	for i := range lines {
		lines[i] = strings.ReplaceAll(filler(r, 1+2*r.IntN(50)), "\x00", "") + "\n"
		if r.IntN(one) == 0 {
			lines[i] += plants[r.IntN(len(plants))] + "\n"
		}
	}
	return lines
}

// dropGroups puts others in place of the lines with an id whose name has a group. A secret may
// belong to such an id at any distance, so a version is searched whole if a change may name the
// group, and the words of filler are part of most names.
func dropGroups(set *detectors.Set, lines []string) {
	for again := true; again; {
		ends, at := make([]int, len(lines)), 0
		for i, l := range lines {
			at += len(l)
			ends[i] = at
		}
		again = false
		for _, m := range set.Detect(nil, []byte(strings.Join(lines, ""))) {
			if m.Group != "" && m.Credential.ID != "" {
				lines[sort.SearchInts(ends, m.End)], again = "some words\n", true
			}
		}
	}
}

// edited returns lines with a few changes, and what of it is copied from them.
func edited(r *rand.Rand, lines, plants []string) (next []string, copies []detectors.Copy) {
	var starts []int
	at := 0
	for _, l := range lines {
		starts = append(starts, at)
		at += len(l)
	}
	starts = append(starts, at)
	made := 0
	keep := func(from, to int) {
		next = append(next, lines[from:to]...)
		if n := starts[to] - starts[from]; n > 0 {
			copies = append(copies, detectors.Copy{At: made, From: starts[from], Len: n})
			made += n
		}
	}
	insert := func(s string) { next, made = append(next, s), made+len(s) }
	done := 0
	for range 1 + r.IntN(5) {
		from := done + r.IntN(len(lines)-done)
		keep(done, from)
		to := min(len(lines), from+r.IntN(1+40*r.IntN(2)))
		switch r.IntN(16) {
		case 0:
			insert(plants[r.IntN(len(plants))] + "\n")
		case 1:
			insert(fmt.Sprintf("aws_secret_access_key = %q\n", detectorstest.SecretKey(r.Uint64N(1000))))
		case 2: // a line that git copies from elsewhere
			k := r.IntN(len(lines))
			keep(k, k+1)
		case 3, 4, 5, 6, 7, 8:
			insert(strings.ReplaceAll(filler(r, 101), "\x00", ""))
		}
		if done = to; done == len(lines) {
			break
		}
	}
	keep(done, len(lines))
	return next, copies
}
