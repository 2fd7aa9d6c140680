package signin

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Gate lets the requests of known users through. Its fields must not change once it is
// used; its methods may be called concurrently. Without Tokens and Proxy it lets nobody
// through.
type Gate struct {
	Tokens []Token
	Proxy  *Proxy // nil for none
	// Hosts are the names by which browsers reach the server, beside localhost and IP
	// addresses; AnyHost is for all names. A page of a stranger whose name leads to this
	// server (DNS rebinding) sends its own name.
	Hosts   []string
	AnyHost bool
	Log     *slog.Logger     // nil for none
	Now     func() time.Time // nil for the clock of this machine

	mu    sync.Mutex
	ended map[string]time.Time // sessions that were signed out, by when
}

func (g *Gate) log() *slog.Logger { return cmp.Or(g.Log, slog.New(slog.DiscardHandler)) }

// Protect returns a handler that calls next for requests of known users, whom UserOf
// returns. It answers others itself, and those for /sign-in and /sign-out. All answers have
// headers that keep pages of others from framing and reading them; next may change those
// headers.
func (g *Gate) Protect(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sign-in", func(w http.ResponseWriter, _ *http.Request) { g.writeForm(w, http.StatusOK, "/", "") })
	mux.HandleFunc("POST /sign-in", g.signIn)
	mux.HandleFunc("POST /sign-out", g.signOut)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { g.let(w, r, next) })
	// It goes by Sec-Fetch-Site and Origin, which a page cannot choose.
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, http.StatusForbidden, "a page of another site has sent this request")
	}))
	inner := origin.Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		if !g.knowsHost(r.Host) {
			refuse(w, r, http.StatusMisdirectedRequest, "this server does not know itself by that name: give it by --page-host")
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// knowsHost reports whether a browser may call this server so. An address cannot be
// rebound: it is what it names.
func (g *Gate) knowsHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	if _, err := netip.ParseAddr(host); err == nil || g.AnyHost || strings.EqualFold(host, "localhost") {
		return true
	}
	return slices.ContainsFunc(g.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// let calls next for a known user.
func (g *Gate) let(w http.ResponseWriter, r *http.Request, next http.Handler) {
	u, err := g.userOf(r)
	switch {
	case err != nil:
		g.log().Warn("a request names its user, and is refused", "address", r.RemoteAddr, "err", err)
		refuse(w, r, http.StatusForbidden, err.Error())
	case u.Role != Nobody:
		next.ServeHTTP(w, r.WithContext(With(r.Context(), u)))
	case r.Method == http.MethodGet && r.URL.Query().Has("token"):
		g.followLink(w, r)
	default:
		g.ask(w, r)
	}
}

// userOf returns the user who sends a request.
func (g *Gate) userOf(r *http.Request) (User, error) {
	named, err := g.Proxy.userOf(r)
	if err != nil {
		return User{}, err
	}
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if t := g.tokenOf(bearer); t.User.Role != Nobody {
		return t.User, nil
	}
	if named.Role != Nobody {
		return named, nil
	}
	return g.session(sessionOf(r)), nil
}

// followLink begins a session for the link that is printed at the start, which has the
// token. The answer leads to the URL without the token, so that the browser's history does
// not keep it.
func (g *Gate) followLink(w http.ResponseWriter, r *http.Request) {
	t := g.tokenOf(r.URL.Query().Get("token"))
	if t.User.Role == Nobody {
		g.ask(w, r)
		return
	}
	g.begin(w, r, t)
	// A redirect that another site began would not send the cookie; this one is of the same site.
	w.Header().Set("Refresh", "0; url="+localURL(r.URL))
}

func (g *Gate) begin(w http.ResponseWriter, r *http.Request, t Token) {
	g.log().Info("signed in", "user", t.User.Name, "role", t.User.Role.String(), "address", r.RemoteAddr)
	setCookie(w, r, g.newSession(t))
}

// signIn begins a session for the token in a form.
func (g *Gate) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		refuse(w, r, http.StatusBadRequest, "the form cannot be read")
		return
	}
	next := "/"
	if u, err := url.Parse(r.PostForm.Get("next")); err == nil {
		next = localURL(u)
	}
	t := g.tokenOf(strings.TrimSpace(r.PostForm.Get("token")))
	if t.User.Role == Nobody {
		g.log().Warn("a wrong token", "address", r.RemoteAddr)
		g.writeForm(w, http.StatusUnauthorized, next, "This is not a token of the page.")
		return
	}
	g.begin(w, r, t)
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// signOut ends the session. A user whom a proxy names is signed out there.
func (g *Gate) signOut(w http.ResponseWriter, r *http.Request) {
	if s := sessionOf(r); g.session(s).Role != Nobody {
		g.end(s)
	}
	setCookie(w, r, "")
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// ask answers a request of nobody.
func (g *Gate) ask(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	if r.Method != http.MethodGet || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		refuse(w, r, http.StatusUnauthorized, "send the token of the page: Authorization: Bearer ...")
		return
	}
	// The cookie does not come with a link of another site, such as one in a chat. A browser
	// that loads the URL again for this page sends it.
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" && !r.URL.Query().Has("token") {
		w.Header().Set("Refresh", "0; url="+localURL(r.URL))
	}
	g.writeForm(w, http.StatusUnauthorized, localURL(r.URL), "")
}

// localURL returns the path and the query of a URL, without a token. It is never a URL of
// another server, as //example.com would be.
func localURL(u *url.URL) string {
	query := u.Query()
	query.Del("token")
	local := url.URL{Path: "/" + strings.TrimLeft(u.Path, `/\`), RawQuery: query.Encode()}
	return local.String()
}

// refuse answers with an error: as RFC 9457 says below /api/, as text elsewhere.
func refuse(w http.ResponseWriter, r *http.Request, code int, why string) {
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		http.Error(w, why, code)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(code), "status": code, "detail": why})
}
