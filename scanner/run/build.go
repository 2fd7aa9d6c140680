package run

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
)

// Build tells this build of a version from all others by a hash of the program: a version
// does not tell builds of a changed checkout apart.
func Build(version string) (string, error) {
	name, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %x", version, h.Sum(nil)), nil
}
