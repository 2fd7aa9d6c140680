package sweep

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// maxHalves is how many files with halves of keys are read again with the new objects of a
// repository: the files that were found last.
const maxHalves = 200

// Places holds where files were in earlier sweeps, by their ids.
type Places map[finding.BlobID][]finding.Location

// Halves returns the places of the files of a repository that hold an id without a secret, or
// a secret without an id.
func (s *Store) Halves(ctx context.Context, repository int64) (Places, error) {
	known := Places{}
	return known, database.EachRow(ctx, s.SQL, func(scan func(...any) error) error {
		return known.row(scan, func(blob string) bool { return known[finding.BlobID(blob)] != nil || len(known) < maxHalves })
	}, `SELECT l.blob, l.record, l.at_head FROM location l JOIN finding f ON f.fingerprint = l.fingerprint
		WHERE l.repository = $1 AND l.kind = 'blob' AND l.blob <> '' AND f.ignored = ''
		AND (f.key_id <> '' AND f.record NOT LIKE '%"secret_sha256":"%' AND (f.record LIKE '%"rule":"aws-access-key"%' OR f.record LIKE '%"rule":"aws-session-key"%')
			OR f.key_id = '' AND f.record LIKE '%"rule":"aws-secret-key"%') ORDER BY l.first_seen DESC, l.place`, repository)
}

// PlacesOf returns the places of some files of a repository that have findings.
func (s *Store) PlacesOf(ctx context.Context, repository int64, files []string) (Places, error) {
	known := Places{}
	return known, database.EachRow(ctx, s.SQL, func(scan func(...any) error) error {
		return known.row(scan, func(blob string) bool { return slices.Contains(files, blob) })
	}, `SELECT blob, record, at_head FROM location WHERE repository = $1 AND kind = 'blob' AND blob <> '' ORDER BY place`, repository)
}

// row adds the place of a row, if its file is wanted.
func (p Places) row(scan func(...any) error, wanted func(blob string) bool) error {
	var blob, record string
	var atHead int
	if err := scan(&blob, &record, &atHead); err != nil || !wanted(blob) {
		return err
	}
	var l finding.Location
	if err := database.UnmarshalRecord(json.RawMessage(record), &l); err != nil {
		return fmt.Errorf("a place in the database: %w", err)
	}
	p.add(finding.BlobID(blob), l, atHead != 0)
	return nil
}

// add adds the place of a file, once. A member of an archive has no place of its own.
func (p Places) add(blob finding.BlobID, l finding.Location, atHead bool) {
	list := p[blob]
	if strings.Contains(l.Path, "!") || slices.ContainsFunc(list, func(o finding.Location) bool { return o.Path == l.Path && o.Commit == l.Commit }) {
		return
	}
	p[blob] = append(list, finding.Location{
		Kind: l.Kind, Repo: l.Repo, Path: l.Path, Commit: l.Commit, Author: l.Author, Email: l.Email, Time: l.Time,
		AtHead: atHead, Refs: l.Refs, MoreRefs: l.MoreRefs, Unreachable: l.Unreachable,
	})
}

// WithoutHalves returns the findings of a scan without the places of files that were read
// before, unless a key was joined of its halves: all else is in the database.
func (p Places) WithoutHalves(findings []finding.Finding) []finding.Finding {
	return slices.DeleteFunc(findings, func(f finding.Finding) bool {
		return !isWhole(&f) && !slices.ContainsFunc(f.Locations, func(l finding.Location) bool { return p[l.Blob] == nil })
	})
}

// isWhole reports whether f has an id and a secret.
func isWhole(f *finding.Finding) bool {
	return f.Match.Credential.ID != "" && f.SecretSHA256() != ""
}

// absorbHalves takes the halves of f, a whole key that was found in a repository, out of the
// findings, as part of tx: an id or a secret that an earlier sweep found alone at a place of f.
// If a half is nowhere else, it ends, and f gets its owner, its comment, its status, its
// history and the day when it was first seen. A false alarm does not pass on: somebody said so
// of a half that opens nothing.
func (s *Store) absorbHalves(ctx context.Context, tx *sql.Tx, repository int64, f *finding.Finding) error {
	half := finding.Finding{}
	half.Match.Rule, half.Match.Credential.ID = f.Match.Rule, f.Match.Credential.ID
	whole, id := f.Fingerprint(), half.Fingerprint()
	halves, err := s.halvesAmong(ctx, tx, repository, whole, id, f.SecretSHA256())
	if err != nil {
		return err
	}
	for _, h := range halves {
		if err := s.absorb(ctx, tx, repository, whole, h); err != nil {
			return fmt.Errorf("joining the halves of a key: %w", err)
		}
	}
	return nil
}

// halvesAmong returns the findings in the texts of a whole one that are its half: the id, or
// a secret of that hash. It keeps others from changing them until tx ends. It asks for the
// texts first, and then for their findings by name: PostgreSQL would go through all findings
// if it was asked at once and had no statistics yet.
func (s *Store) halvesAmong(ctx context.Context, tx *sql.Tx, repository int64, whole, id, hash string) (halves []string, err error) {
	var near []any
	if err := database.EachRow(ctx, tx, func(scan func(...any) error) error {
		var fingerprint string
		err := scan(&fingerprint)
		near = append(near, fingerprint)
		return err
	}, `SELECT DISTINCT l.fingerprint FROM location w JOIN location l ON l.repository = w.repository AND l.blob = w.blob
		WHERE w.fingerprint = $1 AND w.repository = $2 AND l.fingerprint <> $1 ORDER BY l.fingerprint`, whole, repository); err != nil {
		return nil, err
	}
	for part := range slices.Chunk(near, 500) { // a statement has a limit of parameters
		in := make([]string, len(part))
		for i := range part {
			in[i] = fmt.Sprintf("$%d", i+3)
		}
		if err := database.EachRow(ctx, tx, func(scan func(...any) error) error {
			var fingerprint string
			err := scan(&fingerprint)
			halves = append(halves, fingerprint)
			return err
		}, `SELECT fingerprint FROM finding WHERE fingerprint IN (`+strings.Join(in, ",")+`) AND (fingerprint = $1 OR key_id = '' AND record LIKE $2)
			ORDER BY fingerprint`+s.ForUpdate(), append([]any{id, `%"secret_sha256":"` + hash + `"%`}, part...)...); err != nil {
			return nil, err
		}
	}
	return halves, nil
}

// absorb takes one half into a whole finding.
func (s *Store) absorb(ctx context.Context, tx *sql.Tx, repository int64, whole, half string) error {
	for _, statement := range []string{
		// HEAD may have left the file before the halves were joined.
		`UPDATE location SET gone_since = COALESCE((SELECT h.gone_since FROM location h WHERE h.fingerprint = $2 AND h.repository = $3 AND h.place = location.place), gone_since)
			WHERE fingerprint = $1 AND repository = $3 AND at_head = 0`,
		`DELETE FROM location WHERE fingerprint = $2 AND repository = $3 AND blob IN (SELECT w.blob FROM location w WHERE w.fingerprint = $1 AND w.repository = $3)`,
	} {
		if _, err := database.Exec(ctx, tx, statement, whole, half, repository); err != nil {
			return err
		}
	}
	var left int
	if err := database.QueryRow(ctx, tx, `SELECT COUNT(*) FROM location WHERE fingerprint = $1`, half)(&left); err != nil || left > 0 {
		return errors.Join(err, s.PutSearch(ctx, tx, []string{half}))
	}
	for _, statement := range []string{
		`UPDATE finding SET (status, status_by, status_until, comment, owner) = (SELECT h.status, h.status_by, h.status_until, h.comment, h.owner FROM finding h WHERE h.fingerprint = $2),
			version = version + 1 WHERE fingerprint = $1 AND status = 'open' AND owner = '' AND comment = ''
			AND EXISTS (SELECT 1 FROM finding h WHERE h.fingerprint = $2 AND h.status <> 'false-alarm' AND (h.status <> 'open' OR h.owner <> '' OR h.comment <> ''))`,
		`UPDATE finding SET first_seen = (SELECT h.first_seen FROM finding h WHERE h.fingerprint = $2) WHERE fingerprint = $1
			AND first_seen > (SELECT h.first_seen FROM finding h WHERE h.fingerprint = $2)`,
		`UPDATE triage SET fingerprint = $1 WHERE fingerprint = $2`,
	} {
		if _, err := database.Exec(ctx, tx, statement, whole, half); err != nil {
			return err
		}
	}
	_, err := database.Exec(ctx, tx, `DELETE FROM finding WHERE fingerprint = $1`, half)
	return err
}
