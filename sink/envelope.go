package sink

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// envelope holds the members that every answer has. An API's answer embeds it.
type envelope struct {
	ActionStatus string
	ErrorCode    *int64 // nil: absent or null
	ErrorInfo    string

	changed bool // it had bytes that are not UTF-8, in place of which it has notUTF8
}

func (e *envelope) head() *envelope { return e }

func (e *envelope) ok() bool {
	return e.ErrorCode != nil && *e.ErrorCode == 0 && e.ActionStatus == "OK"
}

// code returns ErrorCode, 0 if there is none.
func (e *envelope) code() int {
	if e.ErrorCode == nil {
		return 0
	}
	return int(*e.ErrorCode)
}

// check returns an error if the answer is not the API's. An answer without ActionStatus or
// ErrorCode is not used, whatever else it has.
func (e *envelope) check() error {
	switch {
	case e.ActionStatus == "":
		return errors.New("the answer has no ActionStatus")
	case e.ErrorCode == nil:
		return errors.New("the answer has no ErrorCode")
	case e.ActionStatus != "OK" && e.ActionStatus != "FAIL":
		return fmt.Errorf("the answer's ActionStatus is %q", shorten(e.ActionStatus, 20))
	case e.ActionStatus == "FAIL" && *e.ErrorCode == 0:
		return errors.New("the answer is FAIL with ErrorCode 0")
	}
	return nil
}

// each reads an array and hands its elements to item, one by one, because all of them together may
// take many times the memory of the answer. err says why an element is no T.
type each[T any] struct {
	item func(value *T, err error) // nil: the array is skipped
	kind jsontext.Kind             // of what stands in place of the array; 0: nothing
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (l *each[T]) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	if l.kind = from.PeekKind(); l.kind != '[' || l.item == nil {
		return from.SkipValue()
	}
	_, err := from.ReadToken()
	for value := new(T); err == nil && from.PeekKind() != ']'; {
		var text jsontext.Value
		if text, err = from.ReadValue(); err == nil {
			*value = *new(T)
			l.item(value, readable(json.Unmarshal(text, value)))
		}
	}
	if err == nil {
		_, err = from.ReadToken()
	}
	return err
}

// answers holds buffers for the bodies of answers. Buffers larger than mostKept are left to the
// garbage collector.
var answers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const mostKept = 512 << 10

// readAnswer reads an answer into what embeds its envelope. What cannot be read may be filled in
// part.
func readAnswer(body io.Reader, into interface{ head() *envelope }) error {
	buf := answers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= mostKept {
			buf.Reset()
			answers.Put(buf)
		}
	}()
	if _, err := buf.ReadFrom(body); err != nil {
		return err
	}
	data := buf.Bytes()
	if err := notJSON(data); err != nil {
		return err
	}
	e := into.head()
	if e.changed = !utf8.Valid(data); e.changed {
		data = bytes.ToValidUTF8(data, []byte(notUTF8))
	}
	return cmp.Or(readable(json.Unmarshal(data, into)), e.check())
}

// notUTF8 stands for bytes of an answer that are not UTF-8. An account with this control character
// is none of a call's.
const notUTF8 = "\x7f"

// notJSON returns an error that names the kind of an answer that is obviously not JSON.
func notJSON(data []byte) error {
	switch data = bytes.TrimLeft(data, " \t\r\n"); {
	case len(data) == 0:
		return errors.New("the answer is empty")
	case data[0] == '<':
		return errors.New("the answer is HTML or XML, not JSON")
	case bytes.HasPrefix(data, []byte("\x1f\x8b")):
		return errors.New("the answer is compressed, which nobody asked for")
	case data[0] != '{':
		return errors.New("the answer is no JSON object")
	}
	return nil
}

// readable words an error of the JSON in the API's terms, without Go's.
func readable(err error) error {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("not JSON at byte %d: %w", syntax.ByteOffset, syntax.Err)
	}
	wrong, ok := errors.AsType[*json.SemanticError](err)
	if !ok || wrong.JSONKind == 0 {
		return err
	}
	is := map[jsontext.Kind]string{'"': "a string", '0': "a number", '{': "an object", '[': "an array"}[wrong.JSONKind]
	if wrong.JSONKind == '0' && len(wrong.JSONValue) > 0 {
		is = shorten(string(wrong.JSONValue), 40)
	}
	return fmt.Errorf("%s cannot be %s", cmp.Or(strings.TrimPrefix(string(wrong.JSONPointer), "/"), "an element"),
		cmp.Or(is, "true or false"))
}
