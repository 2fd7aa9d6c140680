package inventory

import (
	"fmt"
	"os"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// ReadFiles returns the keys of files, nil if none is named.
func ReadFiles(names []string) (*Inventory, error) {
	if names == nil {
		return nil, nil
	}
	inv := &Inventory{}
	for _, name := range names {
		r, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("--inventory: %w", err)
		}
		err = inv.Read(r)
		_ = r.Close()
		if err != nil {
			return nil, fmt.Errorf("--inventory %s: %w", name, err)
		}
	}
	return inv, nil
}

// Mark notes on a finding of a key of inv that it is a key for certain, and who owns it. It
// is an annotator of a scan.
func (inv *Inventory) Mark(f *finding.Finding) {
	ids := []string{f.Match.Credential.ID}
	for _, fact := range f.Match.Facts {
		ids = append(ids, fact.Value) // the key that a password or a URL was made with
	}
	for i, id := range ids {
		k, ok := inv.Find(id)
		if !ok {
			continue
		}
		f.Match.Confidence = detectors.High
		if i == 0 { // whatever stands beside it, it is AWS's
			f.Match.Unverifiable = ""
		}
		risk := 1
		if k.Status == "Active" {
			risk = 3
		}
		f.Note(detectors.Fact{Name: "owner", Value: "IAM user " + k.User + " of account " + k.Account + ", by your inventory", Risk: risk})
		f.Note(detectors.Fact{Name: "key-status", Value: k.Status + " on " + k.Listed.UTC().Format(time.DateOnly), Risk: 0})
		return
	}
}
