package alert

import (
	"context"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// Receivers returns how each receiver that the database knows fares, by name. It only reads.
func Receivers(ctx context.Context, s *sweep.Store) (list []sweep.ReceiverStatus, err error) {
	index := map[string]int{}
	err = database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var r sweep.ReceiverStatus
		var seen, news, digest, failed, wait int64
		err := scan(&r.Name, &seen, &r.Deliveries, &news, &digest, &r.Failures, &failed, &r.Why, &wait, &r.Without)
		r.Seen, r.Delivered, r.Failed, r.Wait = database.Time(seen), database.Time(max(news, digest)), database.Time(failed), database.Time(wait)
		r.Gone = r.Without > goneAfter
		index[r.Name] = len(list)
		list = append(list, r)
		return err
	}, `SELECT name, seen, deliveries, delivered_at, digested, failures, failed_at, why, wait, without FROM receiver ORDER BY name`)
	if err != nil {
		return nil, err
	}
	return list, database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var name string
		var urgent, digest, lost int
		var oldest int64
		err := scan(&name, &urgent, &digest, &lost, &oldest)
		if i, ok := index[name]; ok {
			list[i].Waiting, list[i].Digest, list[i].Lost = urgent, digest, lost
			if urgent > 0 {
				list[i].Oldest = database.Time(oldest)
			}
		}
		return err
	}, `SELECT receiver, COUNT(CASE WHEN ended = 0 AND (urgent = 1 OR delivery <> '') THEN 1 END), COUNT(CASE WHEN ended = 0 AND urgent = 0 AND delivery = '' THEN 1 END),
		COUNT(CASE WHEN lost = 1 THEN 1 END), COALESCE(MIN(CASE WHEN ended = 0 AND (urgent = 1 OR delivery <> '') THEN at END), 0) FROM news GROUP BY receiver`)
}
