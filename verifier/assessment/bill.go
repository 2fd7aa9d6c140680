package assessment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
)

const (
	// usualDays before the leak say what a day usually costs.
	usualDays = 14
	// unusualFactor and unusualAmount say from when a day is unusual: it costs more than
	// twice the usual, and ten units of the currency more.
	unusualFactor, unusualAmount = 2, 10
	// billDelay is how late Cost Explorer is: it is refreshed "at least once every 24 hours"
	// (Cost Management User Guide).
	billDelay = 24 * time.Hour
)

// notUse are charges that are not for use, by the name of their charge type. A credit would
// hide the intruder's costs; taxes and fees are booked on one day of a month.
var notUse = []string{"Credit", "Refund", "Tax", "Support fee", "Recurring reservation fee"}

// readCosts reads the costs of each day in CloudTrail's history and of usualDays before it.
// Cost Explorer takes 0.01 USD for each request, and is up to a day late.
func (c *account) readCosts(ctx context.Context) {
	const metric = "UnblendedCost"
	today := c.now().UTC().Truncate(24 * time.Hour)
	body := map[string]any{
		"TimePeriod": map[string]string{
			"Start": today.Add(-activity.History).AddDate(0, 0, -usualDays).Format(time.DateOnly),
			"End":   today.AddDate(0, 0, 1).Format(time.DateOnly), // which is not included
		},
		"Granularity": "DAILY", "Metrics": []string{metric},
		"GroupBy": []map[string]string{{"Type": "DIMENSION", "Key": "SERVICE"}},
		"Filter": map[string]any{"And": []any{ // the management account sees the costs of all accounts
			map[string]any{"Dimensions": map[string]any{"Key": "LINKED_ACCOUNT", "Values": []string{c.id}}},
			map[string]any{"Not": map[string]any{"Dimensions": map[string]any{"Key": "RECORD_TYPE", "Values": notUse}}},
		}},
	}
	call := operator.Call{Service: "ce", Action: "GetCostAndUsage", Body: body}
	read := &costs{source: source(call)}
	err := eachPage(func() (bool, error) {
		var page struct {
			NextPageToken string
			ResultsByTime []struct {
				TimePeriod struct{ Start string }
				Groups     []struct {
					Keys    []string
					Metrics map[string]struct{ Amount, Unit string }
				}
			}
		}
		if err := c.session.Do(ctx, call, &page); err != nil {
			return false, err
		}
		for _, result := range page.ResultsByTime {
			day := read.day(result.TimePeriod.Start)
			for _, g := range result.Groups {
				amount, err := strconv.ParseFloat(g.Metrics[metric].Amount, 64)
				if day == nil || err != nil || len(g.Keys) == 0 {
					return false, errors.New("the answer has a day or an amount that cannot be read")
				}
				day.total += amount
				day.services[g.Keys[0]] += amount
				read.unit = g.Metrics[metric].Unit
			}
		}
		body["NextPageToken"] = page.NextPageToken
		return page.NextPageToken != "", nil
	})
	if err != nil {
		c.unknown("bill", call, err)
		return
	}
	c.costs = read
}

// day returns the costs of a date, which a later page may go on with; nil if it is none.
func (t *costs) day(date string) *dayCosts {
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(t.days, func(d dayCosts) bool { return d.date.Equal(at) })
	if i < 0 {
		i, t.days = len(t.days), append(t.days, dayCosts{date: at, services: map[string]float64{}})
	}
	return &t.days[i]
}

// bill compares the days since the leak with those before it.
func (r *inquiry) bill() {
	t := r.account.costs
	if t == nil {
		return // the fact "bill" says why
	}
	since := r.exposure.Since.UTC().Truncate(24 * time.Hour)
	if oldest := r.now().UTC().Add(-activity.History).Truncate(24 * time.Hour); since.Before(oldest) {
		since = oldest
	}
	first := since.AddDate(0, 0, -usualDays)
	var before []float64
	var worst dayCosts
	for _, d := range t.days {
		switch {
		case d.date.Before(first):
		case d.date.Before(since):
			before = append(before, d.total)
		case d.total > worst.total:
			worst = d
		}
	}
	if len(before) == 0 {
		r.add("bill", unknownPrefix+"Cost Explorer has no day before "+since.Format(time.DateOnly), neutral, t.source)
		return
	}
	usual := median(before)
	switch {
	case worst.total > unusualFactor*usual && worst.total > usual+unusualAmount:
		r.add("bill", fmt.Sprintf("unusual: %.2f %s on %s, %.2f usually; most of it by %s",
			worst.total, t.unit, worst.date.Format(time.DateOnly), usual, worst.dearest()), act, t.source)
	case r.now().Sub(r.exposure.Since) < billDelay:
		r.add("bill", unknownPrefix+"the key leaked less than a day ago, and Cost Explorer is up to a day late", neutral, t.source)
	default:
		r.add("bill", fmt.Sprintf("at most %.2f %s a day since %s, %.2f usually", worst.total, t.unit, since.Format(time.DateOnly), usual), neutral, t.source)
	}
}

func (d dayCosts) dearest() (service string) {
	for name, amount := range d.services {
		if other := d.services[service]; amount > other || amount == other && name < service {
			service = name
		}
	}
	return service
}

// median returns the middle one of values, of which there is one at least.
func median(values []float64) float64 {
	sorted := slices.SortedFunc(slices.Values(values), cmp.Compare)
	return sorted[len(sorted)/2]
}
