package engine

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github/fetch"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/refs"
)

// A scanJob is the scan of one repository by one job.
type scanJob struct {
	*Engine
	job    sweep.Job
	target sweep.Target
	hub    sweep.Hub
	repo   sweep.Repository
	lease  string
	// gitBudget names the limit that fetches count against, "" if they need no token.
	gitBudget string
	// Facts that this job has found out.
	tips        map[string]string // ids of refs
	lost        map[string]string // ids that no ref leads to any more, by how they were lost
	afresh      bool              // all is read again
	halves      sweep.Places      // of keys that earlier sweeps found
	textsFailed bool              // texts beside it could not be read: they may be, the next time
	unread      []finding.Unread  // what no later job reads again
	fetched     *gitsource.Repository
	snapshot    *gitsource.Repository // HEAD and its trees, if HEAD has moved
}

// scanRepository reads the new objects of a repository.
func (e *Engine) scanRepository(ctx context.Context, j sweep.Job, last bool, done sweep.Done) error {
	w := &scanJob{Engine: e, job: j}
	var err error
	if w.repo, w.lease, err = e.Store.Lease(ctx, j.Number); err != nil {
		return err
	}
	defer w.close(ctx)
	return w.noteFailure(ctx, w.run(ctx, done), last)
}

// close removes what was fetched.
func (w *scanJob) close(ctx context.Context) {
	for _, r := range []*gitsource.Repository{w.fetched, w.snapshot} {
		if r == nil {
			continue
		}
		if err := r.Close(); err != nil {
			w.Log.WarnContext(ctx, "a temporary folder is left behind", "repository", w.repo.Name, "err", err)
		}
	}
}

// noteFailure notes why a job did not come to its end. The job is tried again, unless
// last.
func (w *scanJob) noteFailure(ctx context.Context, err error, last bool) error {
	var later *sweep.Later
	switch {
	case err == nil, errors.Is(err, sweep.ErrTaken):
		return err
	case ctx.Err() != nil: // stopped: another one goes on
		return ctx.Err()
	case errors.As(err, &later) && w.repo.State == sweep.Incomplete: // still, with its reason
		return errors.Join(err, w.Store.NoteState(ctx, w.Queue, w.repo, w.lease, sweep.Incomplete, w.repo.Why, false))
	case errors.As(err, &later):
		return errors.Join(err, w.Store.NoteState(ctx, w.Queue, w.repo, w.lease, sweep.Waiting, later.Why+", until "+later.At.UTC().Format(time.RFC3339), false))
	}
	var final *sweep.Final
	// A repository that failed in the last sweep too is tried only once: three tries each
	// hour add up.
	if errors.Is(err, transport.ErrTooLarge) || w.repo.State == sweep.Failed && w.repo.Sweep < w.target.Sweep {
		err = &sweep.Final{Err: err}
	}
	w.Log.WarnContext(ctx, "a repository could not be read", "repository", w.repo.Name, "err", err)
	return errors.Join(err, w.Store.NoteState(ctx, w.Queue, w.repo, w.lease, sweep.Failed, err.Error(), last || errors.As(err, &final)))
}

func (w *scanJob) run(ctx context.Context, done sweep.Done) (err error) {
	if w.target, err = w.Store.Target(ctx, w.repo.Target); err != nil {
		return err
	}
	if w.hub, err = w.Hub(w.target); err != nil {
		return err
	}
	if ended, err := w.lookUp(ctx, done); err != nil || ended {
		return err
	}
	if w.repo.Name, err = nameAtHost(ctx, w.hub, w.repo); err != nil {
		return err
	}
	if w.afresh = w.repo.Detector != w.Detector; w.afresh {
		w.repo.Refs = map[string]string{}
	}
	if ended, err := w.waitForParent(ctx, done); err != nil || ended {
		return err
	}
	result, err := w.read(ctx)
	switch {
	case errors.Is(err, sweep.ErrNotThere):
		return w.endGone(ctx, err.Error(), done)
	case err != nil:
		return err
	}
	return w.commit(ctx, result, done)
}

// waitForParent looks up the parent of a fork. If the parent has yet to be read, it ends the
// job: the end of the parent puts another one. So objects that both have are read once.
func (w *scanJob) waitForParent(ctx context.Context, done sweep.Done) (ended bool, err error) {
	if !w.repo.Fork || w.repo.Detector == w.Detector {
		return false, nil
	}
	if w.repo.Parent == "" {
		name, wiki := strings.CutSuffix(w.repo.Name, ".wiki")
		if w.repo.Parent, err = w.hub.Parent(ctx, name); err != nil {
			return false, err
		}
		if wiki && w.repo.Parent != "" {
			w.repo.Parent += ".wiki"
		}
	}
	err = w.Store.Tx(ctx, func(tx *sql.Tx) error {
		if ended, err = w.Store.ParkFork(ctx, tx, w.repo, w.lease, w.Detector); err != nil || !ended {
			return err
		}
		return done(ctx, tx)
	})
	return ended, err
}

// read scans the new objects of the repository, and the texts beside it.
func (w *scanJob) read(ctx context.Context) (sweep.Result, error) {
	result, err := w.readGit(ctx)
	w.unread = result.Unread
	if err != nil || !w.isRepository() {
		return result, err
	}
	cursor := w.repo.Texts
	if w.afresh {
		cursor = ""
	}
	texts, err := w.hub.Texts(ctx, w.repo.Name, cursor, w.afresh || !w.isNews())
	if err != nil || texts == nil {
		return result, err
	}
	more, err := w.Scan(ctx, texts, w.repo.WebURL)
	if err != nil {
		return result, err
	}
	next, complete := texts.Next()
	w.repo.Texts, w.textsFailed = next, !complete && texts.Limit() == nil
	result.Findings = append(result.Findings, more.Findings...)
	result.Unread = append(result.Unread, more.Unread...)
	if !w.textsFailed {
		w.unread = result.Unread
	}
	result.Objects += more.Objects
	if limit := texts.Limit(); limit != nil {
		return result, errors.Join(limit, w.keep(ctx, result))
	}
	return result, nil
}

// keep stores the part of the result that there is when a limit cuts the job off, so that
// the next try goes on from there. The job keeps its lease.
func (w *scanJob) keep(ctx context.Context, result sweep.Result) error {
	w.note(result)
	return w.Store.Tx(ctx, func(tx *sql.Tx) error {
		if err := sweep.HoldLease(ctx, tx, w.repo.Number, w.lease); err != nil {
			return err
		}
		if _, err := w.put(ctx, tx, result); err != nil { // the job goes on in any case
			return err
		}
		return w.Store.PutDue(ctx, tx, w.repo.Number)
	})
}

// readGit fetches the new objects of the repository, and scans them.
func (w *scanJob) readGit(ctx context.Context) (sweep.Result, error) {
	url, err := w.cloneURL(ctx)
	if err != nil {
		return sweep.Result{}, err
	}
	remote, err := fetch.Connect(ctx, url)
	switch {
	case err == nil:
	case fetch.NotThere(err) && strings.HasSuffix(w.repo.ID, ".wiki"):
		return sweep.Result{}, nil // GitHub says that there may be one, and not whether it has a page
	case fetch.NotThere(err) && w.repo.Clone != "" && w.repo.Doubt:
		return sweep.Result{}, fmt.Errorf("%w: %w", sweep.ErrNotThere, err)
	default:
		return sweep.Result{}, w.classify(ctx, err)
	}
	if !remote.OnlyWhole() { // of such a repository, the store remembers only that it was read
		w.tips = remote.Tips()
		if err := w.fetchSnapshot(ctx, remote); err != nil {
			return sweep.Result{}, w.classify(ctx, err)
		}
		if err := w.findLost(ctx); err != nil {
			return sweep.Result{}, err
		}
		if !w.changed() {
			return sweep.Result{}, nil
		}
	}
	if err := w.fetch(ctx, remote); err != nil {
		return sweep.Result{}, w.classify(ctx, err)
	}
	return w.scanFetched(ctx)
}

func (w *scanJob) scanFetched(ctx context.Context) (sweep.Result, error) {
	w.fetched.MaxBlobSize = w.MaxBlobSize
	result, err := w.Scan(ctx, remembered{fetch.Source{Repository: w.fetched, WebURL: w.repo.WebURL}, w.halves}, w.repo.WebURL)
	result.Findings = w.halves.WithoutHalves(result.Findings)
	return result, err
}

// isRepository reports whether the subject is a repository, not a wiki or a gist.
func (w *scanJob) isRepository() bool {
	return w.repo.Clone == "" && !strings.HasSuffix(w.repo.ID, ".wiki")
}

func (w *scanJob) cloneURL(ctx context.Context) (url string, err error) {
	if w.repo.Clone != "" {
		return w.repo.Clone, nil
	}
	url, w.gitBudget, err = w.hub.CloneURL(ctx, w.repo.Name)
	return url, err
}

// changed reports whether the repository has refs or lost commits that were not read.
func (w *scanJob) changed() bool {
	now, before := refs.Hashed(w.tips), maps.Clone(w.repo.Refs)
	delete(now, headRef)
	delete(before, headRef)
	return len(w.lost) > 0 || !maps.Equal(now, before)
}

// headRef is the name under which the commit of HEAD is remembered, detached or not.
const headRef = "HEAD"

// fetchSnapshot notes where HEAD is, and fetches its trees if it has moved and there are
// locations of which HEAD may have another content now. It may move without a push, to a
// branch that was read before; and after a push, the server leaves out the trees that any
// known commit has.
func (w *scanJob) fetchSnapshot(ctx context.Context, remote *fetch.Remote) error {
	id := remote.Head()
	if id == "" {
		return nil
	}
	if _, detached := w.tips[headRef]; detached {
		return nil
	}
	w.tips = maps.Clone(w.tips)
	w.tips[headRef] = id
	if w.afresh || w.repo.Refs[headRef] == id {
		return nil
	}
	there, err := w.Store.HasFileLocations(ctx, w.repo.Number)
	if err == nil && there {
		w.snapshot, err = remote.Snapshot(ctx, id, w.Temp, w.MaxFetch)
	}
	return err
}

// fetch fetches the new objects into w.fetched.
func (w *scanJob) fetch(ctx context.Context, remote *fetch.Remote) (err error) {
	relatives, err := w.Store.Relatives(ctx, w.repo, w.tips, w.Detector)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, r := range append(relatives, w.repo) {
		for _, id := range r.Refs {
			known[id] = true
		}
	}
	wanted := fetch.Wanted{Tips: map[string]string{}, Lost: map[string]string{}, MaxBytes: w.MaxFetch, Dir: w.Temp}
	for name, id := range w.tips {
		if name != headRef && w.repo.Refs[refs.HashName(name)] != id { // a new name of a known commit is read, too
			wanted.Tips[name] = id
		}
	}
	for name, id := range w.lost {
		if !known[id] {
			wanted.Lost[name] = id
		}
	}
	// Its own tips come first: only so many are sent.
	for _, r := range append([]sweep.Repository{w.repo}, relatives...) {
		wanted.Haves = append(wanted.Haves, refs.Tips(r.Refs, len(r.Refs))...)
	}
	if !w.afresh {
		if w.halves, err = w.Store.Halves(ctx, w.repo.Number); err != nil {
			return err
		}
		for blob := range w.halves {
			wanted.Objects = append(wanted.Objects, string(blob))
		}
	}
	defer w.timeFetch(time.Now())
	w.fetched, err = remote.Fetch(ctx, wanted)
	return err
}

// note notes the outcome of the job in w.repo.
func (w *scanJob) note(result sweep.Result) {
	changed := w.fetched != nil
	w.repo.Objects, w.repo.Fetched = result.Objects, 0
	if changed {
		w.repo.Fetched = w.fetched.Fetched()
	}
	if w.afresh {
		w.repo.Unread = ""
	}
	if len(w.unread) > 0 {
		w.repo.Unread = unreadText(w.unread)
	}
	switch {
	case w.textsFailed && len(result.Unread) == 0: // before the limit that has cut this off
		w.repo.State = sweep.Failed
	case w.textsFailed:
		w.repo.State, w.repo.Why = sweep.Failed, unreadText(result.Unread)
	case w.repo.Unread != "":
		w.repo.State, w.repo.Why = sweep.Incomplete, w.repo.Unread
	case changed || w.afresh:
		w.repo.State, w.repo.Why = sweep.Swept, ""
	default:
		w.repo.State, w.repo.Why = sweep.Unchanged, ""
	}
	w.repo.Detector, w.repo.Refs = w.Detector, refs.Hashed(w.tips)
	if w.lostLater() {
		w.repo.Activity = time.Time{}
	}
}

// put stores the result and w.repo, as part of tx, and queues the job for lost commits. It
// reports whether there is news of the repository that this job has not read.
func (w *scanJob) put(ctx context.Context, tx *sql.Tx, result sweep.Result) (again bool, err error) {
	if err := w.Store.PutFindings(ctx, tx, w.repo, result.Findings, w.afresh); err != nil {
		return false, err
	}
	if head := cmp.Or(w.snapshot, w.fetched); head != nil {
		if err := w.Store.UpdateAtHead(ctx, tx, w.repo.Number, head.AtHead); err != nil {
			return false, err
		}
	}
	if w.lostLater() {
		if err := w.putLost(ctx, tx); err != nil {
			return false, err
		}
	}
	return w.Store.PutRepository(ctx, tx, w.repo, w.target.Sweep)
}

// commit stores the result and ends the job, in one transaction.
func (w *scanJob) commit(ctx context.Context, result sweep.Result, done sweep.Done) error {
	w.note(result)
	return w.Store.Tx(ctx, func(tx *sql.Tx) error {
		if err := sweep.EndLease(ctx, tx, w.repo.Number, w.lease); err != nil {
			return err
		}
		again, err := w.put(ctx, tx, result)
		if err != nil {
			return err
		}
		if err := w.Store.NoteDone(ctx, tx, w.Queue, w.repo.Target, w.repo.Name); err != nil {
			return err
		}
		if err := done(ctx, tx); err != nil || !again {
			return err
		}
		// The queue keeps one of several equal jobs, so news that came meanwhile may have none.
		return w.Queue.Put(ctx, tx, []sweep.Job{{Kind: sweep.KindScan, Number: w.repo.Number, Sweep: w.target.Sweep, Again: true, Rank: sweep.RankPush}})
	})
}

func unreadText(list []finding.Unread) string {
	u := list[0]
	if len(list) == 1 {
		return fmt.Sprintf("%s: %s", u.What, u.Why)
	}
	return fmt.Sprintf("%s: %s (and %d more)", u.What, u.Why, len(list)-1)
}
