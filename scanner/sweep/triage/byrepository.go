package triage

import (
	"context"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// isFirstRepository is true of one place l of a finding f: the first one in the repository r
// whose name is the first.
const isFirstRepository = `NOT EXISTS (SELECT 1 FROM location m JOIN repository o ON o.number = m.repository WHERE m.fingerprint = f.fingerprint
	AND (o.name < r.name OR o.name = r.name AND (m.repository < l.repository OR m.repository = l.repository AND m.place < l.place)))`

// few is how many findings are sorted by repository at once.
const few = 1000

// fewByRepository returns the keys of up to limit findings in the order of repositories, after
// from. It sorts all findings of q.
func (s *Store) fewByRepository(ctx context.Context, q *query, from *cursor, limit int) (keys []cursor, err error) {
	where, after := q.where(), ""
	if from != nil {
		name := q.arg(from.Text)
		after = ` HAVING MIN(r.name) > ` + name + ` OR MIN(r.name) = ` + name + ` AND f.fingerprint > ` + q.arg(from.ID)
	}
	err = database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var c cursor
		err := scan(&c.Text, &c.ID)
		keys = append(keys, c)
		return err
	}, `SELECT MIN(r.name), f.fingerprint FROM `+q.table+` JOIN location l ON l.fingerprint = f.fingerprint JOIN repository r ON r.number = l.repository`+
		where+` GROUP BY f.fingerprint`+after+` ORDER BY 1, 2 LIMIT `+q.arg(limit), q.args...)
	return keys, err
}

// keysByRepository returns the keys of up to limit findings in the order of repositories,
// after from, as fewByRepository does. It reads repositories by name, more at once each time,
// until it has enough: to sort all findings would take a second where there are 50,000.
func (s *Store) keysByRepository(ctx context.Context, f *Filter, in scope, from *cursor, limit int) (keys []cursor, err error) {
	begin := cursor{}
	if from != nil {
		begin = *from
	}
	// The names after the one that is done are to be read; first, that one as well.
	for done, after, batch := begin.Text, ">=", 2; ; batch *= 8 {
		var last string
		if err := database.QueryRow(ctx, s.Read, `SELECT COALESCE(MAX(name), '') FROM (SELECT r.name FROM repository r WHERE r.name `+after+` $1
			AND EXISTS (SELECT 1 FROM location l WHERE l.repository = r.number) ORDER BY r.name LIMIT $2) AS batch`, done, batch)(&last); err != nil || last == "" {
			return keys, err
		}
		q := f.query(s.Now(), in)
		low := q.arg(done)
		q.add(`r.name ` + after + ` ` + low + ` AND r.name <= ` + q.arg(last))
		if after == ">=" {
			q.add(`(r.name > ` + low + ` OR f.fingerprint > ` + q.arg(begin.ID) + `)`)
		}
		q.add(isFirstRepository)
		err := database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
			var c cursor
			err := scan(&c.Text, &c.ID)
			keys = append(keys, c)
			return err
		}, `SELECT r.name, f.fingerprint FROM repository r JOIN location l ON l.repository = r.number JOIN finding f ON f.fingerprint = l.fingerprint`+
			q.where()+` ORDER BY r.name, f.fingerprint LIMIT `+q.arg(limit-len(keys)), q.args...)
		if err != nil || len(keys) == limit {
			return keys, err
		}
		done, after = last, ">"
	}
}
