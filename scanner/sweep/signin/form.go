package signin

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"net/http"
)

const formStyle = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:26rem;margin:15vh auto 0;padding:0 1rem}
h1{font-size:1.25rem}
label,input,button{display:block;width:100%;box-sizing:border-box;font:inherit}
input,button{margin:.25rem 0 1rem;padding:.5rem .6rem;border:1px solid #767676;border-radius:4px}
button{cursor:pointer;font-weight:600}
.wrong{color:light-dark(#b00020,#ff8a80);font-weight:600}
`

// formPolicy allows the style of the form, and nothing else.
func formPolicy() string {
	sum := sha256.Sum256([]byte(formStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}

// writeForm writes the page that asks for a token, and leads to next. It has no script.
func (g *Gate) writeForm(w http.ResponseWriter, code int, next, wrong string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", formPolicy())
	// With no-referrer a browser sends "Origin: null", and without TLS no Sec-Fetch-Site: the
	// form would look like that of another site (fetch.spec.whatwg.org, "append a request
	// `Origin` header").
	w.Header().Set("Referrer-Policy", "same-origin")
	w.WriteHeader(code)
	page := `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in · stanch</title><style>` + formStyle + `</style></head>
<body><main><h1>stanch: sign in</h1>
`
	if wrong != "" {
		page += `<p class="wrong" role="alert">` + html.EscapeString(wrong) + "</p>\n"
	}
	if len(g.Tokens) == 0 {
		page += "<p>Sign in at the proxy in front of this server.</p>\n"
	} else {
		page += `<form method="post" action="/sign-in">
<input type="hidden" name="next" value="` + html.EscapeString(next) + `">
<input type="text" name="user" value="stanch" autocomplete="username" hidden>
<label for="token">Token of the page</label>
<input id="token" name="token" type="password" required autofocus autocomplete="current-password">
<button>Sign in</button></form>
`
	}
	_, _ = io.WriteString(w, page+"</main></body></html>\n")
}
