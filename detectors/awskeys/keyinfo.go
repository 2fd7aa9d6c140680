package awskeys

import (
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/services"
)

// Grades of an access key id, by its structure.
const (
	// Strong: base32, the generation bit is set and the account number is one: the
	// layout that AWS has issued since about March 2019.
	Strong = keyformat.Strong
	// Legacy: base32 and begins with I or J: issued before that. The account cannot be
	// read from it.
	Legacy = keyformat.Legacy
	// Impossible: AWS cannot have issued it. A fixture or a placeholder.
	Impossible = keyformat.Impossible
)

// Grade returns the grade of an access key id.
func Grade(id string) string { return keyformat.Grade(id) }

// Account returns the account, twelve digits, that the structure of a key id names. It
// works offline for ids of the current layout: access keys (AKIA, ASIA), and the unique
// ids of users, roles and groups (AIDA, AROA, AGPA), which have 21 characters. ok is
// false for the layout before 2019 and for a string that is no id.
func Account(id string) (number string, ok bool) { return keyformat.Account(id) }

// TokenInfo is the part of a session token that is not encrypted. Fields that the type
// of the token does not carry are zero.
type TokenInfo = keyformat.TokenInfo

// ParseToken reads the clear fields of a session token. If ok is false, the token does
// not have the format that is known; it may work all the same.
func ParseToken(token string) (info TokenInfo, ok bool) { return keyformat.ParseToken(token) }

// PresignedURL is the rule of presigned requests.
var PresignedURL = services.PresignedURL
