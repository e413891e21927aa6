package terminal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"
)

// WriteJSON writes a value as indented JSON. Characters that a terminal would obey are written as
// escapes, which mean the same to every reader of JSON.
func WriteJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	return writeClean(w, b.String())
}

// WriteJSONLine is like WriteJSON, on one line.
func WriteJSONLine(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeClean(w, string(b)+"\n")
}

// writeClean writes JSON text. What Clean makes of a character is its escape in JSON too, but for
// the one that JSON lets stand below 0x80.
func writeClean(w io.Writer, text string) error {
	_, err := io.WriteString(w, Clean(strings.ReplaceAll(text, "\x7f", `\u007f`)))
	return err
}

// WriteText writes text for people.
func WriteText(w io.Writer, text string) error {
	_, err := io.WriteString(w, Clean(text))
	return err
}

// Results returns a writer for the results of a command: the same, but if it is a pipe whose reader,
// such as head(1), has seen enough, the rest goes nowhere and is no error.
func Results(w io.Writer) io.Writer {
	if IsTerminal(w) {
		return w
	}
	return &results{Writer: w}
}

type results struct {
	io.Writer
	unread bool
}

func (r *results) Write(p []byte) (int, error) {
	n, err := r.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		r.unread = true
		return len(p), nil
	}
	return n, err
}

// Unread reports whether a writer that Results returned has lost its reader.
func Unread(w io.Writer) bool {
	r, ok := w.(*results)
	return ok && r.unread
}

// List returns a writer for a list that has to stay usable as an input: unchanged into a file or a
// pipe, cleaned on a terminal. Close ends the list and leaves w open.
func List(w io.Writer) io.WriteCloser {
	return &list{out: w, terminal: IsTerminal(w)}
}

// list holds back an incomplete line, because a character may be split between two writes.
type list struct {
	out      io.Writer
	terminal bool
	rest     []byte
}

func (l *list) Write(p []byte) (int, error) {
	if !l.terminal {
		return l.out.Write(p)
	}
	l.rest = append(l.rest, p...)
	end := bytes.LastIndexByte(l.rest, '\n') + 1
	if err := WriteText(l.out, string(l.rest[:end])); err != nil {
		return 0, err
	}
	l.rest = append(l.rest[:0], l.rest[end:]...)
	return len(p), nil
}

func (l *list) Close() error {
	err := WriteText(l.out, string(l.rest))
	l.rest = nil
	return err
}

// connection is what Go says of a connection before it says what is wrong.
var connection = regexp.MustCompile(`\b(?:dial|read|write) tcp \S+: (?:\w+: )?`)

// Brief is an error of a connection without its addresses.
func Brief(text string) string { return connection.ReplaceAllString(text, "") }

// OneLine makes the line feeds of a text visible.
func OneLine(text string) string { return strings.ReplaceAll(text, "\n", `\n`) }

// Clean makes every character visible that a terminal would obey: control characters, and those
// that turn the direction of writing. Line feeds stay.
func Clean(s string) string {
	if !strings.ContainsFunc(s, unsafe) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !unsafe(r):
			b.WriteString(s[i : i+size])
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	return b.String()
}

func unsafe(r rune) bool {
	return r != '\n' && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' ||
		r == '\u2029' || r == utf8.RuneError)
}
