package gitsource

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/stanch-dev/stanch/scanner/atomicfile"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/boundedfile"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A State lists the parts of a repository that were read, so that the next scan reads only new
// ones: packs by name, which is a hash of the ids in them, and loose objects by id. It holds
// none of their content and no findings. A nil State lists nothing.
type State struct {
	// Version names the detectors and rules that searched the texts. A state with another
	// version counts for nothing.
	Version string   `json:"version"`
	Packs   []string `json:"packs"` // sorted
	Loose   []string `json:"loose"` // sorted, in hexadecimal
	// Missing is how many objects a partial clone did not hold.
	Missing int `json:"missing,omitempty"`

	packs map[string]bool
	loose map[pack.ID]bool
}

const stateSchema = "stanch-state/v1"

// ReadState reads a state that Write has written. It is empty if there is no such file, or
// if the file has another version.
func ReadState(file, version string) (*State, error) {
	s := &State{Version: version}
	text, err := boundedfile.ReadSmall(file, boundedfile.MaxList)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the state of the last scan: %w", err)
	}
	saved := struct {
		Schema string `json:"schema"`
		*State
	}{State: &State{}}
	if err := json.Unmarshal(text, &saved); err != nil || saved.Schema != stateSchema {
		return nil, fmt.Errorf("reading the state of the last scan: %s is not such a file; remove it to start over", file)
	}
	if saved.Version != version {
		return s, nil
	}
	s = &State{Version: version}
	s.Add(saved.State)
	s.Missing = saved.Missing
	return s, nil
}

// Add adds the parts that other lists.
// other must be of the same version, and not nil.
func (s *State) Add(other *State) {
	if s.packs == nil {
		own := *s
		s.packs, s.loose = map[string]bool{}, map[pack.ID]bool{}
		s.Packs, s.Loose = []string{}, []string{}
		s.Add(&own)
	}
	for _, p := range other.Packs {
		if !s.packs[p] {
			s.packs[p] = true
			s.Packs = append(s.Packs, p)
		}
	}
	for _, hex := range other.Loose {
		if id, ok := pack.ParseID([]byte(hex)); ok && !s.loose[id] {
			s.loose[id] = true
			s.Loose = append(s.Loose, hex)
		}
	}
	slices.Sort(s.Packs)
	slices.Sort(s.Loose)
}

// Write writes s to file, whole or not at all.
func (s *State) Write(file string) error {
	text, err := json.Marshal(struct {
		Schema string `json:"schema"`
		*State
	}{stateSchema, s})
	if err == nil {
		err = atomicfile.Write(file, append(text, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("saving the state of this scan to %s: %w", file, err)
	}
	return nil
}

// hasPack reports whether all of a pack was read.
func (s *State) hasPack(p *pack.Pack) bool { return s != nil && s.packs[p.Name] }

// hasLoose reports whether a loose object was read.
func (s *State) hasLoose(l objects.Loose) bool { return s != nil && s.loose[l.ID] }
