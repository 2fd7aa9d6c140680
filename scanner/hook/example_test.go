package hook_test

import (
	"context"
	"fmt"
	"os"

	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/hook"
)

// The source that a hook scans before a commit: all that is new in the index.
func ExampleHook() {
	repo, root, err := gitsource.OpenHere()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = repo.Close() }()
	h := hook.Hook{Repo: repo, Root: root, Stage: hook.PreCommit, Stdin: os.Stdin}
	subject, err := h.Subject(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("about to be scanned:", subject.Name)
}
