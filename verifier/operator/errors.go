package operator

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// An Error is AWS's refusal of a call.
type Error struct {
	Call      Call
	Status    int // of HTTP
	Code      string
	Message   string // of AWS; may name resources of the account
	RequestID string
	// Skew is how far the clock of this machine is ahead of AWS's, if AWS
	// refused the request for its time.
	Skew time.Duration
}

// Error implements error.
func (e *Error) Error() string {
	call := e.Call.Service + ":" + e.Call.Action
	if e.Skew != 0 {
		return fmt.Sprintf("%s: the clock of this machine is wrong by %s", call, e.Skew.Round(time.Second))
	}
	s := fmt.Sprintf("%s: %s (HTTP %d)", call, e.Code, e.Status)
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// Denied reports whether a permission is missing.
func (e *Error) Denied() bool {
	switch e.Code {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized",
		"UnauthorizedException", "AuthorizationErrorException":
		return true
	}
	return false
}

// Permission is the IAM action that the call needs.
func (e *Error) Permission() string { return permission(e.Call.Service, e.Call.Action) }

// Refusal returns the permission that is missing, and AWS's own sentence. That names the
// caller and the kind of policy: a permission that a service control policy denies cannot be
// given to the role.
func (e *Error) Refusal() string {
	s := "needs " + e.Permission()
	if e.explicit() {
		s = e.Permission() + " is denied"
	}
	if e.Message != "" {
		s += "; AWS says: " + e.Message
	}
	return s
}

// Reason is Refusal in a few words, without the names in AWS's sentence.
func (e *Error) Reason() string {
	clause := ""
	if i := strings.Index(e.Message, " because "); i >= 0 {
		clause = e.Message[i+1:]
	} else if i := strings.Index(e.Message, " with an explicit deny"); i >= 0 {
		clause = e.Message[i+1:]
	}
	switch {
	case e.explicit() && clause != "":
		return e.Permission() + " is denied " + clause
	case e.explicit():
		return e.Permission() + " is denied by a policy"
	case clause == "", strings.HasPrefix(clause, "because no identity-based policy allows"):
		return "needs " + e.Permission() // and the clause says no more
	}
	return "needs " + e.Permission() + ", " + clause
}

// explicit reports whether some policy denies the call, so that no other can allow it.
func (e *Error) explicit() bool { return strings.Contains(e.Message, "explicit deny") }

// shorten cuts a sentence of AWS's that nobody would read to the end, such as one with an
// encoded message.
func shorten(s string) string {
	const most = 1000
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// Busy reports whether to come back later.
func (e *Error) Busy() bool {
	switch e.Code {
	case "RequestLimitExceeded", "TooManyRequestsException", "SlowDown":
		return true
	}
	// Throttling, ThrottledException, RequestThrottled, KMSThrottling …
	return e.Status >= 500 || strings.Contains(e.Code, "Throttl") || strings.Contains(e.Message, "Rate exceeded")
}

func (e *Error) expired() bool {
	return e.Code == "ExpiredToken" || e.Code == "ExpiredTokenException" || e.Code == "RequestExpired"
}

// Is makes errors.Is(err, NotFound) true of all ways to say it.
func (e *Error) Is(target error) bool {
	if target != ErrNotFound {
		return false
	}
	switch e.Code {
	case "NoSuchEntity", "ResourceNotFoundException", "AccountNotFoundException":
		return true
	}
	return false
}

// ErrNotFound is matched (errors.Is) by every Error that says: there is no such thing.
var ErrNotFound = errors.New("not found")

var clockText = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)signature (expired|not yet current)`) })

// withoutKeys removes secrets from the message of an Error: about a signature that does not
// match, AWS quotes every signed header, and the session token is one.
func withoutKeys(err error, keys aws.Credentials) error {
	var e *Error
	if errors.As(err, &e) {
		e.Message, _, _ = strings.Cut(e.Message, "\n")
		for _, secret := range []string{keys.SecretAccessKey, keys.SessionToken} {
			if secret != "" {
				e.Message = strings.ReplaceAll(e.Message, secret, "[redacted]")
			}
		}
		e.Message = shorten(e.Message) // and not before: half a secret is not found
	}
	return err
}

func newError(c Call, resp *http.Response, body []byte) error {
	e := &Error{Call: c, Status: resp.StatusCode, RequestID: resp.Header.Get("X-Amzn-Requestid")}
	if services[c.Service].version != "" {
		e.Code, e.Message = xmlError(body)
	} else {
		e.Code, e.Message = jsonError(resp.Header.Get("X-Amzn-Errortype"), body)
	}
	if e.Code == "" { // moto speaks XML everywhere
		e.Code, e.Message = xmlError(body)
	}
	if e.Code == "" {
		if e.Status >= 500 {
			e.Code = "no code"
			return e
		}
		return fmt.Errorf("%s:%s: HTTP %d: %w", c.Service, c.Action, e.Status, errUnreadable)
	}
	if e.Code == "RequestTimeTooSkewed" || clockText().MatchString(e.Message) {
		if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			e.Skew = time.Since(date)
		}
	}
	return e
}

// xmlError finds the first Code and Message, however deep: IAM, EC2 and moto wrap
// them each in its own way.
func xmlError(body []byte) (code, message string) {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			return code, message
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "Code" && start.Name.Local != "Message" {
			continue
		}
		var text string
		if d.DecodeElement(&text, &start) != nil {
			return code, message
		}
		switch {
		case start.Name.Local == "Code" && code == "":
			code = text
		case start.Name.Local == "Message" && message == "":
			message = text
		}
	}
}

func jsonError(header string, body []byte) (code, message string) {
	var b struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // or Message: encoding/json takes both
	}
	_ = json.Unmarshal(body, &b) // without JSON there is no code
	for _, code = range []string{header, b.Type, b.Code} {
		if code != "" {
			break
		}
	}
	code, _, _ = strings.Cut(code, ":") // "AccessDeniedException:http://…"
	return code[strings.LastIndex(code, "#")+1:], b.Message
}
