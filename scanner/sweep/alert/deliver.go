package alert

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// A backlog is the news of a receiver that waits, and when it may be sent.
type backlog struct {
	known                 bool // the receiver
	begun                 int  // rows of a delivery that has no end
	urgent, soon          int  // rows to be told at once; those among them that no first sweep has found
	digest                int
	added, digested, sent time.Time
	every                 time.Duration
	wait                  time.Time // after a failure
	why                   string
	tries                 int
}

// digestDue reports whether it is time for a digest. A process that ends sends one a tenth
// of the period early, so that a sweep each day has one each day.
func (b *backlog) digestDue(now time.Time, ending bool) bool {
	if b.digest == 0 || b.every == 0 {
		return false
	}
	since, every := b.digested, b.every
	if ending {
		every -= every / 10
	}
	if since.IsZero() {
		if ending {
			return true
		}
		since = b.added
	}
	return now.Sub(since) >= every || now.Before(since)
}

// urgentAt returns when the urgent news may be sent: at once if the last delivery is of a time
// to come, since the clock was set back then.
func (b *backlog) urgentAt(now time.Time) time.Time {
	switch {
	case b.sent.IsZero() || b.sent.After(now):
		return time.Time{}
	case b.soon > 0:
		return b.sent.Add(gap)
	}
	return b.sent.Add(firstGap)
}

func (b *backlog) due(now time.Time, ending bool) bool {
	if !b.known || b.wait.After(now) && b.wait.Sub(now) <= maxAsked {
		return false
	}
	return b.begun > 0 || b.urgent > 0 && !b.urgentAt(now).After(now) || b.digestDue(now, ending)
}

// isFirst is true for news of findings that a first sweep, which still runs, has found. Before
// it begins, webhooks alone find anything in the target, and their news does not wait.
const isFirst = `EXISTS (SELECT 1 FROM location l JOIN repository r ON r.number = l.repository JOIN target t ON t.name = r.target
	WHERE l.fingerprint = n.fingerprint AND t.sweep = 1 AND t.ended = 0)`

func (a *Alerts) waiting(ctx context.Context, name string) (b backlog, err error) {
	var added, digested, sent, every, wait int64
	err = database.QueryRow(ctx, a.Store.SQL, `SELECT added, digested, delivered_at, digest_ms, wait, why, tries FROM receiver WHERE name = $1`, name)(
		&added, &digested, &sent, &every, &wait, &b.why, &b.tries)
	if errors.Is(err, sql.ErrNoRows) {
		return b, nil
	}
	if err != nil {
		return b, err
	}
	b.known, b.added, b.digested, b.sent = true, database.Time(added), database.Time(digested), database.Time(sent)
	b.every, b.wait = time.Duration(every)*time.Millisecond, database.Time(wait)
	err = database.QueryRow(ctx, a.Store.SQL, `SELECT COUNT(CASE WHEN delivery <> '' THEN 1 END),
		COUNT(CASE WHEN delivery = '' AND urgent = 1 THEN 1 END),
		COUNT(CASE WHEN delivery = '' AND urgent = 1 AND NOT `+isFirst+` THEN 1 END),
		COUNT(CASE WHEN delivery = '' AND urgent = 0 THEN 1 END) FROM news n WHERE receiver = $1 AND ended = 0`, name)(&b.begun, &b.urgent, &b.soon, &b.digest)
	return b, err
}

// deliverAll sends deliveries to a receiver until nothing is due. It returns a *sweep.Later
// if something is to be sent later, other than a digest.
func (a *Alerts) deliverAll(ctx context.Context, name string, ending bool) error {
	r := a.find(name)
	if r == nil { // a process that knows it sends the news
		return nil
	}
	if err := a.hold(ctx, name); err != nil {
		return err
	}
	defer a.release(context.WithoutCancel(ctx), name)
	for {
		b, err := a.waiting(ctx, name)
		if err != nil {
			return err
		}
		now := a.Store.Now()
		switch {
		case !b.known || b.begun+b.urgent == 0 && !b.digestDue(now, ending):
			return nil
		case b.wait.After(now) && b.wait.Sub(now) <= maxAsked: // else the clock was set back
			return &sweep.Later{At: b.wait, Why: b.why}
		case !b.due(now, ending):
			at := b.urgentAt(now)
			if b.soon == 0 { // the first sweep may end before
				at = now.Add(min(recheck, at.Sub(now)))
			}
			return &sweep.Later{At: at, Why: "more news may come"}
		}
		if err := a.deliver(ctx, r, &b); err != nil {
			return err
		}
		if err := a.hold(ctx, name); err != nil {
			return err
		}
	}
}

// clock is the time of the database in milliseconds, since clocks of workers may differ.
func (a *Alerts) clock() string {
	if a.Store.Postgres {
		return `(extract(epoch FROM clock_timestamp()) * 1000)::bigint`
	}
	return `CAST(unixepoch('subsec') * 1000 AS INTEGER)`
}

func (a *Alerts) lease() time.Duration { return cmp.Or(a.Lease, time.Minute) }

// hold keeps other processes from sending to a receiver for the time of a lease. A lease that
// is longer than any is of a time when the clock was ahead, and does not count.
func (a *Alerts) hold(ctx context.Context, name string) error {
	res, err := database.Exec(ctx, a.Store.SQL, `UPDATE receiver SET lease = $2, lease_until = `+a.clock()+` + $3
		WHERE name = $1 AND (lease = $2 OR lease = '' OR lease_until < `+a.clock()+` OR lease_until > `+a.clock()+` + 2 * $3)`, name, a.holder, a.lease().Milliseconds())
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	var left int64
	if err := database.QueryRow(ctx, a.Store.SQL, `SELECT lease_until - `+a.clock()+` FROM receiver WHERE name = $1`, name)(&left); err != nil {
		if errors.Is(err, sql.ErrNoRows) { // somebody has removed it
			return nil
		}
		return err
	}
	wait := min(max(time.Duration(left)*time.Millisecond, 100*time.Millisecond), a.lease())
	return &sweep.Later{At: a.Store.Now().Add(wait), Why: "another process sends to it"}
}

func (a *Alerts) release(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := database.Exec(ctx, a.Store.SQL, `UPDATE receiver SET lease = '' WHERE name = $1 AND lease = $2`, name, a.holder)
	if err != nil {
		a.log().Debug("a receiver is held until its lease ends", "receiver", name, "err", err)
	}
}

// deliver makes one delivery, or goes on with one that has no end.
func (a *Alerts) deliver(ctx context.Context, r Receiver, b *backlog) error {
	now := a.Store.Now()
	if b.begun == 0 {
		urgent := b.urgent > 0 && !b.urgentAt(now).After(now)
		if err := a.claim(ctx, r.Name(), urgent); err != nil {
			return err
		}
	}
	alert, err := a.next(ctx, r.Name())
	if err != nil || alert == nil {
		return err
	}
	if len(alert.Findings) == 0 { // all were ignored or acknowledged meanwhile
		return a.end(ctx, r.Name(), alert)
	}
	alert.Page = a.Page
	alert.Complete()
	limited, cancel := context.WithTimeout(ctx, min(20*time.Second, a.lease()/2))
	err = r.Send(limited, alert)
	cancel()
	if err == nil {
		// Not with ctx: a process that is asked to end must still write down that it was told.
		writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return a.sent(writing, r.Name(), alert)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return a.failed(ctx, r.Name(), alert, b.tries+1, err)
}

// claim gives waiting news of a receiver to a new delivery: up to maxFindings if it is urgent,
// all for a digest.
func (a *Alerts) claim(ctx context.Context, name string, urgent bool) error {
	limit := maxFindings
	if !urgent {
		limit = math.MaxInt32
	}
	_, err := database.Exec(ctx, a.Store.SQL, `UPDATE news SET delivery = $2 WHERE receiver = $1 AND ended = 0 AND delivery = '' AND number IN
		(SELECT number FROM news WHERE receiver = $1 AND ended = 0 AND delivery = '' AND urgent = $3 ORDER BY number LIMIT $4)`,
		name, rand.Text(), database.Bool(urgent), limit)
	return err
}

// sent notes that the receiver has taken an alert.
func (a *Alerts) sent(ctx context.Context, name string, alert *finding.Alert) error {
	now := database.Millis(a.Store.Now())
	a.noteWorks(name)
	a.log().Info("alert sent", "receiver", name, "delivery", alert.Delivery, "kind", alert.Kind, "findings", len(alert.Findings))
	return a.Store.Tx(ctx, func(tx *sql.Tx) error {
		statement := `UPDATE receiver SET delivered_at = $2, deliveries = deliveries + 1, tries = 0, wait = 0, why = '' WHERE name = $1`
		if alert.Kind == finding.AlertDigest {
			statement = `UPDATE receiver SET digested = $2, deliveries = deliveries + 1, tries = 0, wait = 0, why = '' WHERE name = $1`
		}
		if _, err := database.Exec(ctx, tx, statement, name, now); err != nil {
			return err
		}
		return endRows(ctx, tx, name, alert.Delivery, now, false)
	})
}

// end ends a delivery that has nothing to tell.
func (a *Alerts) end(ctx context.Context, name string, alert *finding.Alert) error {
	return endRows(ctx, a.Store.SQL, name, alert.Delivery, database.Millis(a.Store.Now()), false)
}

func endRows(ctx context.Context, q database.Querier, name, delivery string, now int64, lost bool) error {
	_, err := database.Exec(ctx, q, `UPDATE news SET ended = $3, lost = $4 WHERE receiver = $1 AND delivery = $2 AND ended = 0`, name, delivery, now, database.Bool(lost))
	return err
}

// failed notes why a receiver has not taken an alert, and returns when to try again. If it has
// failed again and again, an alert that it refuses is lost, so that it does not hold up the
// others, and so is news that is too old. News is never lost untried: time passes while
// machines are off, too, and clocks jump.
func (a *Alerts) failed(ctx context.Context, name string, alert *finding.Alert, tries int, why error) error {
	pause := min(cmp.Or(a.Pause, minPause)<<min(tries-1, 10), maxPause)
	var asks interface{ RetryAfter() time.Duration }
	if errors.As(why, &asks) && asks.RetryAfter() > 0 {
		pause = min(asks.RetryAfter(), maxAsked)
	}
	var refuses interface{ Refused() bool }
	lost := tries >= failures && errors.As(why, &refuses) && refuses.Refused()
	at := a.Store.Now().Add(pause)
	a.noteFails(name)
	a.log().Warn("alert not taken", "receiver", name, "delivery", alert.Delivery, "try", tries, "lost", lost, "again", at.UTC().Format(time.RFC3339), "err", why)
	now, old := database.Millis(a.Store.Now()), database.Millis(a.Store.Now().Add(-giveUp))
	err := a.Store.Tx(ctx, func(tx *sql.Tx) error {
		if tries >= failures {
			if _, err := database.Exec(ctx, tx, `UPDATE news SET ended = $2, lost = 1 WHERE receiver = $1 AND ended = 0 AND at < $3 AND (urgent = 1 OR delivery <> '')`, name, now, old); err != nil {
				return err
			}
		}
		if lost {
			tries = 0
			if err := endRows(ctx, tx, name, alert.Delivery, now, true); err != nil {
				return err
			}
		}
		_, err := database.Exec(ctx, tx, `UPDATE receiver SET failed_at = $2, failures = failures + 1, why = $3, tries = $4, wait = $5 WHERE name = $1`,
			name, now, why.Error(), tries, database.Millis(at))
		return err
	})
	if err != nil {
		return err
	}
	return &sweep.Later{At: at, Why: why.Error()}
}
