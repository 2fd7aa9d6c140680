//go:build unix

package gitcmd

import (
	"os/exec"
	"syscall"
)

// killGroup makes the end of cmd's context end its children too. git does not
// do so by itself: git-remote-http would wait on for a server that is silent.
// Not for ssh, which may have to ask for a passphrase: a group of its own cannot
// read from the terminal.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}
