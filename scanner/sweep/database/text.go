package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Storable returns text in the form in which the database keeps it: redacted, see Redact,
// and as text that both databases take. Names of files, branches and authors hold any bytes;
// PostgreSQL refuses a whole transaction for one byte that is not UTF-8, or for a NUL, and
// JSON would make the same U+FFFD of all of them. Such text is kept as a Go string literal, as
// reports show it: "caf\xe9.env". So is text that begins with a quote, so that no two texts
// are kept as one.
func Storable(text string) string {
	text = Redact(text)
	if utf8.ValidString(text) && !strings.ContainsRune(text, 0) && !strings.HasPrefix(text, `"`) {
		return text
	}
	return strconv.Quote(text)
}

// Original returns the text that Storable was given, redacted.
func Original(kept string) string {
	if strings.HasPrefix(kept, `"`) {
		if text, err := strconv.Unquote(kept); err == nil {
			return text
		}
	}
	return kept // earlier versions kept text with a quote as it was
}

// MarshalRecord returns v, a pointer, as JSON with all text as Storable returns it. It
// changes v.
func MarshalRecord(v any) (json.RawMessage, error) {
	eachText(reflect.ValueOf(v), Storable)
	return json.Marshal(v)
}

// UnmarshalRecord reads into v the JSON that MarshalRecord has made of such a value.
func UnmarshalRecord(record json.RawMessage, v any) error {
	if err := json.Unmarshal(record, v); err != nil {
		return err
	}
	eachText(reflect.ValueOf(v), Original)
	return nil
}

// eachText replaces each string that v leads to. It skips maps and interfaces: records
// have none.
func eachText(v reflect.Value, replace func(string) string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(replace(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			eachText(v.Elem(), replace)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				eachText(v.Field(i), replace)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			eachText(v.Index(i), replace)
		}
	}
}

// A Querier is a *sql.DB or a *sql.Tx. Only Exec, QueryRow and EachRow use it: they make
// text storable, and give the original back. A query finds a row by a name that was redacted,
// since both were redacted alike. Values that look random and have to come back as they
// were, such as cursors of an API, are stored as []byte.
type Querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Exec runs a statement.
func Exec(ctx context.Context, q Querier, statement string, args ...any) (sql.Result, error) {
	return q.ExecContext(ctx, statement, storable(args)...)
}

// QueryRow runs a query for one row, and returns a function that scans it.
func QueryRow(ctx context.Context, q Querier, query string, args ...any) func(...any) error {
	return original(q.QueryRowContext(ctx, query, storable(args)...).Scan)
}

// EachRow calls each for each row of a query.
func EachRow(ctx context.Context, q Querier, each func(scan func(...any) error) error, query string, args ...any) error {
	r, err := q.QueryContext(ctx, query, storable(args)...)
	if err != nil {
		return fmt.Errorf("the database: %w", err)
	}
	defer func() { _ = r.Close() }()
	for r.Next() {
		if err := each(original(r.Scan)); err != nil {
			return err
		}
	}
	return r.Err()
}

// storable returns args with all text as it is kept.
func storable(args []any) []any {
	all := make([]any, len(args))
	for i, arg := range args {
		all[i] = arg
		if text, ok := arg.(string); ok {
			all[i] = Storable(text)
		}
	}
	return all
}

// original returns scan, with the original of all text.
func original(scan func(...any) error) func(...any) error {
	return func(into ...any) error {
		if err := scan(into...); err != nil {
			return err
		}
		for _, v := range into {
			if text, ok := v.(*string); ok {
				*text = Original(*text)
			}
		}
		return nil
	}
}
