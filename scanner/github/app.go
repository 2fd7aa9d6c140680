package github

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/github/internal/requests"
)

// An App is a TokenSource: a GitHub App, as one owner of repositories has installed
// it. It needs the permissions to read contents and metadata. Its token lasts an hour,
// and is renewed five minutes before.
type App struct {
	*sender   // signs as the App
	id, owner string
	given     int64 // installation, 0: look it up
	ours      *requests.Transport

	mu           sync.Mutex
	installation int64 // 0: not yet looked up
	token        detectors.Secret
	expires      time.Time // by the clock of GitHub
}

// NewApp returns the App with this id, or client id, at the API at base. key is its private
// key, the PEM file that GitHub makes. If installation is 0, the App looks up the
// installation of owner.
func NewApp(base, id string, key detectors.Secret, installation int64, owner, version string) (*App, error) {
	signer, err := parseKey(key)
	if err != nil {
		return nil, fmt.Errorf("the private key of the GitHub App: %w", err)
	}
	jwt := &jwt{issuer: id, key: signer}
	s, t, err := newSender(base, version, Budget{ID: "app " + id, Tokens: jwt})
	if err != nil {
		return nil, err
	}
	jwt.now = t.Now
	return &App{id: id, owner: owner, given: installation, sender: s, ours: t}, nil
}

func parseKey(key detectors.Secret) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(key.Reveal()))
	if block == nil {
		return nil, errors.New("it is not in the form of PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil { // the form that GitHub makes
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if rsaKey, ok := parsed.(*rsa.PrivateKey); ok && err == nil {
		return rsaKey, nil
	}
	return nil, errors.New("it is not an RSA key")
}

// renewBefore is how long a clone may take from its first request with a token to the
// last.
const renewBefore = 5 * time.Minute

// Token implements TokenSource.
func (a *App) Token(ctx context.Context, refused detectors.Secret) (detectors.Secret, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.token.IsZero() && !a.token.Equal(refused) && a.ours.Now().Add(renewBefore).Before(a.expires) {
		return a.token, nil
	}
	a.token = detectors.Secret{}
	if err := a.find(ctx); err != nil {
		return detectors.Secret{}, a.explain("finding its installation", err)
	}
	var issued struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}
	err := a.sender.do(func() (*github.Response, error) {
		req, err := a.sender.api.NewRequest("POST", fmt.Sprintf("app/installations/%d/access_tokens", a.installation), nil)
		if err != nil {
			return nil, err
		}
		return a.sender.api.Do(ctx, req, &issued)
	})
	if err == nil && (issued.Token == "" || !a.ours.Now().Before(issued.Expires)) {
		err = errors.New("the answer has no token that is valid; is this the API of GitHub?")
	}
	if err != nil {
		a.installation = 0 // it may have been installed anew
		return detectors.Secret{}, a.explain("asking for a token", err)
	}
	a.token, a.expires = detectors.NewSecret(issued.Token), issued.Expires
	return a.token, nil
}

// find looks up the installation.
func (a *App) find(ctx context.Context) error {
	if a.given != 0 {
		a.installation = a.given
	}
	if a.installation != 0 {
		return nil
	}
	if !ownerName().MatchString(a.owner) {
		return fmt.Errorf("%q is not the name of an organization or user", a.owner)
	}
	var found struct {
		ID        int64      `json:"id"`
		Suspended *time.Time `json:"suspended_at"`
	}
	_, err := get(ctx, a.sender, "orgs/"+a.owner+"/installation", &found)
	if errors.Is(err, ErrGone) {
		_, err = get(ctx, a.sender, "users/"+a.owner+"/installation", &found)
	}
	switch {
	case errors.Is(err, ErrGone):
		return fmt.Errorf("it is not installed for %s: %w", a.owner, err)
	case err == nil && found.Suspended != nil:
		return fmt.Errorf("its installation for %s is suspended since %s", a.owner, found.Suspended.Format(time.DateOnly))
	case err == nil && found.ID == 0:
		return errors.New("the answer has no installation; is this the API of GitHub?")
	}
	a.installation = found.ID
	return err
}

// explain adds to err the remedy for the user.
func (a *App) explain(doing string, err error) error {
	hint := ""
	var answer *github.ErrorResponse
	if errors.As(err, &answer) {
		switch answer.Response.StatusCode {
		case http.StatusUnauthorized:
			hint = " (its id is wrong, it was removed, or the key was revoked)"
		case http.StatusForbidden:
			hint = " (the installation may be suspended)"
		case http.StatusNotFound:
			hint = " (the installation may have been removed)"
		}
	}
	return fmt.Errorf("GitHub App %s: %s%s: %w", a.id, doing, hint, err)
}

// A jwt is a TokenSource: a JSON web token signed by the App (docs.github.com,
// "Generating a JSON Web Token (JWT) for a GitHub App"; RFC 7519, RFC 7518 section
// 3.3).
type jwt struct {
	issuer string
	key    *rsa.PrivateKey
	now    func() time.Time // by the clock of GitHub
}

// Token implements TokenSource. A token is good for nine minutes, of the ten that GitHub
// allows. It begins a minute ago, in case the clocks differ; if they differ by more, the
// answer has a Date, and the next token is right.
func (j *jwt) Token(context.Context, detectors.Secret) (detectors.Secret, error) {
	now := j.now()
	claims, err := json.Marshal(map[string]any{"iss": j.issuer, "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(9 * time.Minute).Unix()})
	if err != nil {
		return detectors.Secret{}, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(claims)
	hash := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, j.key, crypto.SHA256, hash[:])
	if err != nil {
		return detectors.Secret{}, fmt.Errorf("signing as the GitHub App: %w", err)
	}
	return detectors.NewSecret(signed + "." + encode(signature)), nil
}
