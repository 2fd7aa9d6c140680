package services

import (
	"bytes"
	"sync"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/lazyregexp"
)

// IAM makes passwords for some services. One of SES is 33 bytes in base64, the first of
// which is a version (SES Developer Guide, "Obtaining SMTP credentials"). One of CodeCommit
// or Keyspaces is 32 bytes.

const (
	// ownerMark is between the user and the account in the user name of a password.
	ownerMark = "-at-"

	// SMTPLen is the length of a password of SES.
	SMTPLen = 44
	// ServicePassLen is the length of a password of a service, without the "=" at its end.
	ServicePassLen = 43

	// MaxOwner bounds the distance of a password of a service from its user. The window of
	// the prefilter holds both.
	MaxOwner = 56
	// farOwner is the same bound in a text that mentions such passwords.
	farOwner = 300
	// smtpLines bounds the lines between the user of SES and the password.
	smtpLines = 5
)

// farOwnerNames mention passwords of services, anywhere in a text.
var farOwnerNames = []string{"git-codecommit.", "ServicePassword", "service_password"}

// forEachRun calls yield for each run of n characters of base64 that stands on its own, apart
// from glue. padded is true if a "=" follows.
func forEachRun(text []byte, n int, yield func(s detectors.Span, padded bool)) {
	for start, end := candidates.NextRun(text, 0, n); start < end; start, end = candidates.NextRun(text, end, n) {
		if end-start > n+candidates.MaxGlue {
			continue
		}
		if at := candidates.SkipGlue(text, start, end, n); end-at == n {
			yield(detectors.Span{Start: at, End: end}, end < len(text) && text[end] == '=')
		}
	}
}

// IsSMTPPassword reports whether s has the form of a password of SES: the first byte is 4,
// or was 2.
func IsSMTPPassword(s []byte) bool {
	if len(s) != SMTPLen {
		return false
	}
	current := s[0] == 'B' && 'A' <= s[1] && s[1] <= 'P'
	old := s[0] == 'A' && 'g' <= s[1] && s[1] <= 'v'
	return (current || old) && isRandomRun(s)
}

// isRandomRun is keyformat.ShapeOf for passwords, which have other lengths than secrets.
func isRandomRun(s []byte) bool {
	return keyformat.Entropy(s) >= 4.25 && keyformat.CountDigits(s) > 0 && keyformat.LongestLower(s) <= 10 && keyformat.Transitions(s) >= 13 && !keyformat.IsExampleText(string(s))
}

var smtpRegion = lazyregexp.New(`email-smtp\.([a-z0-9-]+)\.amazonaws`)

// appendSMTP appends the passwords of SES in text.
func appendSMTP(dst []detectors.Match, text []byte) []detectors.Match {
	var ids []detectors.Span
	looked := false
	forEachRun(text, SMTPLen, func(s detectors.Span, padded bool) {
		if padded || !IsSMTPPassword(text[s.Start:s.End]) {
			return
		}
		if !looked {
			ids, looked = candidates.IDs(text), true
		}
		user := nearestUser(text, ids, s)
		named := NamesSMTP(text, s.Start)
		if user == "" && !named {
			return
		}
		m := secretMatch(SMTPPassword, text, s, "STS takes no SMTP passwords, and "+onlyByUse)
		if user == "" {
			m.Confidence = detectors.Medium
		}
		m.Account, _ = keyformat.Account(user)
		m.AddFact("smtp-user", user, 1)
		if region := smtpRegion().FindSubmatch(candidates.Around(text, s, 1000)); region != nil {
			m.AddFact("region", string(region[1]), 0)
		}
		dst = append(dst, m)
	})
	return dst
}

// nearestUser returns the nearest long-term key id within a few lines of s, or "".
func nearestUser(text []byte, ids []detectors.Span, s detectors.Span) string {
	best, user := len(text)+1, ""
	for _, id := range ids {
		// An id that is packed in a binary file may overlap s.
		gap := detectors.Span{Start: min(id.End, s.End), End: max(id.Start, s.Start)}
		if n := gap.End - gap.Start; 0 <= n && n < best && n < 1000 && text[id.Start+1] == 'K' && bytes.Count(text[gap.Start:gap.End], []byte{'\n'}) <= smtpLines {
			best, user = n, string(text[id.Start:id.End])
		}
	}
	return user
}

// NamesSMTP reports whether a name with "smtp" in it stands right before at.
func NamesSMTP(text []byte, at int) bool {
	before := text[max(0, at-candidates.MaxName):at]
	for i := 0; i+4 <= len(before); i++ {
		if before[i]|0x20 == 's' && bytes.EqualFold(before[i:i+4], []byte("smtp")) {
			return true
		}
	}
	return false
}

// appendServicePasswords appends the passwords of CodeCommit and Keyspaces in text.
func appendServicePasswords(dst []detectors.Match, text []byte) []detectors.Match {
	isFarAllowed := sync.OnceValue(func() bool {
		return candidates.ContainsAny(text, farOwnerNames)
	})
	forEachRun(text, ServicePassLen, func(s detectors.Span, padded bool) {
		if !padded || !isRandomRun(text[s.Start:s.End]) {
			return
		}
		owner := OwnerBefore(text, s.Start, MaxOwner)
		if owner == "" && isFarAllowed() {
			owner = OwnerBefore(text, s.Start, farOwner)
		}
		user, account := splitOwner(owner)
		if account == "" {
			return
		}
		s.End++
		m := secretMatch(ServicePassword, text, s, "STS knows no passwords")
		m.Account = account
		m.AddFact("iam-user", user, 1)
		dst = append(dst, m)
	})
	return dst
}

// OwnerBefore returns the last USER-at-ACCOUNT before text[at:], or "". Its "-at-" is within
// n bytes.
func OwnerBefore(text []byte, at, n int) string {
	const digits = 12
	from := max(0, at-n)
	if !bytes.Contains(text[from:at], []byte(ownerMark)) { // much faster than LastIndex
		return ""
	}
	k := bytes.LastIndex(text[from:at], []byte(ownerMark))
	end := from + k + len(ownerMark) + digits
	if end > at || !keyformat.IsAccount(text[end-digits:end]) || end < at && keyformat.IsAlnum(text[end]) {
		return ""
	}
	start := from + k
	for start > 0 && (keyformat.IsNameByte(text[start-1]) && text[start-1] < 0x80 || text[start-1] == '+' || text[start-1] == '@') {
		start--
	}
	if start == from+k {
		return ""
	}
	return string(text[start:end])
}
