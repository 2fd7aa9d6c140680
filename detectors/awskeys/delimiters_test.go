package awskeys_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestDelimiters holds that an id and its secret are found and paired where "/" or "+" stand
// right beside them, whatever "/" and "+" the secret has itself.
func TestDelimiters(t *testing.T) {
	const keys = 32
	set := detectors.NewSet(awskeys.Detector{})
	for _, layout := range []string{
		"{id}/{secret}", "/{id}/{secret}", "s3/{id}/{secret}", "https://host/{id}/{secret}", "s3://{id}/{secret}@bucket", "{id}//{secret}",
		"{secret}/{id}/x", "{id}/{secret}/eu-west-1", "{id}/{secret}/region", "GET /v1/configure/{id}/{secret}/bucket HTTP/1.1",
		"sed -i \"s/theId/{id}/\" f\nsed -i \"s/verySecretKey/{secret}/\" f", "sed 's/X/{secret}/;s/Y/{id}/g'", "id+{id}+secret+{secret}+x",
		"id={id}&secret=+{secret}+", "///{id}\n///{secret}", "++{id}\n++{secret}", "a: {id}\nb: x+{secret}", "path=/keys/{id}/{secret}/",
		"id: {id}\nAWS_SECRET_ACCESS_KEY={secret}=\n", "k={id}&s={secret}%3D&x", "curl /api/accounts/main/{id} /api/accounts/main/{secret}/",
		"/{secret}/{id}/", "{secret}//{id}", "a/{id}/{secret}/b/c/d", "+{id}+{secret}+", "https://h/p?x=/{id}/{secret}/",
	} {
		found := 0
		for seed := range uint64(keys) {
			id, secret := detectorstest.KeyID("AKIA", detectorstest.Account, seed), detectorstest.SecretKey(seed)
			text := strings.NewReplacer("{id}", id, "{secret}", secret).Replace(layout)
			if got := pairsOf(set.Detect(nil, []byte(text))); got == id+":"+secret {
				found++
			} else {
				t.Logf("%q: %s", text, got)
			}
		}
		if found < keys {
			t.Errorf("%q: %d of %d", layout, found, keys)
		}
	}
}

// pairsOf returns the ids and secrets of matches, each as id:secret.
func pairsOf(matches []detectors.Match) string {
	var list []string
	for _, m := range matches {
		list = append(list, fmt.Sprintf("%s:%s", m.Credential.ID, m.Credential.Secret.Reveal()))
	}
	return strings.Join(list, " ")
}
