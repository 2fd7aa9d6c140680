package respond

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/textfile"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/healthevent"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/planner"
)

// A start holds the keys that a plan or an assessment is about.
type start struct {
	report *finding.Saved
	// named are the ids of keys that are known to have leaked, whatever the report says: a
	// person has typed them, or AWS Health has named them.
	named []string
	// operand is the name of the report, "-" for standard input.
	operand string
	// sweep is the target of the sweep whose report it is, "" for a file.
	sweep string
}

// startHelp is the part of the help that says where a command may start from.
const startHelp = `REPORT is a file that was saved with "--format json", an event of AWS Health as
EventBridge sends it, "-" for standard input, or env:VARIABLE for a variable of the
environment that holds one of the two. A KEY-ID alone is enough for a key that is
known to have leaked, from an e-mail of AWS or an alert of GitHub.`

// ofTypedIDs is the source in the header of a report about key ids that somebody has typed,
// or that an event names.
const ofTypedIDs = "assess"

// readStart reads the report or the event that args name, or takes their key ids. Unless
// secrets is true, it drops the secrets in a report.
func readStart(ctx context.Context, s *cli.Streams, args []string, secrets bool) (start, error) {
	if len(args) > 0 && operator.IsAccessKeyID(args[0]) {
		for _, id := range args {
			if !operator.IsAccessKeyID(id) {
				return start{}, fmt.Errorf("%s is not an access key id", id)
			}
		}
		return startFrom(s.Version, args, "", nil), nil
	}
	if len(args) > 1 {
		return start{}, errors.New("one report, or key ids")
	}
	name := cli.Operand(args, "-")
	in, err := openStart(ctx, s, name)
	if err != nil {
		return start{}, err
	}
	defer in.Close()
	st, err := parseStart(in, s.Version, secrets)
	if err != nil {
		return start{}, fmt.Errorf("%s: %w", cli.OperandName(name), err)
	}
	st.operand = name
	return st, nil
}

// openStart opens a file, standard input or a variable of the environment.
func openStart(ctx context.Context, s *cli.Streams, name string) (io.ReadCloser, error) {
	variable, ok := strings.CutPrefix(name, "env:")
	if !ok {
		f, err := s.OpenOperand(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w (and %q is not a whole access key id)", err, name)
		}
		return f, err
	}
	text := os.Getenv(variable)
	if text == "" {
		return nil, fmt.Errorf("%s: the variable is not set, or empty", name)
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// parseStart tells an event from a report by its first JSON object.
func parseStart(in io.Reader, version string, secrets bool) (start, error) {
	in, err := textfile.Reader(in)
	if err != nil {
		return start{}, err
	}
	var first json.RawMessage
	var seen bytes.Buffer
	err = json.NewDecoder(io.TeeReader(io.LimitReader(in, healthevent.MaxSize+1), &seen)).Decode(&first)
	switch {
	case seen.Len() > healthevent.MaxSize && err != nil:
		return start{}, fmt.Errorf("neither a report nor an event of AWS Health: the first JSON object has more than %d bytes", healthevent.MaxSize)
	case err == nil && healthevent.Is(first):
		return parseEvent(io.MultiReader(&seen, in), version)
	case err == nil && isPlan(first):
		return start{}, errors.New("it is a plan already, which stanch respond apply takes")
	}
	st, reportErr := parseReport(io.MultiReader(&seen, in), secrets)
	if err != nil && reportErr != nil {
		reportErr = fmt.Errorf("neither a report nor an event of AWS Health: %w", reportErr)
	}
	return st, reportErr
}

func isPlan(text []byte) bool {
	_, err := response.ParsePlan(text)
	return err == nil
}

// parseEvent refuses an event whose account is not that of its keys.
func parseEvent(in io.Reader, version string) (start, error) {
	text, err := io.ReadAll(io.LimitReader(in, healthevent.MaxSize+1))
	if err != nil {
		return start{}, err
	}
	e, err := healthevent.Parse(text)
	if err != nil {
		return start{}, err
	}
	for _, id := range e.KeyIDs {
		if account, ok := awskeys.Account(id); ok && account != e.Account {
			return start{}, fmt.Errorf("the event %s is about account %s, and its key %s is of account %s", e.Code, e.Account, id, account)
		}
	}
	var where []finding.Location
	if e.ExposedAt != "" {
		where = []finding.Location{{Kind: finding.KindBlob, Path: e.ExposedAt}}
	}
	return startFrom(version, e.KeyIDs, e.Account, where), nil
}

// parseReport reads a report. The keys of one that "stanch assess KEY-ID" wrote were named.
func parseReport(in io.Reader, secrets bool) (start, error) {
	st := start{report: &finding.Saved{}}
	if err := finding.Replay(in, st.report, secrets); err != nil && !errors.Is(err, finding.ErrTruncated) {
		return start{}, err
	}
	if st.report.Header.Source == ofTypedIDs {
		for _, f := range st.report.Findings {
			st.named = append(st.named, f.Match.Credential.ID)
		}
	}
	return st, nil
}

// startFrom makes a report about key ids. account is theirs, "" if only the ids tell it.
func startFrom(version string, ids []string, account string, where []finding.Location) start {
	r := &finding.Saved{Header: finding.Scan{Version: version, Source: ofTypedIDs, Target: strings.Join(ids, " "), Started: time.Now().UTC()}}
	for _, id := range ids {
		of := account
		if of == "" {
			of, _ = awskeys.Account(id)
		}
		r.Findings = append(r.Findings, finding.Finding{
			Match:     detectors.Match{Rule: awskeys.AccessKey, Credential: detectors.Credential{ID: id}},
			Verdict:   verifier.Verdict{State: verifier.Skipped, Reason: "no secret was found for this key id", Identity: verifier.Identity{Account: of}},
			Locations: append([]finding.Location{}, where...),
		})
	}
	r.Totals.Findings, r.Totals.MayBeLive = len(r.Findings), len(r.Findings)
	return start{report: r, named: ids}
}

// leaks returns the findings to plan for: those of keys, if there are any (--key), those that
// are named otherwise, or all that are live. It notes keys as named.
func (st *start) leaks(keys []string) ([]finding.Finding, error) {
	switch {
	case len(keys) > 0 && st.operand == "" && st.sweep == "":
		return nil, errors.New("--key chooses among the keys of a report: with key ids, leave it out")
	case len(keys) > 0:
		st.named = keys
	case len(st.named) == 0:
		return planner.Leaks(st.report), nil
	}
	leaks, err := planner.Named(st.report, st.named)
	switch {
	case err != nil && st.sweep != "":
		err = fmt.Errorf("--sweep %s: %w", st.sweep, err)
	case err != nil && st.operand != "":
		err = fmt.Errorf("%s: %w", cli.OperandName(st.operand), err)
	}
	return leaks, err
}

// accountsIn returns the accounts of the keys in leaks, as AWS said or as the ids tell.
func accountsIn(leaks []finding.Finding) (accounts []string) {
	for _, l := range leaks {
		account := l.Verdict.Identity.Account
		if account == "" {
			account, _ = awskeys.Account(l.Match.Credential.ID)
		}
		accounts = append(accounts, account)
	}
	return accounts
}

// missing returns err, how a command ended, or an error if all went well with a report that
// ends early: keys are missing in it.
func (st *start) missing(err error) error {
	var left notPlannedError
	if !st.report.CutOff() || err != nil && !errors.As(err, &left) {
		return err
	}
	return cli.Unfinished(fmt.Errorf("%s ends early: the plan lacks the keys of the missing part", cli.OperandName(st.operand)))
}
