// Package finding has the records of a report, and reads and writes them as JSON.
package finding

// Schema names the contract of the JSON stream. Within a version, fields and
// record types may be added; readers ignore those that they do not know.
const Schema = "stanch/v1"

// A Handler writes one format. It is called by NewSink's sink and by Replay,
// one call at a time: Scan, each Finding and Repository, Summary, each record after
// the other. It may retain what it is given, and need not write before Summary. A
// format that has no use for Repositories ignores them.
type Handler interface {
	Scan(Scan) error
	Finding(Finding) error
	Repository(Repository) error
	Summary(Summary) error
}
