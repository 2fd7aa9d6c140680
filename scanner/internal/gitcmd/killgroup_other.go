//go:build !unix

package gitcmd

import "os/exec"

// killGroup does nothing: git alone is killed. Its children end when they next
// read from it or write to it.
func killGroup(*exec.Cmd) {}
