package main

import (
	_ "embed"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// release is the version that this source is or leads to. It is embedded since
// pre-commit builds from a clone without tags, where the go command knows no
// version.
//
//go:embed VERSION
var release string

func number() string { return strings.TrimSpace(release) }

// version says what was built from what: "0.1.0 (commit abc, 2026-11-20, go1.26.8, linux/amd64)".
func version() string {
	parts := []string{runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		vcs := map[string]string{}
		for _, s := range info.Settings {
			vcs[s.Key] = s.Value
		}
		if rev := vcs["vcs.revision"]; rev != "" {
			day, _, _ := strings.Cut(vcs["vcs.time"], "T")
			parts = append([]string{"commit " + rev[:min(12, len(rev))], day}, parts...)
		}
	}
	return fmt.Sprintf("%s (%s)", number(), strings.Join(parts, ", "))
}
