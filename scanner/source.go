package scanner

import (
	"context"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// A Blob is one text to scan.
type Blob struct {
	ID   finding.BlobID
	Kind finding.Kind
	// Name is the name of the blob until it is located: a path, an object id.
	Name string
	// Data is valid only until yield returns.
	Data []byte
	// Window is set if Data is a part of a text that is too large to be held.
	Window *Window
	// New reports whether some of Data[from:to] is new. A match that is not new is no
	// hit. It is nil if all is new, and valid until yield returns.
	New func(from, to int) bool
	// Version, if not nil, says which text Data was made from. The scanner leaves the matches
	// of Data in it, for texts that are made from this one.
	Version *detectors.Version
	// Err is set, and Data empty, if the text is known to exist and could not
	// be read. The scan goes on and is reported as incomplete.
	Err error
}

// A Window says which part of a text a Blob holds. The windows of a text come in
// order, overlap, and have the same ID.
type Window struct {
	Offset       int64 // of its first byte
	Line, Column int   // of its first byte, counted from 0; columns in code points
	// A match that begins in the first Lead bytes of Data, or in the last Tail, is whole
	// in the window before or after, and is left to that.
	Lead, Tail int
}

// A Source holds texts: a repository, a directory, a stream.
type Source interface {
	// Blobs calls yield once for each finding.BlobID, which is one distinct content in a
	// repository and one file in a directory. It may call yield from
	// several goroutines at once. It stops at the first error that yield
	// returns, or that keeps it from going on at all, and returns it. A text that
	// cannot be read on the way is yielded with Err set.
	Blobs(ctx context.Context, yield func(Blob) error) error
	// Locate calls yield for each place that one of ids is stored in, one call at a time;
	// for an id with more than a thousand places, a thousand will do. The scanner calls it
	// after Blobs, and only for texts that matched: to locate them costs a history walk
	// that most scans never need. An object that cannot be read on the way does not stop
	// it: Locate goes on and says so in its error.
	Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error
}

// A Prefilter tells from parts of a text whether the text may match.
type Prefilter struct {
	// Filters are at most detectors.MaxFilters. A text may match if it may by one of them. If
	// there are none, every text may match.
	//
	// Their methods are conservative and local. Conservative: if MayMatch or MayMatchNear of
	// each filter is false, text has no match. Local: each is true for a text if and only if
	// it is for some part of it of Window or NearWindow bytes. So for a delta only the new
	// bytes, and Window or NearWindow bytes on each side, have to be tested.
	Filters []detectors.Filter
	// Whole reports whether a text must be searched whatever Filters say.
	// head is the beginning of the text, of HeadSize bytes or shorter if the text is.
	Whole    func(head []byte) bool
	HeadSize int
	// Passed counts texts that were left out, and their bytes. It is called
	// concurrently.
	Passed func(objects, bytes int64)
	// Total, if not nil, is told how many texts there are before they are read, by a source
	// that knows: once for each of its parts. Those that are stored twice count twice. The
	// first of them are contents of files, which take longer than the others.
	Total func(objects, contents int64)
}

// A SelectiveSource is a Source that can leave out texts that cannot match, and so need not
// even put them together.
type SelectiveSource interface {
	Source
	// BlobsMatching is Blobs, except that it may call p.Passed instead of yield for texts
	// for which p.Whole and MayMatchNear of each filter are false.
	BlobsMatching(ctx context.Context, p Prefilter, yield func(Blob) error) error
}
