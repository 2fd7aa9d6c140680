package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"os"
	"strings"
)

// minToken is the least length of a token that somebody has chosen.
const minToken = 16

// A Token signs in the user who sends it.
type Token struct {
	User User
	text string
}

// MakeToken returns a token that was made up, and its text.
func MakeToken(u User) (t Token, text string) {
	text = rand.Text()
	return Token{u, text}, text
}

// ReadTokens reads tokens of users with a role from a file. A line is a token, or the name
// of its user, a space and the token. Empty lines, and lines that begin with #, do not
// count. A token without a name is of a user with the name of the role. Errors hold no
// token.
func ReadTokens(file string, role Role) ([]Token, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var tokens []Token
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		t := Token{User{Name: role.String(), Role: role}, fields[len(fields)-1]}
		switch {
		case len(fields) == 2:
			t.User.Name = fields[0]
		case len(fields) > 2:
			return nil, fmt.Errorf("%s:%d: want TOKEN, or NAME TOKEN; there are %d words", file, n, len(fields))
		}
		if len(t.text) < minToken {
			return nil, fmt.Errorf("%s:%d: a token has %d characters or more", file, n, minToken)
		}
		if name := cleanName(t.User.Name); name == "" {
			return nil, fmt.Errorf("%s:%d: the name cannot be shown", file, n)
		}
		tokens = append(tokens, t)
	}
	if len(tokens) == 0 {
		return nil, fmt.Errorf("%s: there is no token: a token has %d characters or more", file, minToken)
	}
	return tokens, nil
}

// is reports whether text is the token. It compares hashes, so that the time that it takes
// says nothing about the token.
func (t Token) is(text string) bool {
	got, want := sha256.Sum256([]byte(text)), sha256.Sum256([]byte(t.text))
	return t.text != "" && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// tokenOf returns the token with a text. If several are equal, it is the one whose user may do
// most.
func (g *Gate) tokenOf(text string) (found Token) {
	for _, t := range g.Tokens {
		if t.is(text) && t.User.Role > found.User.Role {
			found = t
		}
	}
	return found
}
