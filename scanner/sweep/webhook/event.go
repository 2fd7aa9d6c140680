package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
)

// payload has what is read of the events of GitHub, with its names
// (docs.github.com/webhooks/webhook-events-and-payloads).
type payload struct {
	Action     string     `json:"action"`
	Repository repository `json:"repository"`
	Changes    struct {
		Repository struct {
			Name struct {
				From string `json:"from"`
			} `json:"name"`
		} `json:"repository"`
		Owner struct {
			From struct {
				User, Organization struct {
					Login string `json:"login"`
				}
			} `json:"from"`
		} `json:"owner"`
	} `json:"changes"`
	Installation struct {
		Account struct {
			Login string `json:"login"`
		} `json:"account"`
		RepositoriesURL string `json:"repositories_url"`
	} `json:"installation"`
	Added   []repository `json:"repositories_added"`
	Removed []repository `json:"repositories_removed"`
}

type repository struct {
	ID       int64  `json:"id"`
	FullName string `json:"full_name"`
	// HooksURL leads to the API; in the event push, url does not.
	HooksURL string `json:"hooks_url"`
	PushedAt when   `json:"pushed_at"`
}

// when is a time: in the event push it is a number of seconds, elsewhere text.
type when struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler. It takes null for no time. Its error does not quote
// the text, as that of package time would: no text of a body is logged.
func (w *when) UnmarshalJSON(text []byte) error {
	if seconds, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		w.Time = time.Unix(seconds, 0)
		return nil
	}
	if err := w.Time.UnmarshalJSON(text); err != nil {
		return errors.New("pushed_at is not a time")
	}
	return nil
}

// news is what a delivery says: which repositories have changed, or that the repositories of
// an owner are to be listed.
type news struct {
	repositories []sweep.News
	owner, api   string
}

func (n news) isEmpty() bool { return len(n.repositories) == 0 && n.owner == "" }

// maxLookups is how many repositories of one delivery are looked up. For more, a list of
// their owner costs fewer requests.
const maxLookups = 30

// parse returns the news of an event, none if it says nothing of interest.
func parse(event string, body []byte) (news, error) {
	known := []string{"push", "create", "delete", "pull_request", "gollum", "public", "repository", "installation", "installation_repositories"}
	if !slices.Contains(known, event) {
		return news{}, nil
	}
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return news{}, fmt.Errorf("the body is not an event of GitHub: %w", err)
	}
	if strings.HasPrefix(event, "installation") {
		return p.ofInstallation(event)
	}
	n, err := p.news()
	if err != nil {
		return news{}, err
	}
	switch event {
	case "push", "create", "delete": // of a branch or a tag
		return news{repositories: []sweep.News{n}}, nil
	case "pull_request": // its commits may be in no branch of the repository
		n.Pushed = time.Time{}
		if !slices.Contains([]string{"opened", "reopened", "synchronize"}, p.Action) {
			return news{}, nil
		}
		return news{repositories: []sweep.News{n}}, nil
	case "gollum":
		n.ID, n.Name, n.Pushed = n.ID+".wiki", n.Name+".wiki", time.Time{}
		return news{repositories: []sweep.News{n}}, nil
	}
	return news{repositories: p.ofRepository(n)}, nil
}

// news returns the news that the repository of the payload has changed.
func (p *payload) news() (sweep.News, error) {
	api, isAPI := strings.CutSuffix(p.Repository.HooksURL, "/repos/"+p.Repository.FullName+"/hooks")
	if p.Repository.ID <= 0 || strings.Count(p.Repository.FullName, "/") != 1 || !isAPI {
		return sweep.News{}, errors.New("the event names no repository")
	}
	return sweep.News{API: api, ID: strconv.FormatInt(p.Repository.ID, 10), Name: p.Repository.FullName, Pushed: p.Repository.PushedAt.Time}, nil
}

// ofRepository returns the news of a repository that itself has changed: it was made,
// renamed, archived, transferred, deleted or became public. GitHub names it as it is called
// now; a target may know it by the name before.
func (p *payload) ofRepository(n sweep.News) []sweep.News {
	n.Doubt, n.Pushed = true, time.Time{}
	all := []sweep.News{n}
	owner, name, _ := strings.Cut(n.Name, "/")
	from := p.Changes.Owner.From
	for _, was := range []string{p.Changes.Repository.Name.From, from.User.Login, from.Organization.Login} {
		if was == "" {
			continue
		}
		before := n
		if before.Name = was + "/" + name; was == p.Changes.Repository.Name.From {
			before.Name = owner + "/" + was
		}
		all = append(all, before)
	}
	return all
}

// ofInstallation returns the news that an App may see other repositories than before.
func (p *payload) ofInstallation(event string) (news, error) {
	owner := p.Installation.Account.Login
	api, isAPI := strings.CutSuffix(p.Installation.RepositoriesURL, "/installation/repositories")
	if owner == "" || !isAPI {
		return news{}, errors.New("the event names no installation")
	}
	if event == "installation" {
		if !slices.Contains([]string{"created", "unsuspend", "new_permissions_accepted"}, p.Action) {
			return news{}, nil
		}
		return news{owner: owner, api: api}, nil
	}
	changed := slices.Concat(p.Added, p.Removed)
	if len(changed) > maxLookups {
		return news{owner: owner, api: api}, nil
	}
	n := news{}
	for _, r := range changed {
		if r.ID <= 0 || strings.Count(r.FullName, "/") != 1 {
			return news{}, errors.New("the event names a repository without id or name")
		}
		n.repositories = append(n.repositories, sweep.News{API: api, ID: strconv.FormatInt(r.ID, 10), Name: r.FullName, Doubt: true})
	}
	return n, nil
}
