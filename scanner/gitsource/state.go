package gitsource

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A State says what of a repository was read: packs by name, which is a hash of
// what they hold, and loose objects by id. It holds nothing of their content. A
// nil State has seen nothing.
type State struct {
	Version string   `json:"version"` // of the detectors
	Packs   []string `json:"packs"`   // sorted
	Loose   []string `json:"loose"`   // sorted ids
	packs   map[string]bool
	loose   map[pack.ID]bool
}

func (s *State) hasPack(p *pack.Pack) bool { return s != nil && s.packs[p.Name] }

func (s *State) hasLoose(l loose) bool { return s != nil && s.loose[l.id] }

var (
	_ = json.Marshal
	_ = errors.New
	_ = fmt.Errorf
	_ = fs.ErrNotExist
	_ = os.ReadFile
)
