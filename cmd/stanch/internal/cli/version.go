package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// BuildInfo says from which commit and how a version was built: "0.1.0 (commit abc, 2026-11-20, go1.26.8, linux/amd64)".
func BuildInfo(version string) string {
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
	return fmt.Sprintf("%s (%s)", version, strings.Join(parts, ", "))
}
