// Package jsonscan reads JSON strictly and without allocating: the answers of the service and the
// lines of an input both decide about friendships. encoding/json is too lenient for that: it takes
// errorcode for ErrorCode, null for 0 and the last of two members of one name, reads integers
// through a float, and replaces text that is not UTF-8. What a Scanner takes, encoding/json takes
// too, but not the reverse.
//
// encoding/json/v2 is as strict and would be 400 lines less. But into structs an answer of 64 MiB
// may take fifty times its size, token by token it is no shorter than this, and a member of an odd
// type that nobody needs would cost the good results beside it.
//
// It never builds a tree: the caller reads each value where it stands.
package jsonscan

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Scanner walks over one JSON text. Each method but Skip and those for any value expects one kind
// of value and reads it whole. The first error is final.
type Scanner struct {
	Data     []byte
	Pos      int  // of the next byte
	AnyBytes bool // a text need not be UTF-8, and is not changed if it is not
	depth    int
}

// maxDepth is far deeper than anything of the API.
const maxDepth = 200

// What can be wrong with JSON, beside a byte that does not belong where it is.
var (
	ErrCut       = errors.New("the JSON ends too early")
	ErrTrailing  = errors.New("something follows the JSON")
	ErrDeep      = errors.New("the JSON is nested too deep")
	ErrNotUTF8   = errors.New("a text is not valid UTF-8")
	ErrSurrogate = errors.New("half a surrogate pair is not a character")
)

func (s *Scanner) wrong() error {
	if s.Pos >= len(s.Data) {
		return ErrCut
	}
	return fmt.Errorf("not JSON at byte %d", s.Pos)
}

// Peek skips white space and returns the next byte, 0 at the end.
func (s *Scanner) Peek() byte {
	for s.Pos < len(s.Data) {
		switch c := s.Data[s.Pos]; c {
		case ' ', '\t', '\n', '\r':
			s.Pos++
		default:
			return c
		}
	}
	return 0
}

func (s *Scanner) expect(c byte) error {
	if s.Peek() != c || s.Pos >= len(s.Data) {
		return s.wrong()
	}
	s.Pos++
	return nil
}

// End makes sure that nothing follows.
func (s *Scanner) End() error {
	if s.Peek(); s.Pos < len(s.Data) {
		return ErrTrailing
	}
	return nil
}

// Object reads an object. member is called with each name and must read the value.
func (s *Scanner) Object(member func(name []byte) error) error {
	return s.list('{', '}', func() error {
		name, err := s.Text()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		return member(name)
	})
}

// Array reads an array. element must read one value.
func (s *Scanner) Array(element func() error) error { return s.list('[', ']', element) }

func (s *Scanner) list(open, shut byte, element func() error) error {
	if err := s.expect(open); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return ErrDeep
	}
	defer func() { s.depth-- }()
	if s.Peek() == shut {
		s.Pos++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if s.Peek() == shut {
			s.Pos++
			return nil
		}
		if err := s.expect(','); err != nil {
			return err
		}
	}
}

// Skip reads any value.
func (s *Scanner) Skip() error {
	switch c := s.Peek(); {
	case c == '{':
		return s.Object(func([]byte) error { return s.Skip() })
	case c == '[':
		return s.Array(s.Skip)
	case c == '"':
		_, err := s.Text()
		return err
	case c == '-' || c >= '0' && c <= '9':
		_, err := s.Number()
		return err
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return s.wrong()
}

func (s *Scanner) word(w string) error {
	if rest := s.Data[s.Pos:]; len(rest) < len(w) || string(rest[:len(w)]) != w {
		return s.wrong()
	}
	s.Pos += len(w)
	return nil
}

// Kind names the kind of the value that comes next, for messages.
func (s *Scanner) Kind() string {
	switch s.Peek() {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a truth value"
	case 'n':
		return "null"
	}
	return "a number"
}

// StringValue reads any value; ok if it was a string.
func (s *Scanner) StringValue() (text []byte, ok bool, err error) {
	if s.Peek() != '"' {
		return nil, false, s.Skip()
	}
	text, err = s.Text()
	return text, err == nil, err
}

// IntegerValue reads any value; ok if it was an integer that fits.
func (s *Scanner) IntegerValue() (v int64, ok bool, err error) {
	if c := s.Peek(); c != '-' && (c < '0' || c > '9') {
		return 0, false, s.Skip()
	}
	digits, err := s.Number()
	if err != nil {
		return 0, false, err
	}
	v, bad := strconv.ParseInt(string(digits), 10, 64)
	return v, bad == nil, nil
}

// Number reads a number.
func (s *Scanner) Number() ([]byte, error) {
	start := s.Pos
	s.take('-')
	if !s.take('0') && !s.digits() {
		return nil, s.wrong()
	}
	if s.take('.') && !s.digits() {
		return nil, s.wrong()
	}
	if s.take('e') || s.take('E') {
		_ = s.take('+') || s.take('-')
		if !s.digits() {
			return nil, s.wrong()
		}
	}
	return s.Data[start:s.Pos], nil
}

func (s *Scanner) take(c byte) bool {
	if s.Pos < len(s.Data) && s.Data[s.Pos] == c {
		s.Pos++
		return true
	}
	return false
}

func (s *Scanner) digits() bool {
	start := s.Pos
	for s.Pos < len(s.Data) && s.Data[s.Pos] >= '0' && s.Data[s.Pos] <= '9' {
		s.Pos++
	}
	return s.Pos > start
}

// Text reads a string. What it returns stays valid: it is part of the data, or new where there were
// escapes.
func (s *Scanner) Text() ([]byte, error) {
	if err := s.expect('"'); err != nil {
		return nil, err
	}
	text, ascii := s.Data[s.Pos:], true
	for i, c := range text {
		switch {
		case c == '"':
			s.Pos += i + 1
			if text = text[:i]; ascii {
				return text, nil
			}
			return s.valid(text)
		case c == '\\':
			s.Pos += i
			return s.escaped(text[:i])
		case c < ' ':
			s.Pos += i
			return nil, s.wrong()
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, ErrCut
}

func (s *Scanner) valid(text []byte) ([]byte, error) {
	if !s.AnyBytes && !utf8.Valid(text) {
		return nil, ErrNotUTF8
	}
	return text, nil
}

// escaped goes on with a string that has escapes, after what comes before the first of them.
func (s *Scanner) escaped(text []byte) ([]byte, error) {
	text = bytes.Clone(text)
	for s.Pos < len(s.Data) {
		c := s.Data[s.Pos]
		switch {
		case c < ' ':
			return nil, s.wrong()
		case c == '"':
			s.Pos++
			return s.valid(text)
		case c != '\\':
			text = append(text, c)
			s.Pos++
			continue
		}
		s.Pos++
		var err error
		if text, err = s.escape(text); err != nil {
			return nil, err
		}
	}
	return nil, ErrCut
}

// escape reads what follows a backslash.
func (s *Scanner) escape(text []byte) ([]byte, error) {
	if s.Pos >= len(s.Data) {
		return nil, ErrCut
	}
	c := s.Data[s.Pos]
	s.Pos++
	const letters, meant = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if i := strings.IndexByte(letters, c); i >= 0 {
		return append(text, meant[i]), nil
	}
	if c == 'u' {
		r, err := s.unicode()
		return utf8.AppendRune(text, r), err
	}
	s.Pos--
	return nil, s.wrong()
}

// unicode reads the digits of \u, with the second half of a pair.
func (s *Scanner) unicode() (rune, error) {
	r, err := s.hex4()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if !s.take('\\') || !s.take('u') {
		return 0, ErrSurrogate
	}
	low, err := s.hex4()
	if r = utf16.DecodeRune(r, low); err != nil || r == utf8.RuneError {
		return 0, ErrSurrogate
	}
	return r, nil
}

func (s *Scanner) hex4() (rune, error) {
	if len(s.Data)-s.Pos < 4 {
		return 0, ErrCut
	}
	v, err := strconv.ParseUint(string(s.Data[s.Pos:s.Pos+4]), 16, 32)
	if err != nil {
		return 0, s.wrong()
	}
	s.Pos += 4
	return rune(v), nil
}
