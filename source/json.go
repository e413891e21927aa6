package source

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonReader reads one JSON text, value by value. What it returns is a part of the text, or new
// where there were escapes.
type jsonReader struct {
	jsontext.Decoder
	text bytes.Buffer // which the decoder reads in place
}

// jsonOptions let a name be there twice, because unknown keys are ignored and the parser names
// others.
var jsonOptions = []jsontext.Options{jsontext.AllowDuplicateNames(true)}

var errNotThis = errors.New("another kind of JSON value")

func (r *jsonReader) begin(text []byte) {
	r.text = *bytes.NewBuffer(text)
	r.Reset(&r.text, jsonOptions...)
}

// end makes sure that nothing follows.
func (r *jsonReader) end() error {
	if _, err := r.ReadToken(); err != io.EOF {
		return cmp.Or(err, errNotThis)
	}
	return nil
}

// object calls member with each name of an object. member must read the value.
func (r *jsonReader) object(member func(name []byte) error) error {
	return r.list('{', '}', func() error {
		name, err := r.str()
		if err != nil {
			return err
		}
		return member(name)
	})
}

// array calls element, which must read a value, for each element of an array.
func (r *jsonReader) array(element func() error) error { return r.list('[', ']', element) }

func (r *jsonReader) list(open, shut jsontext.Kind, element func() error) error {
	token, err := r.ReadToken()
	if err == nil && token.Kind() != open {
		return errNotThis
	}
	for err == nil && r.PeekKind() != shut {
		err = element()
	}
	if err == nil {
		_, err = r.ReadToken()
	}
	return err
}

func (r *jsonReader) str() ([]byte, error) {
	text, err := r.ReadValue()
	switch {
	case err != nil:
		return nil, err
	case text.Kind() != '"':
		return nil, errNotThis
	case bytes.IndexByte(text, '\\') >= 0:
		return jsontext.AppendUnquote([]byte(nil), text)
	}
	return text[1 : len(text)-1], nil
}

// halfPair reports whether err, from reading text, is about half a surrogate pair.
func halfPair(text []byte, err error) bool {
	wrong, ok := errors.AsType[*jsontext.SyntacticError](err)
	return ok && surrogate(text[min(int(wrong.ByteOffset), len(text)):])
}

var surrogate = regexp.MustCompile(`^\\u[dD][89a-fA-F][0-9a-fA-F]{2}`).Match

// jsonLength returns the length of the JSON value that text begins with, 0 if it begins with none.
func jsonLength(text []byte) int64 {
	var r jsonReader
	if r.begin(text); r.SkipValue() != nil {
		return 0
	}
	return r.InputOffset()
}
