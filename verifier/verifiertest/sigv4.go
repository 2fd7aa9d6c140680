package verifiertest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// An authorization is the Authorization header of Signature Version 4.
type authorization struct {
	keyID, date, region, service string
	headers                      []string // signed ones, in lower case
	signature                    string
}

// parseAuthorization reads
//
//	AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX
func parseAuthorization(header string) (authorization, error) {
	rest, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	values := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		values[name] = value
	}
	scope := strings.Split(values["Credential"], "/")
	if !ok || len(scope) != 5 || scope[4] != "aws4_request" {
		return authorization{}, errors.New("authorization: not signature version 4")
	}
	return authorization{
		keyID: scope[0], date: scope[1], region: scope[2], service: scope[3],
		headers:   strings.Split(values["SignedHeaders"], ";"),
		signature: values["Signature"],
	}, nil
}

// sign returns the signature that r ought to have. It follows the specification (IAM User
// Guide, "Create a signed AWS API request") and does not use the SDK's signer, which it
// checks.
func sign(r *http.Request, auth authorization, body []byte, secret string) string {
	scope := strings.Join([]string{auth.date, auth.region, auth.service, "aws4_request"}, "/")
	toSign := strings.Join([]string{
		"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), scope, hash([]byte(canonical(r, auth.headers, body))),
	}, "\n")
	key := []byte("AWS4" + secret)
	for s := range strings.SplitSeq(scope, "/") {
		key = mac(key, s)
	}
	return hex.EncodeToString(mac(key, toSign))
}

// canonical returns the canonical request. No service that stanch asks has query
// parameters other than in the body.
func canonical(r *http.Request, headers []string, body []byte) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + r.URL.EscapedPath() + "\n\n")
	for _, name := range slices.Sorted(slices.Values(headers)) {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		b.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	b.WriteString("\n" + strings.Join(headers, ";") + "\n" + hash(body))
	return b.String()
}

func hash(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func mac(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s))
	return h.Sum(nil)
}
