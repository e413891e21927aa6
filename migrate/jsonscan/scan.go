package sink

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON strictly. encoding/json is too kind for answers that decide about friendships: it takes errorcode for ErrorCode, null for 0, the last of two
// members of one name, and replaces text that is not UTF-8. What scanner takes, encoding/json takes too (the fuzz test holds it to that), but not the reverse.
type scanner struct {
	data  []byte
	pos   int
	depth int
}

// maxDepth is far deeper than any answer of the API.
const maxDepth = 64

var (
	errCut      = errors.New("the JSON ends too early")
	errTrailing = errors.New("something follows the JSON")
	errDeep     = errors.New("the JSON is nested too deep")
	errRepeated = errors.New("a member is there twice")
)

func (s *scanner) wrong() error {
	if s.pos >= len(s.data) {
		return errCut
	}
	return fmt.Errorf("not JSON at byte %d", s.pos)
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) expect(c byte) error {
	if s.peek() != c || s.pos >= len(s.data) {
		return s.wrong()
	}
	s.pos++
	return nil
}

// end makes sure that nothing follows.
func (s *scanner) end() error {
	if s.peek(); s.pos < len(s.data) {
		return errTrailing
	}
	return nil
}

// object reads an object. member is called with each name and must read the value.
func (s *scanner) object(member func(name []byte) error) error {
	return s.list('{', '}', func() error {
		name, err := s.text()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		return member(name)
	})
}

// array reads an array. element must read one value.
func (s *scanner) array(element func() error) error { return s.list('[', ']', element) }

func (s *scanner) list(open, shut byte, element func() error) error {
	if err := s.expect(open); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return errDeep
	}
	defer func() { s.depth-- }()
	if s.peek() == shut {
		s.pos++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if s.peek() == shut {
			s.pos++
			return nil
		}
		if err := s.expect(','); err != nil {
			return err
		}
	}
}

// skip reads any value.
func (s *scanner) skip() error {
	switch c := s.peek(); {
	case c == '{':
		return s.object(func([]byte) error { return s.skip() })
	case c == '[':
		return s.array(s.skip)
	case c == '"':
		_, err := s.text()
		return err
	case c == '-' || c >= '0' && c <= '9':
		_, err := s.number()
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

func (s *scanner) word(w string) error {
	if rest := s.data[s.pos:]; len(rest) < len(w) || string(rest[:len(w)]) != w {
		return s.wrong()
	}
	s.pos += len(w)
	return nil
}

// kind names the kind of the value that comes next, for messages.
func (s *scanner) kind() string {
	switch s.peek() {
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

// stringValue reads any value; ok if it was a string.
func (s *scanner) stringValue() (text []byte, ok bool, err error) {
	if s.peek() != '"' {
		return nil, false, s.skip()
	}
	text, err = s.text()
	return text, err == nil, err
}

// integerValue reads any value; ok if it was an integer that fits.
func (s *scanner) integerValue() (v int64, ok bool, err error) {
	if c := s.peek(); c != '-' && (c < '0' || c > '9') {
		return 0, false, s.skip()
	}
	digits, err := s.number()
	if err != nil {
		return 0, false, err
	}
	v, bad := strconv.ParseInt(string(digits), 10, 64)
	return v, bad == nil, nil
}

// number reads a number.
func (s *scanner) number() ([]byte, error) {
	start := s.pos
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
	return s.data[start:s.pos], nil
}

func (s *scanner) take(c byte) bool {
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

// text reads a string. What it returns stays valid: it is part of the data, or new where there were escapes.
func (s *scanner) text() ([]byte, error) {
	if err := s.expect('"'); err != nil {
		return nil, err
	}
	start, ascii := s.pos, true
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			text := s.data[start:s.pos]
			if !ascii && !utf8.Valid(text) {
				return nil, errNotUTF8
			}
			s.pos++
			return text, nil
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			return nil, s.wrong()
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, errCut
}

// escaped goes on with a string that has escapes, from the first of them.
func (s *scanner) escaped(start int) ([]byte, error) {
	text := append([]byte(nil), s.data[start:s.pos]...)
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		switch {
		case c < ' ':
			return nil, s.wrong()
		case c == '"':
			s.pos++
			if !utf8.Valid(text) {
				return nil, errNotUTF8
			}
			return text, nil
		case c != '\\':
			text = append(text, c)
			s.pos++
			continue
		}
		s.pos++
		var err error
		if text, err = s.escape(text); err != nil {
			return nil, err
		}
	}
	return nil, errCut
}

// escape reads what follows a backslash.
func (s *scanner) escape(text []byte) ([]byte, error) {
	if s.pos >= len(s.data) {
		return nil, errCut
	}
	c := s.data[s.pos]
	s.pos++
	switch c {
	case '"', '\\', '/':
		return append(text, c), nil
	case 'b':
		return append(text, '\b'), nil
	case 'f':
		return append(text, '\f'), nil
	case 'n':
		return append(text, '\n'), nil
	case 'r':
		return append(text, '\r'), nil
	case 't':
		return append(text, '\t'), nil
	case 'u':
		r, err := s.unicode()
		return utf8.AppendRune(text, r), err
	}
	s.pos--
	return nil, s.wrong()
}

// unicode reads the digits of \u, with the second half of a pair.
func (s *scanner) unicode() (rune, error) {
	r, err := s.hex4()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if !s.take('\\') || !s.take('u') {
		return 0, errNotUTF8
	}
	low, err := s.hex4()
	if err != nil {
		return 0, err
	}
	if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
		return 0, errNotUTF8
	}
	return r, nil
}

func (s *scanner) hex4() (rune, error) {
	if len(s.data)-s.pos < 4 {
		return 0, errCut
	}
	v, err := strconv.ParseUint(string(s.data[s.pos:s.pos+4]), 16, 32)
	if err != nil {
		return 0, s.wrong()
	}
	s.pos += 4
	return rune(v), nil
}
