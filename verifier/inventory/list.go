package inventory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// A List is the keys of one account, by id.
type List struct {
	Account string
	Keys    map[string]Key
}

// workers is how many users are asked about at once: IAM answers about 15 such calls
// a second.
const workers = 4

// Fetch asks IAM for the access keys of all users of the operator's account. It needs
// iam:ListUsers and iam:ListAccessKeys, and only reads. The keys of the root user are
// missing: IAM lists them only to the root user itself.
func Fetch(ctx context.Context, op *operator.Operator, now time.Time) (List, error) {
	s := op.Own()
	users, err := s.Users(ctx)
	if err != nil {
		return List{}, err
	}
	list := List{Account: s.Account, Keys: map[string]Key{}}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, user := range users {
		group.Go(func() error {
			keys, err := s.AccessKeys(ctx, user)
			if errors.Is(err, operator.ErrNotFound) {
				return nil // deleted since the users were listed
			}
			if err != nil {
				return fmt.Errorf("keys of user %s: %w", user, err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, k := range keys {
				list.Keys[k.ID] = Key{Account: list.Account, User: user, Status: k.Status, Created: k.Created, Listed: now}
			}
			return nil
		})
	}
	return list, group.Wait()
}
