package operator

import (
	"regexp"
	"strings"
	"sync"
)

// accessKeyID is compiled when it is first needed: hooks do not wait for it.
var accessKeyID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(AKIA|ASIA)[A-Z0-9]{12,124}$`) })

// IsAccessKeyID reports whether id is the id of an access key, of a user or of a session.
func IsAccessKeyID(id string) bool { return accessKeyID().MatchString(id) }

// IsLongTermKeyID reports whether id is the id of a long-term access key, which IAM knows.
func IsLongTermKeyID(id string) bool { return strings.HasPrefix(id, "AKIA") && IsAccessKeyID(id) }
