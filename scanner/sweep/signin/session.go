package signin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A session is "UNIX-TIME.TOKEN.RANDOM.MAC": until when it lasts, which token began it, and
// a code that only the holder of the token can make. It needs no table: servers with the
// same tokens know each other's sessions, and a session ends with its token.
const sessionLength = 12 * time.Hour

// The names of the cookie. A browser lets only a server with TLS set one that begins with
// __Host-, for no other host and for all paths (RFC 6265bis, section 4.1.3.2).
const (
	cookieName       = "stanch"
	secureCookieName = "__Host-stanch"
)

// newSession returns a session of the user of t.
func (g *Gate) newSession(t Token) string {
	s := fmt.Sprintf("%d.%s.%s", g.now().Add(sessionLength).Unix(), t.name(), rand.Text())
	return s + "." + t.mac(s)
}

// session returns the user of a session, Nobody if it is none, has ended, or was signed out.
func (g *Gate) session(s string) User {
	head, mac := cutMAC(s)
	until, rest, _ := strings.Cut(head, ".")
	name, _, _ := strings.Cut(rest, ".")
	seconds, err := strconv.ParseInt(until, 10, 64)
	if err != nil || !g.now().Before(time.Unix(seconds, 0)) {
		return User{}
	}
	for _, t := range g.Tokens {
		if t.name() == name && hmac.Equal([]byte(mac), []byte(t.mac(head))) && !g.isEnded(s) {
			return User{Name: t.User.Name, Role: t.User.Role, Session: true}
		}
	}
	return User{}
}

// cutMAC parts a session from its code.
func cutMAC(s string) (head, mac string) {
	i := strings.LastIndexByte(s, '.')
	return s[:max(i, 0)], s[i+1:]
}

// name returns what sessions call the token: a part of its hash, and of the role, since a
// token may stand in the files of both.
func (t Token) name() string {
	sum := sha256.Sum256([]byte("stanch token " + t.User.Role.String() + " " + t.text))
	return hex.EncodeToString(sum[:8])
}

func (t Token) mac(s string) string {
	h := hmac.New(sha256.New, []byte(t.text))
	_, _ = h.Write([]byte("stanch session " + t.User.Role.String() + " " + s))
	return hex.EncodeToString(h.Sum(nil))
}

// end ends a session for this process. It forgets it when it would have ended anyway.
func (g *Gate) end(s string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended == nil {
		g.ended = map[string]time.Time{}
	}
	for other, at := range g.ended {
		if g.now().Sub(at) > sessionLength {
			delete(g.ended, other)
		}
	}
	g.ended[s] = g.now()
}

func (g *Gate) isEnded(s string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.ended[s].IsZero()
}

// sessionOf returns the session that a request brings, "" if it brings none.
func sessionOf(r *http.Request) string {
	for _, name := range []string{secureCookieName, cookieName} {
		if c, err := r.Cookie(name); err == nil {
			return c.Value
		}
	}
	return ""
}

// setCookie sets the cookie to a session, or removes it if that is "". A page of another
// site cannot send it (SameSite=Strict), and no script can read it.
func setCookie(w http.ResponseWriter, r *http.Request, session string) {
	tls := r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
	c := &http.Cookie{Name: cookieName, Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: tls, MaxAge: int(sessionLength.Seconds())}
	if tls {
		c.Name = secureCookieName
	}
	if session == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func (g *Gate) now() time.Time {
	if g.Now != nil {
		return g.Now()
	}
	return time.Now()
}
