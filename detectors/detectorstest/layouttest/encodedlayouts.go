package layouttest

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf16"
)

// Layouts in which a value is encoded, is beside a character that it could hold itself, or
// is in a file without lines.

// eachKey is a layout of one line for each key, without names.
func eachKey(name, path string, write func(*file, Key)) Layout {
	return Layout{Name: name, Kind: "delimiters", path: path, unnamed: true, names: []names{{"key", "secret", false}}, sections: func(f *file, _ []section) {
		for _, k := range f.keys {
			write(f, k)
		}
	}}
}

func delimited() []Layout {
	return []Layout{
		eachKey("id:secret", "keys.txt", func(f *file, k Key) { f.printf("%s:%s\n", k.ID, k.Secret) }),
		eachKey("id/secret/region", "regions.txt", func(f *file, k Key) { f.printf("%s/%s/%s\n", k.ID, k.Secret, pick(f, regions...)) }),
		eachKey("URL with user and password", "backup.sh", func(f *file, k Key) {
			f.printf("backup s3://%s:%s@%s/\n", k.ID, pick(f, k.Secret, percentEncode(k.Secret)), f.word())
		}),
		eachKey("path of a URL", "test.http", func(f *file, k Key) {
			f.printf("GET https://%s.example.com/v1/%s/%s/%s\n", f.word(), k.ID, k.Secret, f.word())
		}),
		eachKey("sed scripts", "configure.sh", func(f *file, k Key) {
			f.printf("sed -i 's/ID_%d/%s/' %s.conf\nsed -i \"s/SECRET_%d/%s/g\" %[3]s.conf\n", len(f.String()), k.ID, f.word(), len(f.String()), k.Secret)
		}),
		eachKey("sed scripts, marked names", "configure.sh", func(f *file, k Key) {
			format := pick(f, "s/__ID__/%s/\ns/__SECRET__/%s/\n", "s/{{ID}}/%s/g;s/{{SECRET}}/%s/g\n", "sed -e 's/<id>/%s/' -e 's/<secret>/%s/' x\n")
			f.printf(format, k.ID, k.Secret)
		}),
		eachKey("plus as a space", "form.txt", func(f *file, k Key) {
			f.printf("text=key+%s+with+secret+%s+of+%s\n", k.ID, percentEncode(k.Secret), f.word())
		}),
		eachKey("pipes", "keys.txt", func(f *file, k Key) { f.printf("%s|%s|%s|%s\n", f.word(), k.ID, k.Secret, f.word()) }),
	}
}

func encoded() []Layout {
	data := func(fields []field) object {
		return byName(fields, func(x field) any { return base64.StdEncoding.EncodeToString([]byte(x.value)) })
	}
	// whole is a layout of which the text as a whole is encoded.
	whole := func(name, path string, encode func(*file, string) string) Layout {
		return Layout{Name: name, Kind: "encoded", path: path, spell: env, binary: true, flat: func(f *file, fields []field) {
			inner := &file{Rand: f.Rand}
			for _, x := range fields {
				inner.printf("%s=%s\n", x.name, x.value)
			}
			f.WriteString(encode(f, inner.String()))
		}}
	}
	return []Layout{
		{Name: "Kubernetes Secret, data", Kind: "encoded", path: "secret.yaml", spell: []spelling{upperSnake, lowerSnake, camel, kebab}, flat: func(f *file, fields []field) {
			f.yaml(object{{"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", object{{"name", f.word()}}}, {"type", "Opaque"}, {"data", data(fields)}})
		}},
		{Name: "values in base64, JSON", Kind: "encoded", path: "parameters.json", flat: func(f *file, fields []field) { f.json(data(fields)) }},
		whole("dotenv in base64", "user-data.b64", func(f *file, s string) string {
			return wrap(base64.StdEncoding.EncodeToString([]byte(s)), pick(f, 64, 76, math.MaxInt))
		}),
		whole("dotenv in base64, twice", "release.b64", func(_ *file, s string) string {
			return base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(s)))) + "\n"
		}),
		whole("dotenv in zlib in base64", "payload.py", func(f *file, s string) string {
			return fmt.Sprintf("exec(zlib.decompress(base64.b64decode(%q)))\n", base64.StdEncoding.EncodeToString(deflate(s, pick(f, zlib.DefaultCompression, zlib.BestCompression))))
		}),
		whole("zip of a dotenv in base64 in a CI log", "build.log", func(f *file, s string) string {
			return "##[group]Run zip -q - .env | base64\n" + wrap(base64.StdEncoding.EncodeToString(zipOf(".env", s)), pick(f, 76, math.MaxInt)) + "##[endgroup]\n"
		}),
		whole("dotenv in hexadecimal", "dump.hex", func(_ *file, s string) string { return hex.EncodeToString([]byte(s)) + "\n" }),
		whole("dotenv in UTF-16", "env.txt", func(f *file, s string) string {
			text, order := []byte("\xff\xfe"), binary.AppendByteOrder(binary.LittleEndian)
			if f.oneIn(2) {
				text, order = []byte("\xfe\xff"), binary.BigEndian
			}
			for _, u := range utf16.Encode([]rune(s)) {
				text = order.AppendUint16(text, u)
			}
			return string(text)
		}),
		whole("dotenv in a URL", "links.txt", func(_ *file, s string) string { return "https://example.com/?q=" + percentEncode(s) + "\n" }),
	}
}

// deflate returns s in zlib.
func deflate(s string, level int) []byte {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err == nil {
		_, err = w.Write([]byte(s))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// zipOf returns a zip of one file.
func zipOf(name, s string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err == nil {
		_, err = f.Write([]byte(s))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// percentEncode encodes all characters but letters, digits, "-", "_" and ".", as in the query of a URL.
func percentEncode(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		default:
			b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}

// wrap breaks s into lines of n characters.
func wrap(s string, n int) string {
	var b strings.Builder
	for len(s) > n {
		b.WriteString(s[:n] + "\n")
		s = s[n:]
	}
	return b.String() + s + "\n"
}

func binaries() []Layout {
	// format is a binary layout that writes each name and each value as a string of its own.
	format := func(name, path, before, after string, text func(string) string) Layout {
		return Layout{Name: name, Kind: "binary", path: path, binary: true, flat: func(f *file, fields []field) {
			f.WriteString(before)
			for _, x := range fields {
				f.WriteString(text(x.name) + text(x.value))
			}
			f.WriteString(after)
		}}
	}
	short := func(mark string) func(string) string {
		return func(s string) string { return mark + string(rune(len(s))) + s } // all are shorter than 128
	}
	return []Layout{
		format("pickle, protocol 0", "state.pkl", "(dp0\n", "s.", func(s string) string { return "V" + s + "\np1\ns" }),
		format("pickle, protocol 2", "state.pkl", "\x80\x02}q\x00(", "u.", func(s string) string {
			return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s + "q\x01"
		}),
		format("pickle, protocol 4", "state.pkl", "\x80\x04\x95\x00\x01\x00\x00\x00\x00\x00\x00}\x94(", "u.", func(s string) string { return short("\x8c")(s) + "\x94" }),
		format("Python bytecode", "settings.cpython-312.pyc", "\xcb\r\r\n\x00\x00\x00\x00e\x00\x00\x00", "\x00N", short("\xda")),
		format("Java serialization", "session.ser", "\xac\xed\x00\x05sr\x00\x11java.util.HashMap", "x", short("t\x00")),
		format("protobuf", "config.pb", "", "", short("\x32")),
		format("CBOR", "config.cbor", "\xbf", "\xff", func(s string) string {
			if len(s) < 24 {
				return string(rune(0x60+len(s))) + s
			}
			return short("x")(s)
		}),
		format("MessagePack", "config.msgpack", "\xde\x00\x10", "", func(s string) string {
			if len(s) < 32 {
				return string([]byte{0xa0 | byte(len(s))}) + s
			}
			return short("\xd9")(s)
		}),
		format("binary plist", "Info.plist", "bplist00\xd8\x01\x02\x03\x04", "\x08\x19", func(s string) string {
			if len(s) < 15 {
				return string([]byte{0x50 | byte(len(s))}) + s
			}
			return "\x5f\x10" + string(rune(len(s))) + s
		}),
		format("C strings", "app.bin", "\x7fELF\x02\x01\x01\x00", "\x00", func(s string) string { return s + "\x00" }),
	}
}
