package inventory

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"golang.org/x/sync/errgroup"
)

// A List is the keys of one account, by id.
type List struct {
	Account string
	Keys    map[string]Key
}

// workers is how many users are asked about at once: IAM answers about 15 such calls
// a second.
const workers = 4

// Fetch asks IAM for the access keys of all users of one account, as the operator:
// the identity is that of the default chain of the AWS CLI, or of the profile if it is
// not "". It needs iam:ListUsers and iam:ListAccessKeys, and reads only. The keys of
// the root user are not among them: IAM lists them to nobody else.
func Fetch(ctx context.Context, profile string, now time.Time) (List, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(profile), config.WithDefaultRegion("us-east-1"))
	if err != nil {
		return List{}, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
	if err != nil {
		return List{}, fmt.Errorf("asking who you are (sts:GetCallerIdentity): %w", err)
	}
	list := List{Account: aws.ToString(who.Account), Keys: map[string]Key{}}
	client := iam.NewFromConfig(cfg)
	found := make(chan pair)
	var group errgroup.Group
	group.Go(func() error {
		defer close(found)
		return listUsers(ctx, client, found)
	})
	for p := range found {
		list.Keys[p.id] = Key{Account: list.Account, User: p.user, Status: p.status, Created: p.created, Listed: now}
	}
	return list, group.Wait()
}

// A pair is a key id and what IAM says of it.
type pair struct {
	id, user, status string
	created          time.Time
}

// listUsers sends the keys of all users to found.
func listUsers(ctx context.Context, client *iam.Client, found chan<- pair) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	users := iam.NewListUsersPaginator(client, &iam.ListUsersInput{})
	for users.HasMorePages() {
		page, err := users.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("iam:ListUsers: %w", firstOf(group.Wait(), err))
		}
		for _, u := range page.Users {
			group.Go(func() error { return listKeys(ctx, client, aws.ToString(u.UserName), found) })
		}
	}
	return group.Wait()
}

// firstOf returns a if it is an error, else b: a page that was cut short by the
// failure of a user is not the cause.
func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func listKeys(ctx context.Context, client *iam.Client, user string, found chan<- pair) error {
	keys := iam.NewListAccessKeysPaginator(client, &iam.ListAccessKeysInput{UserName: aws.String(user)})
	for keys.HasMorePages() {
		page, err := keys.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("iam:ListAccessKeys of user %s: %w", user, err)
		}
		for _, k := range page.AccessKeyMetadata {
			found <- pair{aws.ToString(k.AccessKeyId), user, string(k.Status), aws.ToTime(k.CreateDate)}
		}
	}
	return nil
}
