package awskeys

import (
	"bytes"
	"regexp"
)

// Some files say by their form what the keys in them are of. Which file it is only
// the scanner knows; a copy of it says the same.

var (
	// rootkey.csv of the console, until about 2022: two lines, and no user could get
	// a file like it.
	rootKeyFile = regexp.MustCompile(`^AWSAccessKeyId=[A-Z0-9]{20}\r?\nAWSSecretKey=[A-Za-z0-9+/]{40}\s*$`)
	// accessKeys.csv, and credentials.csv with the columns of a new user.
	consoleFile = regexp.MustCompile(`(?i)^"?(?:User name"?,"?(?:Password"?,"?)?)?Access key ID"?,"?Secret access key`)
	// terraform.tfstate begins with its version, whatever else it holds.
	stateFile = regexp.MustCompile(`"terraform_version"\s*:\s*"`)
)

// containerOf returns what kind of file text is, "" if its form does not say.
func containerOf(text []byte) string {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // a byte order mark
	head := text[:min(len(text), 256)]
	switch {
	case len(text) < 256 && rootKeyFile.Match(text):
		return rootKeyForm
	case consoleFile.Match(head):
		return "a download of the IAM console"
	case stateFile.Match(text[:min(len(text), 4096)]) && bytes.Contains(text, []byte(`"aws_iam_access_key"`)):
		return "a Terraform state, of a resource aws_iam_access_key"
	}
	return ""
}

const rootKeyForm = "rootkey.csv: the key is probably of the root user"
