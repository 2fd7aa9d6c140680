package protocol

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/advice"
)

// Approve compares plan with the hash of the plan that was approved, if it is given. A
// script, which types nothing, has to give it, and may not touch a key of the root user.
func Approve(plan response.Plan, hash string, script bool) error {
	if (script || hash != "") && hash != plan.Hash {
		return &response.RefusedError{Gate: response.GateHash, Why: "--plan must be the hash of the plan that was approved"}
	}
	for _, k := range plan.Keys {
		if script && k.Kind == "root" {
			return &response.RefusedError{Gate: response.GateRoot, Why: "a key of the root user is never switched off by a script: leave out --yes, and type the answer"}
		}
	}
	return nil
}

// Ask returns a Consent that has a person type the account and the end of the key id, for
// each key of a plan. verb is the action that the person confirms: "shut off". script is the
// flags with which a script consents.
func Ask(in io.Reader, out *advice.Page, verb, script string) func(context.Context, response.Plan) error {
	return func(ctx context.Context, plan response.Plan) error {
		typed := bufio.NewReader(in) // one for all keys: it reads ahead
		for _, k := range plan.Keys {
			question := fmt.Sprintf("To %s %s of %s in account %s, type the account and the last four characters of the key id:",
				verb, k.KeyID, advice.Principal(k), k.Account)
			answer := k.Account + " " + k.KeyID[max(0, len(k.KeyID)-4):]
			if err := ask(ctx, typed, out, question, answer, script); err != nil {
				return err
			}
		}
		return nil
	}
}

// ask prints question and reads a line, which has to be answer.
func ask(ctx context.Context, in *bufio.Reader, out *advice.Page, question, answer, script string) error {
	if err := out.Ask(question); err != nil {
		return err
	}
	line, err := in.ReadString('\n')
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if strings.TrimSpace(line) != answer {
		if err != nil {
			return &response.RefusedError{Gate: response.GateConfirm, Why: "nothing was typed (in a script: " + script + ")"}
		}
		return &response.RefusedError{Gate: response.GateConfirm, Why: "something else was typed"}
	}
	return nil
}

// SavePlan writes plan beside the journal, for undo and confirm, and returns the name of the
// file.
func SavePlan(plan response.Plan, journalFile string) (name string, err error) {
	dir := filepath.Dir(journalFile)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	name = filepath.Join(dir, "plan-"+plan.ID+".json")
	return name, os.WriteFile(name, plan.Encode(), 0o600)
}
