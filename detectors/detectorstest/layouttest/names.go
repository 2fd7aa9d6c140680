package layouttest

import (
	"fmt"
	"slices"
	"strings"
)

// A field is a named value. secret marks that it is one, of AWS or of another service:
// formats that can hide a value hide it.
type field struct {
	name, value, about string
	secret             bool
}

// A section is the part of a file that is about one account.
type section struct {
	label  string
	fields []field
}

// names are those of an id and its secret, in words. "*" is where the name of an account
// stands, which is in front if there is none.
type names struct {
	id, secret string
	// aws says that the name of the secret is one of AWS, whatever stands beside it.
	aws bool
}

// flatNames are the names in layouts without sections.
var flatNames = []names{
	{"aws access key id", "aws secret access key", true},
	{"aws access key id", "aws secret access key", true},
	{"aws * access key id", "aws * secret access key", true},
	{"aws access key", "aws secret key", true},
	{"aws * access key", "aws * secret key", true},
	{"aws key", "aws secret", true},
	{"aws * key", "aws * secret", true},
	{"aws access id", "aws access secret", true},
	{"aws api key", "aws api secret", true},
	{"aws key id", "aws sec key", true},
	{"ses access key", "ses secret key", true},
	{"aws ses key", "aws ses secret", true},
	{"sqs access key", "sqs secret key", true},
	{"dynamodb access key id", "dynamodb secret access key", true},
	{"sns * key", "sns * secret key", true},
	{"aws key", "aws token", false},
	{"s3 access key", "s3 secret key", false},
	{"access key", "secret key", false},
	{"deploy access key id", "deploy secret access key", false},
}

// sectionNames are the names in layouts with sections, whose keys may say AWS.
var sectionNames = []names{
	{"aws access key id", "aws secret access key", true},
	{"access key id", "secret access key", false},
	{"access key", "secret key", false},
	{"key", "secret", false},
}

// Spellings of names.
func upperSnake(words ...string) string { return strings.ToUpper(strings.Join(words, "_")) }
func lowerSnake(words ...string) string { return strings.Join(words, "_") }
func kebab(words ...string) string      { return strings.Join(words, "-") }
func dots(words ...string) string       { return strings.Join(words, ".") }
func camel(words ...string) string      { return words[0] + pascal(words[1:]...) }

func pascal(words ...string) string {
	var s strings.Builder
	for _, w := range words {
		s.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return s.String()
}

// title spells a name as people write it: "AWS Secret Key".
func title(words ...string) string {
	words = slices.Clone(words)
	for i, w := range words {
		switch w {
		case "aws", "ses", "sqs", "sns", "s3", "id", "jwt", "api", "db":
			words[i] = strings.ToUpper(w)
		default:
			words[i] = pascal(w)
		}
	}
	return strings.Join(words, " ")
}

type spelling = func(words ...string) string

var (
	anySpelling = []spelling{upperSnake, lowerSnake, camel}
	env         = []spelling{upperSnake}
)

func (f *file) drawSpelling() spelling {
	if len(f.layout.spell) == 0 {
		return pick(f, anySpelling...)
	}
	return pick(f, f.layout.spell...)
}

// drawNames returns names that say that the secret is of AWS, if the file has no id.
func (f *file) drawNames(from []names) names {
	if f.layout.names != nil {
		from = f.layout.names
	}
	for {
		if n := pick(f, from...); n.aws || f.shape != Secret {
			return n
		}
	}
}

func spell(s spelling, name, label string) string {
	switch {
	case label == "":
		name = strings.ReplaceAll(name, "* ", "")
	case strings.Contains(name, "*"):
		name = strings.Replace(name, "*", label, 1)
	default:
		name = label + " " + name
	}
	return s(strings.Fields(name)...)
}

// labels returns a name for each account, different from each other. The first may be "".
func (f *file) labels(first bool) []string {
	all := []string{"prod", "staging", "dev", "backup", "test", "media", "billing", "analytics", "eu", "uploads", "archive"}
	shuffle(f, all)
	all = all[:len(f.keys)]
	if len(all) == 1 && f.IntN(3) > 0 || first && f.oneIn(4) {
		all[0] = ""
	}
	return all
}

// keyFields returns the fields of a key.
func (f *file) keyFields(k Key, n names, s spelling, label string) []field {
	about := func(kind string) string {
		return pick(f, "", kind, "The "+kind+" of the "+f.words(1)+" user", f.words(3+f.IntN(30)), kind+". "+f.words(5+f.IntN(60)))
	}
	var fields []field
	if f.shape == Foreign {
		return nil
	}
	if f.shape != Secret {
		fields = append(fields, field{spell(s, n.id, label), k.ID, about("access key"), f.oneIn(2)})
	}
	if f.shape != LoneID {
		fields = append(fields, field{spell(s, n.secret, label), k.Secret, about("secret key"), true})
	}
	if f.oneIn(3) {
		slices.Reverse(fields)
	}
	return fields
}

// drawFields returns the fields of all keys and others between them. Those of an account
// stand together, or all ids stand in front of all secrets, or everything is in any order:
// the names tell which parts belong together.
func (f *file) drawFields() []field {
	n, s := f.drawNames(flatNames), f.drawSpelling()
	var fields []field
	labels := f.labels(true)
	if f.shape != Accounts && !strings.Contains(n.id, "*") {
		labels[0] = "" // or the only key is called after its use
	}
	for i, k := range f.keys {
		fields = append(fields, f.keyFields(k, n, s, labels[i])...)
		if f.oneIn(2) {
			fields = append(fields, field{name: spell(s, "aws region", labels[i]), value: pick(f, regions...)})
		}
	}
	switch {
	case len(f.keys) > 1 && f.oneIn(4):
		slices.SortStableFunc(fields, func(a, b field) int { return len(a.value) - len(b.value) })
	case len(f.keys) > 1 && f.oneIn(3):
		shuffle(f, fields)
	case f.oneIn(6):
		slices.SortStableFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	}
	others := pick(f, 0, 1, 2, 4, 7)
	if f.shape == LoneID || f.shape == Foreign {
		others = pick(f, 3, 5, 7)
	}
	for _, other := range f.otherFields(s, others) {
		fields = slices.Insert(fields, f.IntN(len(fields)+1), other)
	}
	return fields
}

// drawSections returns a section for each key.
func (f *file) drawSections() []section {
	n, s := f.drawNames(sectionNames), f.drawSpelling()
	var sections []section
	labels := f.labels(false)
	for i, k := range f.keys {
		fields := f.keyFields(k, n, s, "")
		for _, other := range f.otherFields(s, pick(f, 0, 0, 1, 2, 3)) {
			fields = slices.Insert(fields, f.IntN(len(fields)+1), other)
		}
		sections = append(sections, section{label: labels[i], fields: fields})
		if labels[i] == "" {
			sections[i].label = pick(f, "default", "main", "aws")
		}
	}
	return sections
}

var regions = []string{"us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2"}

// otherFields returns n fields that are no keys of AWS. In a quarter of files with a secret
// of AWS there may be secrets of other services among them, and in all others.
func (f *file) otherFields(s spelling, n int) []field {
	foreign := f.shape == LoneID || f.shape == Foreign || f.oneIn(4)
	var fields []field
	all := strings.Split("log level,db host,db port,bucket,bucket name,s3 bucket,timeout,app version,debug,admin email,base url,git commit,environment,queue url,instance type,cidr block,request id,retries,table name,cache ttl", ",")
	shuffle(f, all)
	secrets := strings.Split("jwt secret,db password,github token,stripe secret key,session secret,api token,encryption key,slack token,cookie secret,webhook signing key,session salt,aws jwt secret,aws webhook secret,ldap bind password", ",")
	shuffle(f, secrets)
	for i := range n {
		o := field{name: s(strings.Fields(all[i])...), value: f.plainValue(all[i]), about: pick(f, "", f.words(2+f.IntN(20)))}
		if foreign && i < len(secrets) && f.oneIn(2) {
			o = field{s(strings.Fields(secrets[i])...), f.otherSecret(), pick(f, "", f.words(2+f.IntN(20))), true}
		}
		fields = append(fields, o)
	}
	return fields
}

func (f *file) plainValue(name string) string {
	switch name {
	case "db port", "timeout", "retries", "cache ttl":
		return fmt.Sprint(f.IntN(9000))
	case "debug":
		return pick(f, "true", "false")
	case "app version":
		return fmt.Sprintf("%d.%d.%d", f.IntN(9), f.IntN(20), f.IntN(40))
	case "git commit":
		return f.characters("0123456789abcdef", 40)
	case "request id":
		return f.characters("0123456789abcdef", 8) + "-" + f.characters("0123456789abcdef", 4) + "-4" + f.characters("0123456789abcdef", 3) + "-a" + f.characters("0123456789abcdef", 3) + "-" + f.characters("0123456789abcdef", 12)
	case "base url", "queue url":
		return "https://" + f.word() + ".example.com/" + f.word() + "/" + f.word()
	case "db host":
		return f.word() + ".internal"
	case "admin email":
		return f.word() + "@example.com"
	case "cidr block":
		return fmt.Sprintf("10.%d.0.0/16", f.IntN(256))
	case "instance type":
		return pick(f, "t3.micro", "m5.large", "c6g.xlarge")
	case "log level":
		return pick(f, "info", "debug", "warn")
	}
	return f.word() + "-" + f.word()
}

const base64Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// otherSecret is one of a service that is not AWS; it may look the same.
func (f *file) otherSecret() string {
	switch f.IntN(4) {
	case 0:
		return f.characters("0123456789abcdef", 64)
	case 1:
		return f.characters(base64Characters, 40)
	case 2:
		return f.characters(base64Characters[:62], 40)
	}
	return f.characters(base64Characters[:62], 12+f.IntN(12))
}

func (f *file) characters(from string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = from[f.IntN(len(from))]
	}
	return string(b)
}

func (f *file) word() string { return pick(f, dictionary...) }

func (f *file) words(n int) string {
	w := make([]string, n)
	for i := range w {
		w[i] = f.word()
	}
	return strings.Join(w, " ")
}

var dictionary = strings.Fields(`the a for of and used by service deploy user image build backup uploads store account
 which access value that must not be empty in default region please rotate every ninety days see wiki page reports
 worker queue orders invoices customers shared team platform legacy staging cluster pipeline jobs runner cache`)
