package main

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// folders is a source of texts, each in a folder of its own.
type folders map[string]string

func (s folders) Blobs(_ context.Context, yield func(scanner.Blob) error) error {
	for name, text := range s {
		if err := yield(scanner.Blob{ID: finding.BlobID(name), Kind: finding.KindBlob, Name: name, Data: []byte(text)}); err != nil {
			return err
		}
	}
	return nil
}

func (s folders) Locate(_ context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for _, id := range ids {
		if err := yield(id, finding.Location{Kind: finding.KindBlob, Path: string(id) + "/f"}); err != nil {
			return err
		}
	}
	return nil
}

// TestLiveSessionsAreLive holds that a live session is reported as live: with each padding
// of its token, in each format, whatever follows.
func TestLiveSessionsAreLive(t *testing.T) {
	sts := verifiertest.NewSTS(t)
	texts, want := folders{}, map[string]string{}
	contexts := detectorstest.Contexts()
	seed := uint64(10_000)                                                         // a few secrets in a thousand do not look random, and need a name
	for _, region := range []string{"us-east-1", "eu-north-1", "ap-southeast-1"} { // the padding depends on its length
		for _, context := range slices.Sorted(maps.Keys(contexts)) {
			seed++
			c := verifiertest.Session(detectorstest.Account, region, time.Now().Add(-time.Minute), seed)
			sts.Set(verifiertest.Key{Credential: c, ARN: "arn:aws:sts::" + detectorstest.Account + ":assumed-role/x/y"})
			token := c.Token.Reveal()
			name := context + "/" + region
			texts[name] = detectorstest.InContext(contexts[context], c.ID, c.Secret.Reveal(), token)
			want[c.ID] = name
		}
	}
	client, err := awsverifier.New(awsverifier.Config{Endpoint: sts.URL, PerSecond: 1e6, Reask: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	sink := &scannertest.Sink{}
	sc := scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: client, Workers: 4}
	if err := sc.Scan(t.Context(), texts, sink); err != nil {
		t.Fatal(err)
	}
	for _, f := range sink.Findings {
		name, ok := want[f.Match.Credential.ID]
		if ok && f.Verdict.State == verifier.Live {
			delete(want, f.Match.Credential.ID)
		} else if ok && f.Ignored == "" {
			t.Errorf("%s: %s: %s", name, f.Verdict.State, f.Verdict.Reason)
		}
	}
	for _, name := range want {
		t.Errorf("%s: no live session is reported", name)
	}
}
