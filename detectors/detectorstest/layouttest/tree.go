package layouttest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// An object is a JSON object or a map of YAML, in order. Its values are strings, numbers,
// booleans, objects and lists.
type (
	object []member
	member struct {
		key   string
		value any
	}
	list []any
)

// with returns o and one more member, unless its value is "".
func (o object) with(key string, value any) object {
	if value == "" {
		return o
	}
	return append(o, member{key, value})
}

// records renders each field as an object, with f's order of members if anyOrder.
func (f *file) records(fields []field, record func(field) object) list {
	var l list
	for _, x := range fields {
		l = append(l, record(x))
	}
	return l
}

// byName renders fields as an object whose keys are their names.
func byName(fields []field, value func(field) any) object {
	var o object
	for _, x := range fields {
		o = append(o, member{x.name, value(x)})
	}
	return o
}

func plain(x field) any { return x.value }

// json writes v, indented or not.
func (f *file) json(v any) {
	indent := pick(f, "  ", "  ", "    ", "\t", "")
	f.jsonValue(v, indent, "\n", indent == "" && f.oneIn(2))
	if f.IntN(4) > 0 {
		f.printf("\n")
	}
}

func (f *file) jsonValue(v any, indent, newline string, spaced bool) {
	colon, comma, deeper := ": ", ",", newline+indent
	if indent == "" {
		newline, deeper = "", ""
		if spaced {
			comma = ", "
		} else {
			colon = ":"
		}
	}
	switch v := v.(type) {
	case object:
		f.printf("{")
		for i, m := range v {
			if i > 0 {
				f.printf("%s", comma)
			}
			f.printf("%s%s%s", deeper, jsonString(m.key), colon)
			f.jsonValue(m.value, indent, deeper, spaced)
		}
		f.printf("%s}", newline)
	case list:
		f.printf("[")
		for i, e := range v {
			if i > 0 {
				f.printf("%s", comma)
			}
			f.printf("%s", deeper)
			f.jsonValue(e, indent, deeper, spaced)
		}
		f.printf("%s]", newline)
	case string:
		f.printf("%s", jsonString(v))
	default:
		f.printf("%v", v)
	}
}

func jsonString(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// yaml writes v in block style. Each file has its own quotes and indentation.
func (f *file) yaml(v any) {
	quote := pick(f, "", "", `"`, "'")
	f.yamlValue(v, quote, pick(f, 2, 2, 4), pick(f, 0, 2), 0)
}

func (f *file) yamlValue(v any, quote string, step, dash, column int) {
	pad := strings.Repeat(" ", column)
	member := func(m member) {
		switch v := m.value.(type) {
		case object:
			f.printf("%s:\n", m.key)
			f.yamlValue(v, quote, step, dash, column+step)
		case list:
			f.printf("%s:\n", m.key)
			f.yamlValue(v, quote, step, dash, column+dash)
		default:
			f.printf("%s: %s\n", m.key, yamlScalar(v, quote))
		}
	}
	switch v := v.(type) {
	case object:
		for _, m := range v {
			f.printf("%s", pad)
			member(m)
		}
	case list:
		for _, e := range v {
			o, ok := e.(object)
			if !ok {
				f.printf("%s- %s\n", pad, yamlScalar(e, quote))
				continue
			}
			column += 2
			inner := strings.Repeat(" ", column)
			for i, m := range o {
				if i == 0 {
					f.printf("%s- ", pad)
				} else {
					f.printf("%s", inner)
				}
				member(m)
			}
			column -= 2
		}
	}
}

func yamlScalar(v any, quote string) string {
	s := fmt.Sprint(v)
	if _, text := v.(string); !text {
		return s
	}
	if quote == "" && strings.ContainsAny(s, ":{}|>#*&!%@`'\"[],") {
		quote = `"`
	}
	return quote + s + quote
}
