package awskeys

import (
	"bytes"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/lazyregexp"
)

// The form of some files tells whose keys they hold. The name of the file is not known
// here, and a copy under another name has the same form.

var (
	// rootkey.csv of the console, until about 2022. It has two lines; no user other than
	// root got such a file.
	rootKeyFile = lazyregexp.New(`^AWSAccessKeyId=[A-Z0-9]{20}\r?\nAWSSecretKey=[A-Za-z0-9+/]{40}\s*$`)
	// accessKeys.csv, and credentials.csv with the columns of a new user.
	consoleFile = lazyregexp.New(`(?i)^"?(?:User name"?,"?(?:Password"?,"?)?)?Access key ID"?,"?Secret access key`)
	// terraform.tfstate always begins with its version.
	stateFile = lazyregexp.New(`"terraform_version"\s*:\s*"`)
)

// FormOf implements detectors.FormDetector: it returns the kind of file that text is.
func (Detector) FormOf(text []byte) detectors.Fact {
	fact := func(value string) detectors.Fact { return detectors.Fact{Name: "found-in", Value: value, Risk: 1} }
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // a byte order mark
	head := text[:min(len(text), 256)]
	switch {
	case len(text) < 256 && rootKeyFile().Match(text):
		return RootKeyFile
	case consoleFile().Match(head):
		return fact("a download of the IAM console")
	case stateFile().Match(text[:min(len(text), 4096)]) && bytes.Contains(text, []byte(`"aws_iam_access_key"`)):
		return fact("a Terraform state, of a resource aws_iam_access_key")
	}
	return detectors.Fact{}
}

// RootKeyFile is the fact that a key is from the file that the console made for root users.
var RootKeyFile = detectors.Fact{Name: "found-in", Value: "rootkey.csv: the key is probably of the root user", Risk: 3}
