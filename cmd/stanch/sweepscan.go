//go:build sweep

package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/report"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// A searcher scans sources for a sweep. It may be used concurrently.
type searcher struct {
	job     *job
	set     *detectors.Set
	scanner *scanner.Scanner
}

func newSearcher(j *job) *searcher {
	set, sc := j.scanner(time.Now())
	return &searcher{job: j, set: set, scanner: sc}
}

// scan implements sweep.Engine.Scan.
func (s *searcher) scan(ctx context.Context, src scanner.Source, page string) (sweep.Result, error) {
	if repo, ok := src.(*gitsource.Repository); ok {
		src = paged{repo, page}
	}
	k := &keeper{}
	sink := report.NewSink(k, report.Scan{Version: number(), Source: "github", Target: page, Started: time.Now()}, s.set, false)
	err := s.scanner.Scan(ctx, src, s.job.assessed(ctx, sink))
	return k.result, later(err)
}

// A keeper is the Handler of what a store keeps.
type keeper struct{ result sweep.Result }

// Scan implements report.Handler.
func (k *keeper) Scan(report.Scan) error { return nil }

// Repository implements report.Handler.
func (k *keeper) Repository(report.Repository) error { return nil }

// Summary implements report.Handler.
func (k *keeper) Summary(s report.Summary) error {
	k.result.Objects, k.result.Unread = s.Objects, s.Unread
	return nil
}

// Finding implements report.Handler.
func (k *keeper) Finding(f report.Finding) error {
	kept := sweep.Finding{
		Fingerprint: f.Fingerprint, KeyID: f.KeyID, Account: f.Account,
		State: string(f.State), Reason: f.Reason, Ignored: f.Ignored, Verified: f.VerifiedAt,
	}
	var err error
	for _, l := range f.Locations {
		place := sweep.Location{
			Blob: l.Blob, Kind: string(l.Kind), Path: l.Path, Commit: l.Commit, Part: l.Part,
			Line: l.Line, Column: l.Column, AtHead: l.AtHead,
		}
		if place.Record, err = json.Marshal(l); err != nil {
			return err
		}
		kept.Locations = append(kept.Locations, place)
	}
	f.Locations, f.Secret, f.Token, f.Value = nil, "", "", ""
	if kept.Record, err = json.Marshal(f); err != nil {
		return err
	}
	k.result.Findings = append(k.result.Findings, kept)
	return nil
}
