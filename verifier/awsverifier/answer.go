package awsverifier

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/internal/proxy"
)

// An answer is the reply to one request, from STS or from something between. code and
// requestID have been checked for their shape and may be shown. message must not be shown:
// it may quote the signed headers, and the session token is one of them.
type answer struct {
	host                     string
	status                   int // 0: nothing came back
	code, message, requestID string
	account, arn, userID     string
	skew                     time.Duration // of this machine's clock before the time of the answer
	pause                    time.Duration // that the answer asks for
	err                      error         // nil for a 2xx whose body the SDK could read, or that had none
}

var (
	// Secrets have digits, error codes have not.
	codeShape      = pattern(`^[A-Z][A-Za-z.]{2,63}$`)
	requestIDShape = pattern(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

	clockText  = pattern(`(?i)signature (expired|not yet current)`)
	deniedUser = pattern(`User: (arn:\S+)`)
)

func newAnswer(host string, out *sts.GetCallerIdentityOutput, err error) answer {
	a := answer{host: host, err: err}
	if err == nil {
		if r, ok := awsmiddleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response); ok {
			a.status, a.skew = r.StatusCode, skew(r)
		}
		a.requestID, _ = awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
		a.account, a.arn, a.userID = aws.ToString(out.Account), aws.ToString(out.Arn), aws.ToString(out.UserId)
	}
	if re, ok := as[*awshttp.ResponseError](err); ok {
		a.status, a.requestID = re.HTTPStatusCode(), re.ServiceRequestID()
		a.skew, a.pause = skew(re.HTTPResponse()), pause(re.HTTPResponse())
	}
	// UnknownError is the SDK's word for XML without a code.
	if e, ok := as[smithy.APIError](err); ok && e.ErrorCode() != "UnknownError" {
		a.code, a.message = e.ErrorCode(), e.ErrorMessage()
	}
	// STS does not redirect and is no proxy, whatever the body says.
	if !codeShape().MatchString(a.code) || a.status/100 == 3 || a.status == http.StatusProxyAuthRequired {
		a.code = ""
	}
	if !requestIDShape().MatchString(a.requestID) {
		a.requestID = ""
	}
	return a
}

// verdict judges the answer about a key whose id says that it belongs to the
// account decoded, "" if it does not say.
func (a answer) verdict(decoded string) verifier.Verdict {
	switch {
	case a.err == nil:
		return a.identified(a.account, a.arn, decoded)
	case a.code == "":
		return a.noAnswer()
	}
	switch {
	case a.throttled():
		return a.unknown("AWS limits the rate of requests", a.busy())
	case a.status >= 500:
		return a.unknown("AWS has trouble", a.busy())
	}
	switch a.code {
	case "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException":
		// AWS may check the time of a request first or last. Its word on a key counts only
		// if it can have accepted the time.
		if a.skew.Abs() > maxSkew || clockText().MatchString(a.message) {
			return a.unknown(a.wrongClock(), nil)
		}
	}
	switch a.code {
	case "AccessDenied", "AccessDeniedException":
		// AWS authenticates before it denies, and the text names the identity.
		if m := deniedUser().FindStringSubmatch(a.message); m != nil {
			return a.identified(identity(m[1]).Account, m[1], decoded)
		}
		return a.unknown("access denied, by whom is not said", nil)
	case "InvalidClientTokenId":
		return verifier.Verdict{State: verifier.Invalid}
	case "SignatureDoesNotMatch":
		return verifier.Verdict{State: verifier.IDActive}
	case "RequestExpired", "RequestTimeTooSkewed":
		return a.unknown(a.wrongClock(), nil)
	case "ExpiredToken", "ExpiredTokenException":
		return verifier.Verdict{State: verifier.Expired}
	case "IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
		"MalformedInput", "MalformedQueryString", "InvalidParameterValue", "ValidationError":
		return a.unknown("malformed request: what was found is probably not a key", nil)
	case "RegionDisabledException", "OptInRequired":
		return a.unknown("the account does not use this region, or is suspended", nil)
	}
	return a.unknown("unexpected error code "+a.code, nil)
}

// maxSkew is how far the time of a request may be from AWS's time.
const maxSkew = 15 * time.Minute

// skew returns how far the clock that signed is ahead of the one that answered.
func skew(r *smithyhttp.Response) time.Duration {
	if r == nil {
		return 0
	}
	date, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		return 0
	}
	return time.Since(date)
}

// pause returns how long r asks to wait before the next request. Only seconds count: a time
// would have to be compared with a clock that may be wrong.
func pause(r *smithyhttp.Response) time.Duration {
	if r == nil {
		return 0
	}
	seconds, err := strconv.ParseUint(r.Header.Get("Retry-After"), 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// busy returns the verifier.ErrBusy of a.
func (a answer) busy() error { return &verifier.BusyError{Pause: a.pause} }

func (a answer) wrongClock() string {
	const wrong = "the clock of this machine is wrong"
	switch off := a.skew.Round(time.Second); {
	case off > maxSkew:
		return wrong + ": it is " + off.String() + " ahead of AWS"
	case off < -maxSkew:
		return wrong + ": it is " + (-off).String() + " behind AWS"
	}
	return wrong
}

func (a answer) throttled() bool {
	_, ok := retry.DefaultThrottleErrorCodes[a.code]
	return ok || strings.Contains(a.message, "Rate exceeded")
}

// unknown is the verdict for an answer of STS that leaves the question open. Its error does
// not wrap the SDK's error, which quotes message.
func (a answer) unknown(reason string, cause error) verifier.Verdict {
	err := fmt.Errorf("sts:GetCallerIdentity at %s: %s (HTTP %d)", a.host, cmp.Or(a.code, reason), a.status)
	if cause != nil {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return verifier.Verdict{State: verifier.Unknown, Reason: reason, Err: err}
}

// noAnswer is the verdict if STS did not reply: something else did, or nothing.
func (a answer) noAnswer() verifier.Verdict {
	_, cut := as[*net.OpError](a.err) // in the middle of the answer
	if reason, cause := networkTrouble(a.err); a.status == 0 || reason == timedOut || cut {
		err := fmt.Errorf("sts:GetCallerIdentity at %s: %w: %w", a.host, verifier.ErrNoAnswer, cause)
		return verifier.Verdict{State: verifier.Unknown, Reason: "no answer: " + reason, Err: err}
	}
	if a.status >= 500 { // the load balancers of AWS say it in HTML
		return a.unknown("no answer: HTTP "+strconv.Itoa(a.status), errors.Join(verifier.ErrNoAnswer, a.busy()))
	}
	return a.unknown("no answer: something other than STS replied, such as a proxy", verifier.ErrNoAnswer)
}

// as is errors.AsType of Go 1.26.
func as[E error](err error) (e E, ok bool) {
	ok = errors.As(err, &e)
	return e, ok
}

const timedOut = "timed out"

// networkTrouble names the kind of failure in a few words, and returns the cause of err
// without the layers of the SDK.
func networkTrouble(err error) (reason string, cause error) {
	cause = err
	if e, ok := as[*url.Error](err); ok {
		cause = e.Err
	}
	if e, ok := as[net.Error](err); ok && e.Timeout() {
		return timedOut, cause
	}
	if e, ok := as[*proxy.Error](err); ok {
		return e.Why, cause
	}
	if _, ok := as[*net.DNSError](err); ok {
		return "host name not resolved", cause
	}
	if isTLS(err) {
		return "TLS failed", cause
	}
	return "connection failed", cause
}

func isTLS(err error) bool {
	_, verification := as[*tls.CertificateVerificationError](err)
	_, record := as[tls.RecordHeaderError](err)
	_, alert := as[tls.AlertError](err)
	_, host := as[x509.HostnameError](err)
	return verification || record || alert || host
}

// identified is the verdict if STS said who the key belongs to. Account and
// ARN must agree with each other, and with the key id: a body without them, or
// with others, is not an answer to this question.
func (a answer) identified(account, arn, decoded string) verifier.Verdict {
	who := identity(arn)
	who.UserID = a.userID
	switch {
	case who.Kind == "" || who.Account != account:
		return a.unknown("no answer: the reply names no identity", verifier.ErrNoAnswer)
	case decoded != "" && decoded != account:
		return a.unknown("STS answered for account "+account+", the key id says "+decoded, nil)
	case canaryUser(arn):
		return verifier.Verdict{State: verifier.CanarySuspected, Identity: who, Facts: []verifier.Fact{
			{Name: "canary-user", Value: "canarytokens.org (Thinkst), seen in the answer only"},
		}}
	}
	return verifier.Verdict{State: verifier.Live, Identity: who}
}

var (
	userARN = pattern(`^arn:aws[a-z-]*:iam::([0-9]{12}):(user)/(?:[!-~]+/)?([\w+=,.@-]+)$`)
	rootARN = pattern(`^arn:aws[a-z-]*:iam::([0-9]{12}):(root)()$`)
	roleARN = pattern(`^arn:aws[a-z-]*:sts::([0-9]{12}):(assumed-role)/([\w+=,.@-]+)/[\w+=,.@-]+$`)
	fedARN  = pattern(`^arn:aws[a-z-]*:sts::([0-9]{12}):(federated-user)/([\w+=,.@:-]+)$`)
)

// identity reads the four kinds of ARN that GetCallerIdentity answers with. Its
// Kind is empty if arn is none of them.
func identity(arn string) verifier.Identity {
	for _, re := range []*regexp.Regexp{userARN(), rootARN(), roleARN(), fedARN()} {
		if m := re.FindStringSubmatch(arn); m != nil {
			kind := strings.TrimSuffix(strings.TrimPrefix(m[2], "assumed-"), "-user")
			return verifier.Identity{Account: m[1], ARN: arn, Kind: kind, Name: m[3]}
		}
	}
	return verifier.Identity{}
}

// facts returns facts about the exchange, for a person who looks for it in a log.
func (a answer) facts() []verifier.Fact {
	facts := []verifier.Fact{{Name: "sts-endpoint", Value: a.host}}
	if a.status != 0 {
		facts = append(facts, verifier.Fact{Name: "http-status", Value: strconv.Itoa(a.status)})
	}
	if a.code != "" {
		facts = append(facts, verifier.Fact{Name: "error-code", Value: a.code})
	}
	if a.requestID != "" {
		facts = append(facts, verifier.Fact{Name: "aws-request-id", Value: a.requestID})
	}
	return facts
}
