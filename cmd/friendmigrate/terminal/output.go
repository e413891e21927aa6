package terminal

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// WriteJSON writes a value as indented JSON in which nothing stands raw that a terminal would obey:
// such characters are escapes there, which mean the same to every reader of JSON.
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

// WriteJSONLine is WriteJSON on one line.
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

// List is where a list goes that is to stay an input: as it is into a file or a pipe, cleaned onto
// a terminal. Close ends it and leaves w open.
func List(w io.Writer) io.WriteCloser {
	return &list{out: w, terminal: IsTerminal(w)}
}

// list holds back what is not yet a whole line: a character may be divided between two writes.
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
