//go:build sweep

package sweep

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
)

// A consent asks a person before much is changed, or anything is lost. It asks without a terminal
// as well, as "stanch respond apply" does: a script answers by --yes.
type consent struct {
	yes bool          // nobody is asked
	in  *bufio.Reader // one for all questions: it reads ahead
}

// ask describes the change, and returns an error unless the person types yes.
func (c *consent) ask(ctx context.Context, s *cli.Streams, what string) error {
	if c.yes {
		return nil
	}
	if c.in == nil {
		c.in = bufio.NewReader(cli.Interruptible(ctx, s.Stdin))
	}
	fmt.Fprintf(s.Loud().Stderr, "stanch: %s. Type yes to go on: ", what)
	answer, err := c.in.ReadString('\n')
	if err != nil { // no line was typed that moves the cursor to the next row
		fmt.Fprintln(s.Loud().Stderr)
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.Join(ctx.Err(), errors.New(`nothing was changed: the answer was not "yes" (--yes answers it)`))
	}
	return nil
}
