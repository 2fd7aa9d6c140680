package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/stanch-dev/stanch/scanner/printable"
)

// askMFA asks the person at the terminal for the code of an MFA device. It asks there whatever
// the standard streams are: they may carry a report.
func (s *Streams) askMFA(ctx context.Context, serial string) (string, error) {
	in, out := "/dev/tty", "/dev/tty"
	if runtime.GOOS == "windows" {
		in, out = "CONIN$", "CONOUT$"
	}
	r, err := os.Open(in)
	if err != nil {
		return "", fmt.Errorf("there is no terminal: %w", err)
	}
	defer r.Close()
	w, err := os.OpenFile(out, os.O_WRONLY, 0)
	if err != nil {
		return "", fmt.Errorf("there is no terminal: %w", err)
	}
	defer w.Close()
	defer s.Line.Pause()()
	if _, err := fmt.Fprintf(w, "Code of the MFA device %s: ", printable.Text(serial)); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(Interruptible(ctx, r)).ReadString('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(line), nil
}
