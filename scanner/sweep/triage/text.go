package triage

import (
	"context"
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// A textScan is the outcome of a scan for the findings that hold a text. It ends when there are
// more than few: then a list in any order soon comes to some, and reads their texts.
type textScan struct {
	fingerprints []string // all of them, unless they are many
	many         bool
	covered      string // the table of findings f
	pattern      string
	holds        func(pattern string) string // DB.Holds
}

// scanTexts looks for the findings that hold a text.
func (s *Store) scanTexts(ctx context.Context, text string) (*textScan, error) {
	t := &textScan{covered: s.covered(), pattern: "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%", holds: s.Holds}
	err := database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var fingerprint string
		err := scan(&fingerprint)
		t.fingerprints = append(t.fingerprints, fingerprint)
		return err
	}, `SELECT s.fingerprint FROM finding_search s WHERE `+s.Holds("$1")+` LIMIT $2`, t.pattern, few+1)
	if err != nil {
		return nil, fmt.Errorf("looking for findings by a text: %w", err)
	}
	t.many = len(t.fingerprints) > few
	return t, nil
}

func (t *textScan) isMany() bool { return t != nil && t.many }

// plainly returns the query for all rows of finding_search that hold the text, but those of
// ignored findings. It looks up no finding: there are few ignored ones.
func (t *textScan) plainly() *query {
	q := &query{table: `finding_search s`}
	q.add(t.holds(q.arg(t.pattern)) + ` AND s.fingerprint NOT IN (SELECT f.fingerprint FROM ` + t.covered + ` WHERE f.ignored <> '')`)
	return q
}

// add adds to q the condition that a finding holds the text. A query for all findings reads all
// texts one after the other.
func (t *textScan) add(q *query, all bool) {
	switch {
	case t.many && all:
		q.table = `finding_search s CROSS JOIN ` + t.covered
		q.add(`f.fingerprint = s.fingerprint AND ` + t.holds(q.arg(t.pattern)))
	case t.many:
		q.add(`EXISTS (SELECT 1 FROM finding_search s WHERE s.fingerprint = f.fingerprint AND ` + t.holds(q.arg(t.pattern)) + `)`)
	case len(t.fingerprints) == 0:
		q.add(`1 = 0`)
	default:
		q.table = t.covered
		q.add(anyOf(q, `f.fingerprint`, t.fingerprints))
	}
}
