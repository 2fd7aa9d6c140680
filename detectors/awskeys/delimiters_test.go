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
		"text=key+{id}+with+secret+{escaped}+of+x", "/{secret}/{id}/", "{secret}//{id}", "a/{id}/{secret}/b/c/d", "+{id}+{secret}+", "https://h/p?x=/{id}/{secret}/",
	} {
		found := 0
		for seed := range uint64(keys) {
			id, secret := detectorstest.KeyID("AKIA", detectorstest.Account, seed), detectorstest.SecretKey(seed)
			escaped := strings.NewReplacer("+", "%2B", "/", "%2F").Replace(secret)
			text := strings.NewReplacer("{id}", id, "{secret}", secret, "{escaped}", escaped).Replace(layout)
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

// TestDelimitersAtTheEnds holds that a secret is found between delimiters if it begins or ends
// with one itself.
func TestDelimitersAtTheEnds(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	for _, layout := range []string{
		"s/X/{id}/\ns/Y/{secret}/", "s/__ID__/{id}/\ns/__SECRET__/{secret}/\n", "s/<id>/{id}/g;s/<secret>/{secret}/g", "sed 's/{{ID}}/{id}/;s/{{SECRET}}/{secret}/' f",
		"id={id}&secret=+{secret}+", "id+{id}+secret+{secret}+x", "/keys/{id}/{secret}/", "{id}/{secret}/region",
	} {
		for seed := range uint64(16) {
			id, secret := detectorstest.KeyID("AKIA", detectorstest.Account, seed), detectorstest.SecretKey(seed)
			for _, secret := range []string{"/" + secret[1:], "+" + secret[1:], secret[:39] + "/", secret[:39] + "+", "/" + secret[1:39] + "/", "+" + secret[1:39] + "/"} {
				text := strings.NewReplacer("{id}", id, "{secret}", secret).Replace(layout)
				if got := pairsOf(set.Detect(nil, []byte(text))); got != id+":"+secret {
					t.Errorf("%q: %s", text, got)
				}
			}
		}
	}
	for _, text := range []string{"id: {AKIA1}\nsecret: {secret1}//of the tests/", "id: {AKIA1}\nsecret: x; //{secret1}/"} {
		detectorstest.Accept(t, set, text, "aws-access-key {AKIA1} {secret1} -")
	}
}

// packedLayouts are pieces of binary files as programs write them.
var packedLayouts = map[string]string{
	"pickle_0":            "(dp0\nVid\np1\nV{id}\np2\nsVsecret\np3\nV{secret}\np4\ns.",
	"pickle_0_values":     "(lp0\nV{id}\np1\naV{secret}\np2\na.",
	"pickle_1":            "}q\x00(X\x02\x00\x00\x00idq\x01X\x14\x00\x00\x00{id}q\x02X\x06\x00\x00\x00secretq\x03X(\x00\x00\x00{secret}q\x04u.",
	"pickle_2_str":        "\x80\x02U\x14{id}q\x00U({secret}q\x01\x86q\x02.",
	"pickle_3":            "\x80\x03]q\x00(C\x14{id}q\x01C({secret}q\x02e.",
	"pickle_4":            "\x80\x04\x95R\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x02id\x94\x8c\x14{id}\x94\x8c\x06secret\x94\x8c({secret}\x94u.",
	"marshal":             "\xe3\x00\x00)\x03z\x14{id}z({secret}N)\x02",
	"marshal_interned":    ")\x04N\xda\x14{id}\xda({secret}z\x09us-east-1",
	"marshal_long":        "[\x02\x00\x00\x00u\x14\x00\x00\x00{id}u(\x00\x00\x00{secret}N",
	"bplist":              "bplist00\xd3\x01\x02\x03\x04\x05\x06QaQbQc_\x10\x14{id}Wus-west_\x10({secret}Weu-west\x08\x0f",
	"java_serialized":     "\xac\xed\x00\x05sr\x00\x11java.util.HashMapw\x08\x00\x00\x00\x10\x00\x00\x00\x02t\x00\x09accessKeyt\x00\x14{id}t\x00\x09secretKeyt\x00({secret}x",
	"java_class":          "\xca\xfe\xba\xbe\x00\x00\x00\x3d\x01\x00\x14{id}\x01\x00({secret}\x01\x00\x04Code",
	"protobuf_1_2":        "\x0a\x14{id}\x12({secret}\x1a\x09us-east-1",
	"protobuf_6_7":        "0\x012\x14{id}:({secret}B\x09us-east-1",
	"avro":                "Obj\x01\x04\x14avro.codec\x08null\x00\x02\x8e\x01({id}P{secret}\x12us-east-1",
	"cbor":                "\xa2\x62idt{id}fsecretx({secret}",
	"cbor_more":           "\xa3\x62idt{id}fsecretx({secret}fregionius-east-1",
	"messagepack":         "\x83\xa2id\xb4{id}\xa6secret\xd9({secret}\xa1r\xa9us-east-1",
	"messagepack_numbers": "\x94\xb4{id}A\xd9({secret}B",
	"bson":                "J\x00\x00\x00\x02id\x00\x15\x00\x00\x00{id}\x00\x02s\x00)\x00\x00\x00{secret}\x00\x00",
	"thrift":              "\x0b\x00\x01\x00\x00\x00\x14{id}\x0b\x00\x02\x00\x00\x00({secret}\x00",
	"thrift_compact":      "\x18\x14{id}\x18({secret}\x00",
	"erlang":              "\x83t\x00\x00\x00\x02m\x00\x00\x00\x02idm\x00\x00\x00\x14{id}m\x00\x00\x00\x01sm\x00\x00\x00({secret}j",
	"der":                 "0D\x04\x14{id}\x04({secret}0\x03\x02\x01\x00",
	"ruby":                "\x04\x08[\x07I\"\x19{id}\x06:\x06ETI\"-{secret}\x06;\x00T",
	"parquet":             "\x15\x04\x14\x00\x00\x00{id}(\x00\x00\x00{secret}\x09\x00\x00\x00us-east-1",
	"bencode":             "d2:id20:{id}6:secret40:{secret}e",
	"netstrings":          "20:{id},40:{secret},",
	"sqlite":              "\x0d\x00\x00\x01\x04\x00\x175]{id}{secret}\x00\x00",
	"go_pool":             "\x7fELF\x00runtime: bad pointer{id}invalid length field\x00context deadline {secret}reflect: call of",
	"go_pool_quoted":      "\x7fELF\x00not found{id}unexpected%s\x00is notallowed{secret}; got",
	"rust_pool":           "\x7fELF\x02\x00src/main.rs{id}{secret}us-east-1called `Result::unwrap()` on",
	"dotnet":              ")" + wide("{id}") + "\x00Q" + wide("{secret}") + "\x00\x13" + wide("us-east-1") + "\x00",
	"dotnet_writer":       "\x01\x00\x14{id}({secret}\x09us-east-1",
}

// wide returns s in UTF-16. The blanks {id} and {secret} stay.
func wide(s string) string {
	if s[0] == '{' {
		return strings.Replace(s, "}", "_wide}", 1)
	}
	return strings.Join(strings.Split(s, ""), "\x00") + "\x00"
}

// TestPacked holds that an id and its secret are found and paired in binary files.
func TestPacked(t *testing.T) {
	const keys = 32
	set := detectors.NewSet(awskeys.Detector{})
	for name, layout := range packedLayouts {
		found := 0
		for seed := range uint64(keys) {
			id, secret := detectorstest.KeyID("AKIA", detectorstest.Account, seed), detectorstest.SecretKey(seed)
			text := strings.NewReplacer("{id}", id, "{secret}", secret, "{id_wide}", wide(id), "{secret_wide}", wide(secret)).Replace(layout)
			if got := pairsOf(set.Detect(nil, []byte(text))); got == id+":"+secret {
				found++
			} else {
				t.Logf("%s: %q: %s", name, text, got)
			}
		}
		if found < keys {
			t.Errorf("%s: %d of %d", name, found, keys)
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
