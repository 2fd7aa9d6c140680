package awskeys

import (
	"math/rand/v2"
	"testing"

	"github.com/stanch-dev/stanch/detectors/awskeys/internal/services"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/detectors/internal/bytemasks"
)

// TestShortRuns holds that a short run, which is read as a whole, is never passed over where
// the words in it see a secret or a token.
func TestShortRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	found := 0
	for seed := range uint64(40_000) {
		text := []byte(shortRunText(r, seed))
		var w bytemasks.Walk
		bytemasks.New().Begin(&w, text)
		w.NextChunk()
		for run, ok := w.NextRun(); ok; run, ok = w.NextRun() {
			for _, named := range []bool{false, true} {
				if !mayHoldSecretAtWord(text, run.From, run.To, named) {
					continue
				}
				if found++; !mayHoldSecret(text, run, named) {
					t.Errorf("%q: the run %q is passed over, named %v", text, text[run.From:run.To], named)
				}
			}
		}
	}
	if found < 20_000 {
		t.Errorf("only %d runs hold a secret or a token", found)
	}
}

// shortRunText returns a line with a secret, a password or a token, and something that adjoins it.
func shortRunText(r *rand.Rand, seed uint64) string {
	beside := []string{"", "", "/", "+", "//", "=", "==", "\n", " ", "(", "P", "Q", "V", "\x00", "\x28", "40:", "a", "B7", "api", "/v1/", "key+is+", "s/_/", "_", "-", "%2F", "%3D", "=3D", `\n`, "\x1b[33m", "#", detectorstest.Fill("{AKIA1}/")}
	names := []string{"", "", "secret: ", "aws_secret_access_key=", "ses_smtp_password=", "-at-" + detectorstest.Account + ":"}
	secret := detectorstest.SecretKey(seed)
	things := []string{secret, secret, detectorstest.SMTPPassword(seed), detectorstest.ServicePassword(seed), services.SSOAccess + secret, detectorstest.Fill("{token1}")[:44+r.IntN(16)]}
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	return pick([]string{"", "x", "                         "}) + pick(names) + pick(beside) + pick(beside) + pick(things) + pick(beside) + pick(beside)
}
