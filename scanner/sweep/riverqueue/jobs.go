//go:build sweep

package riverqueue

import (
	"sync"
	"time"
)

// stuckAfter is how long a job may run before the log tells of it. A clone may take hours.
const stuckAfter = time.Hour

// A runningJob is a job that this process does.
type runningJob struct {
	kind   string
	number int64
	began  time.Time
	told   time.Time // when the log told last that it runs for long
}

// jobs holds the jobs that a worker is doing, and those that it has ended, by their ids, until
// the database is known to have their end.
type jobs struct {
	mu      sync.Mutex
	running map[int64]*runningJob
	ended   map[int64]time.Time
}

func (j *jobs) begin(id int64, kind string, number int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.running == nil {
		j.running, j.ended = map[int64]*runningJob{}, map[int64]time.Time{}
	}
	delete(j.ended, id)
	j.running[id] = &runningJob{kind: kind, number: number, began: time.Now()}
}

func (j *jobs) end(id int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.running, id)
	j.ended[id] = time.Now()
}

// lost returns the jobs that ended longer ago than d and are in still, the jobs of this worker
// that run by the database. It forgets the others of that age.
func (j *jobs) lost(still map[int64]bool, d time.Duration) (ids []int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for id, at := range j.ended {
		switch {
		case time.Since(at) <= d:
		case still[id]:
			ids = append(ids, id)
		default:
			delete(j.ended, id)
		}
	}
	return ids
}

// anyRuns reports whether a job is being done.
func (j *jobs) anyRuns() bool { kind, _, _ := j.longest(); return kind != "" }

// longest returns the kind, the repository and the beginning of the job that runs for the
// longest time; "" if none runs.
func (j *jobs) longest() (kind string, number int64, since time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r := j.oldest(); r != nil {
		return r.kind, r.number, r.began
	}
	return "", 0, time.Time{}
}

func (j *jobs) oldest() (first *runningJob) {
	for _, r := range j.running {
		if first == nil || r.began.Before(first.began) {
			first = r
		}
	}
	return first
}

// isStuck reports, once an hour, whether a job runs for longer than stuckAfter.
func (j *jobs) isStuck() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.oldest()
	if r == nil || time.Since(r.began) < stuckAfter || time.Since(r.told) < stuckAfter {
		return false
	}
	r.told = time.Now()
	return true
}

// A gate lets many jobs in together, or one alone. None waits in it: whoever is turned away
// comes back later, so another worker may do the job meanwhile.
type gate struct {
	mu      sync.Mutex
	running int
	alone   bool
	way     time.Time // since when the others make way for one that has to be alone
}

// The others make way for as long as makeWay, and then for makeWayAgain not: they may take
// hours, and new jobs have to be done meanwhile.
const (
	makeWay      = time.Minute
	makeWayAgain = 5 * time.Minute
)

// enter lets a job in, alone or not, and reports whether it may begin.
func (g *gate) enter(alone bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.alone:
		return false
	case alone && g.running > 0:
		if time.Since(g.way) > makeWayAgain {
			g.way = time.Now()
		}
		return false
	case !alone && time.Since(g.way) < makeWay:
		return false
	}
	if g.alone = alone; alone {
		g.way = time.Time{}
	}
	g.running++
	return true
}

// leave lets a job out.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	g.alone = false
}
