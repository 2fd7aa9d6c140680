package operator

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/stanch-dev/stanch/verifier/internal/partition"
)

// A Call is one request to a service of AWS.
type Call struct {
	Service string // as it is signed: iam, sts, cloudtrail …
	Action  string // of the API, and of the permission
	Region  string // "" is the home region of the partition
	// Params are for services of the query protocol.
	Params map[string]string
	// Body is sent as JSON to the other services.
	Body any
	// Path and Method are for REST services.
	Path, Method string
}

// maxAnswer is more than any page has.
const maxAnswer = 16 << 20

// attempts bounds how often a request is sent when AWS is busy, says 5xx or does not
// answer. All calls that stanch makes may be repeated: the second time they read again, set
// a state that is already set, or send a notice once more.
const attempts = 5

// Do makes the call and decodes the answer into out, a pointer to a struct with tags of
// encoding/xml or encoding/json, as the service has it; nil drops the answer. If AWS refuses
// the call, the error is an *Error.
func (s *Session) Do(ctx context.Context, c Call, out any) error {
	if err := s.mayDo(c); err != nil {
		return err
	}
	if err := partition.Check(c.Region); err != nil { // it may be from a report
		return fmt.Errorf("%s:%s: %w", c.Service, c.Action, err)
	}
	wait := s.op.cfg.Wait
	if wait == 0 {
		wait = 500 * time.Millisecond
	}
	renewed := false
	for n := 1; ; n++ {
		err := s.once(ctx, c, out)
		if err == nil {
			return nil
		}
		var e *Error
		var set *settingsError
		switch refused := errors.As(err, &e); {
		case refused && e.expired() && !renewed && s.renew():
			renewed = true // the token ran out in the middle of a run
			continue
		case refused && !e.Busy(), n == attempts, errors.Is(err, errUnreadable), errors.As(err, &set), ctx.Err() != nil:
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
		wait *= 2
	}
}

// All makes a call of IAM that lists something, page by page, and decodes all of it
// into out: IAM may end a page before it is full.
func (s *Session) All(ctx context.Context, c Call, out any) error {
	before := ""
	for {
		p := page{list: out}
		if err := s.Do(ctx, c, &p); err != nil {
			return err
		}
		next := ""
		for _, r := range p.Results {
			if r.IsTruncated {
				next = r.Marker
			}
		}
		switch next {
		case "":
			return nil
		case before:
			return fmt.Errorf("%s:%s: the same page again and again", c.Service, c.Action)
		}
		before = next
		params := map[string]string{}
		maps.Copy(params, c.Params)
		params["Marker"] = next
		c.Params = params
	}
}

// A page is one part of a long answer. encoding/xml appends its lists to those of the pages
// before.
type page struct {
	list    any
	Results []struct {
		IsTruncated bool
		Marker      string
	} `xml:",any"` // one, and the metadata
}

// renew makes the next call fetch new credentials, and reports whether it can.
func (s *Session) renew() bool {
	cache, ok := s.keys.(*aws.CredentialsCache)
	if ok {
		cache.Invalidate()
	}
	return ok
}

var errUnreadable = errors.New("the answer cannot be read: something other than AWS replied, such as a proxy")

func (s *Session) once(ctx context.Context, c Call, out any) error {
	keys, err := s.keys.Retrieve(ctx)
	if err != nil {
		return err
	}
	r, body, err := s.request(ctx, c)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	_, region := s.endpoint(c)
	hash := hex.EncodeToString(sum[:])
	if err := v4.NewSigner().SignHTTP(ctx, keys, r, hash, c.Service, region, time.Now()); err != nil {
		return fmt.Errorf("signing %s:%s: %w", c.Service, c.Action, err)
	}
	resp, err := s.op.http.Do(r)
	if err != nil {
		if s.leaked == "" {
			err = s.op.settings.explain(c.Service, region, err)
		}
		return fmt.Errorf("%s:%s: %w", c.Service, c.Action, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s:%s: reading the answer: %w", c.Service, c.Action, err)
	}
	if resp.StatusCode != http.StatusOK {
		err = withoutKeys(newError(c, resp, answer), keys)
	} else {
		err = decode(c, answer, out)
	}
	if c.Service == "iam" && !errors.Is(err, errUnreadable) {
		s.clock.set(resp.Header.Get("Date"), time.Now())
	}
	return err
}

// decode checks that the answer is one to c, even if out is nil: the page of a proxy may be
// good XML, and would read as an account without tags, keys and policies.
func decode(c Call, answer []byte, out any) error {
	var err error
	if services[c.Service].version == "" {
		if out == nil {
			out = &json.RawMessage{}
		}
		err = json.Unmarshal(answer, out)
	} else {
		var is struct{ XMLName xml.Name }
		if err = xml.Unmarshal(answer, &is); err == nil && is.XMLName.Local != c.Action+"Response" {
			err = fmt.Errorf("it is a %q", is.XMLName.Local)
		}
		if p, ok := out.(*page); ok && err == nil {
			err, out = xml.Unmarshal(answer, p), p.list
		}
		if err == nil && out != nil {
			err = xml.Unmarshal(answer, out)
		}
	}
	if err != nil {
		return fmt.Errorf("%s:%s: %w: %w", c.Service, c.Action, errUnreadable, err)
	}
	return nil
}

func (s *Session) request(ctx context.Context, c Call) (*http.Request, []byte, error) {
	service, ok := services[c.Service]
	if !ok {
		return nil, nil, fmt.Errorf("%s:%s: not a service that stanch asks", c.Service, c.Action)
	}
	target, _ := s.endpoint(c)
	method, path := http.MethodPost, "/"
	if c.Path != "" {
		method, path = c.Method, c.Path
	}
	header := http.Header{"User-Agent": {"stanch/" + s.op.cfg.Version}}
	var body []byte
	switch {
	case service.version != "":
		form := url.Values{"Action": {c.Action}, "Version": {service.version}}
		for name, value := range c.Params {
			form.Set(name, value)
		}
		body = []byte(form.Encode())
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	case c.Body != nil:
		var err error
		if body, err = json.Marshal(c.Body); err != nil {
			return nil, nil, fmt.Errorf("%s:%s: %w", c.Service, c.Action, err)
		}
		header.Set("Content-Type", "application/x-amz-json-1.1")
		if service.target != "" {
			header.Set("X-Amz-Target", service.target+"."+c.Action)
		} else {
			header.Set("Content-Type", "application/json")
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, target+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("%s:%s: %w", c.Service, c.Action, err)
	}
	r.Header = header
	return r, body, nil
}

// endpoint returns the URL that a call is sent to, without its path, and the region that it is
// signed for.
func (s *Session) endpoint(c Call) (base, region string) {
	region = c.Region
	if c.Service == "sts" && region == "" {
		region = s.region // a network may lead to the operator's region only
	}
	host, region := host(c.Service, s.partition, region, s.op.settings.fips)
	return cmp.Or(s.op.cfg.Endpoint, s.op.settings.endpoints[c.Service], "https://"+host), region
}
