// Package joblog makes the log of sweeps: each line that is written for a job has the id of
// the job and what it is about, whoever writes it.
package joblog

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

type key struct{}

// With returns a context whose lines have further attributes. They must hold no secret.
func With(ctx context.Context, attributes ...slog.Attr) context.Context {
	return context.WithValue(ctx, key{}, append(slices.Clip(attributesOf(ctx)), attributes...))
}

func attributesOf(ctx context.Context) []slog.Attr {
	attributes, _ := ctx.Value(key{}).([]slog.Attr)
	return attributes
}

// New returns a log that writes lines of a level and above to w, in a format: "text", or
// "json" for programs that collect logs. Lines that are logged with a context (InfoContext
// and the like) have the attributes that With has given it.
func New(w io.Writer, format string, level slog.Level) (*slog.Logger, error) {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: database.RedactAttr}
	switch format {
	case "text":
		return slog.New(handler{slog.NewTextHandler(w, options)}), nil
	case "json":
		return slog.New(handler{slog.NewJSONHandler(w, options)}), nil
	}
	return nil, fmt.Errorf("there is no format %q of a log: it is text or json", format)
}

// A handler adds the attributes of the context to each line.
type handler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	r.AddAttrs(attributesOf(ctx)...)
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attributes)}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
