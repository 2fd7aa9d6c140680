// Package protocol holds the one order in which a plan is approved, admitted, consented to
// and applied. Every command that shuts keys off, or takes that back, goes through it:
//
//	Approve → Run: open the journal → admit all keys → Consent → Forget → change
//
// Nothing is changed at AWS unless everything before it went well.
package protocol

import (
	"context"
	"fmt"

	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/apply"
	"github.com/stanch-dev/stanch/verifier/response/journal"
)

// A Run applies a plan, confirms it or takes it back.
type Run struct {
	// Applier does the work. Its Journal is opened and closed by the run.
	Applier apply.Applier
	// JournalFile is the name of the journal, and Actor the writer that its lock names.
	JournalFile, Actor string
	// Consent is asked once the plan is admitted, before anything is changed; nil asks
	// nobody. Confirm never asks.
	Consent func(context.Context, response.Plan) error
	// Forget is called with the id of each key before the work begins, because stored
	// verdicts on it may no longer be true.
	Forget func(keyID string)
}

// An UnfinishedError is the error of a run that could not open its journal, or that ended
// in the middle. After any other error, nothing was begun.
type UnfinishedError struct{ Err error }

// Error implements error.
func (e *UnfinishedError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UnfinishedError) Unwrap() error { return e.Err }

// Apply takes the steps of plan that are not taken yet. It can be called again after an
// UnfinishedError. First it saves the plan beside the journal: the next plan may be written
// over the file of this one, which undo and confirm need.
func (r *Run) Apply(ctx context.Context, plan response.Plan) ([]response.Outcome, error) {
	admit := r.admitted(r.Applier.Admit)
	return r.run(ctx, plan, func(ctx context.Context, plan response.Plan) error {
		if err := admit(ctx, plan); err != nil {
			return err
		}
		if _, err := SavePlan(plan, r.JournalFile); err != nil {
			return &UnfinishedError{fmt.Errorf("writing the plan, which undo needs: %w", err)}
		}
		return nil
	}, r.Applier.Apply)
}

// Undo takes back the steps that plan has taken.
func (r *Run) Undo(ctx context.Context, plan response.Plan) ([]response.Outcome, error) {
	return r.run(ctx, plan, r.admitted(r.Applier.AdmitUndo), r.Applier.Undo)
}

// Confirm reads back the steps that plan has taken, and changes nothing.
func (r *Run) Confirm(ctx context.Context, plan response.Plan) ([]response.Outcome, error) {
	return r.run(ctx, plan, func(context.Context, response.Plan) error { return nil }, r.Applier.Confirm)
}

// admitted returns a function that judges a plan and then asks for consent.
func (r *Run) admitted(admit func(context.Context, response.Plan) error) func(context.Context, response.Plan) error {
	return func(ctx context.Context, plan response.Plan) error {
		if err := admit(ctx, plan); err != nil || r.Consent == nil {
			return err
		}
		return r.Consent(ctx, plan)
	}
}

func (r *Run) run(ctx context.Context, plan response.Plan, before func(context.Context, response.Plan) error,
	work func(context.Context, response.Plan) ([]response.Outcome, error),
) ([]response.Outcome, error) {
	opened, err := journal.Open(r.JournalFile, r.Actor)
	if err != nil {
		return nil, &UnfinishedError{err}
	}
	defer func() { _ = opened.Close() }() // each record is durable already
	r.Applier.Journal = opened
	if err := before(ctx, plan); err != nil {
		return nil, err
	}
	for _, k := range plan.Keys {
		r.Forget(k.KeyID)
	}
	outcomes, err := work(ctx, plan)
	if err != nil && response.Refused(err) == "" {
		err = &UnfinishedError{err}
	}
	return outcomes, err
}
