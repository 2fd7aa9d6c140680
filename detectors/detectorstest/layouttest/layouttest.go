// Package layouttest makes files that hold keys of AWS, and says which. A file has one of
// many layouts: the variables of Terraform, a Postman collection, a table in Markdown. All
// else about it is drawn at random from a seed: the names, the order, the quotes, the text
// between an id and its secret, the secrets of other services.
//
// It measures detection on formats that nobody wrote a rule for. So a layout is written as
// its tool writes it, and is not changed when stanch fails on it.
package layouttest

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// A Layout is a format of files.
type Layout struct {
	Name string
	// Kind is the group of layouts in which results are reported.
	Kind string
	path string
	// Exactly one is set. flat writes fields, whose names tell accounts apart. sections
	// writes a section for each account, which all have fields of the same names.
	flat     func(*file, []field)
	sections func(*file, []section)
	// spell turns the words of a name into one that the format may have; one of several
	// is drawn. None means all of programming languages.
	spell []func(words ...string) string
	// names replace the names of all flat layouts, and those of all with sections.
	names []names
	// unnamed layouts say by their position alone which value is a secret of AWS, so that
	// a secret without its id cannot be recognized.
	unnamed bool
	// binary files have no lines.
	binary bool
}

// Packed reports whether l writes keys in another way than as text with names: with
// delimiters that keys have too, encoded, or as strings of a binary file.
func (l Layout) Packed() bool {
	return l.Kind == "delimiters" || l.Kind == "encoded" || l.Kind == "binary"
}

// A Shape says which parts of keys are in a file.
type Shape string

// The shapes of files.
const (
	OneKey   Shape = "one"      // an id and its secret
	Accounts Shape = "accounts" // two to four ids and their secrets
	Secret   Shape = "secret"   // a secret whose name says that it is of AWS
	LoneID   Shape = "id"       // an id, and secrets of other services
	Foreign  Shape = "foreign"  // secrets of other services
)

// A File is a text and the keys in it.
type File struct {
	Layout Layout
	Shape  Shape
	// Path is where such a file would be; different files of a Layout may have the same.
	Path, Text string
	Keys       []Key
}

// A Key is an id and its secret. A file with the shape Secret does not hold the id, and one
// with the shape LoneID not the secret.
type Key struct{ ID, Account, Secret string }

// Shapes returns the shapes that files of the layout can have.
func (l Layout) Shapes() []Shape {
	shapes := []Shape{OneKey, Accounts}
	if !l.unnamed {
		shapes = append(shapes, Secret)
	}
	if l.flat != nil {
		shapes = append(shapes, LoneID, Foreign)
	}
	return shapes
}

// File makes a file. Equal arguments give equal files.
func (l Layout) File(shape Shape, seed uint64) File {
	h := fnv.New64a()
	_, _ = io.WriteString(h, l.Name+string(shape)) // never fails
	f := &file{Rand: rand.New(rand.NewPCG(h.Sum64(), seed)), layout: l, shape: shape}
	n := 1
	if shape == Accounts {
		n = 2 + f.IntN(3)
	}
	for range n {
		account := fmt.Sprintf("%012d", 100_000_000_000+f.Int64N(900_000_000_000))
		k := Key{ID: detectorstest.KeyID("AKIA", account, f.Uint64()), Account: account, Secret: detectorstest.SecretKey(f.Uint64())}
		f.keys = append(f.keys, k)
	}
	if l.flat != nil {
		l.flat(f, f.drawFields())
	} else {
		l.sections(f, f.drawSections())
	}
	text := f.String()
	if !l.binary && f.oneIn(12) {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if shape == Foreign {
		f.keys = nil
	}
	return File{Layout: l, Shape: shape, Path: l.path, Text: text, Keys: f.keys}
}

// A file is one that is being written.
type file struct {
	*rand.Rand
	strings.Builder
	layout Layout
	shape  Shape
	keys   []Key
}

func (f *file) printf(format string, args ...any) { _, _ = fmt.Fprintf(f, format, args...) }

func (f *file) oneIn(n int) bool { return f.IntN(n) == 0 }

func pick[T any](f *file, from ...T) T { return from[f.IntN(len(from))] }

func shuffle[T any](f *file, s []T) {
	f.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
}
