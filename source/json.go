package source

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonText walks over one JSON value. encoding/json would match keys whatever their case, let the last of two equal keys win, read integers through a float
// and replace what is no UTF-8, and every one of these changes somebody's friend silently.
type jsonText struct {
	s    string
	at   int
	half bool // half a surrogate pair was found: the text is no characters
}

// maxDepth of nested values in keys that are not ours.
const maxDepth = 200

func (t *jsonText) space() {
	for t.at < len(t.s) {
		switch t.s[t.at] {
		case ' ', '\t', '\r', '\n':
			t.at++
		default:
			return
		}
	}
}

// peek is the first byte of the next token, 0 at the end.
func (t *jsonText) peek() byte {
	t.space()
	if t.at < len(t.s) {
		return t.s[t.at]
	}
	return 0
}

// ended reports whether nothing but white space is left.
func (t *jsonText) ended() bool {
	t.space()
	return t.at == len(t.s)
}

// take reads the punctuation c.
func (t *jsonText) take(c byte) bool {
	if t.peek() != c {
		return false
	}
	t.at++
	return true
}

// object calls member for each member, which reads the value. It reports whether all of it is well formed.
func (t *jsonText) object(member func(key string) bool) bool {
	if !t.take('{') {
		return false
	}
	if t.take('}') {
		return true
	}
	for {
		key, ok := t.str()
		if !ok || !t.take(':') || !member(key) {
			return false
		}
		if t.take('}') {
			return true
		}
		if !t.take(',') {
			return false
		}
	}
}

// array calls element for each element, which reads it.
func (t *jsonText) array(element func() bool) bool {
	if !t.take('[') {
		return false
	}
	if t.take(']') {
		return true
	}
	for {
		if !element() {
			return false
		}
		if t.take(']') {
			return true
		}
		if !t.take(',') {
			return false
		}
	}
}

// str reads a string. It is a part of the text itself where nothing in it is escaped.
func (t *jsonText) str() (string, bool) {
	if t.peek() != '"' {
		return "", false
	}
	t.at++
	for i := t.at; i < len(t.s); i++ {
		switch c := t.s[i]; {
		case c == '"':
			s := t.s[t.at:i]
			t.at = i + 1
			return s, true
		case c == '\\':
			return t.escaped(i)
		case c < ' ':
			return "", false
		}
	}
	return "", false
}

// escaped is str from the first backslash on, which is at i.
func (t *jsonText) escaped(i int) (string, bool) {
	var b strings.Builder
	b.WriteString(t.s[t.at:i])
	t.at = i
	for t.at < len(t.s) {
		c := t.s[t.at]
		t.at++
		switch {
		case c == '"':
			return b.String(), true
		case c < ' ':
			return "", false
		case c != '\\':
			b.WriteByte(c)
		default:
			r, ok := t.escape()
			if !ok {
				return "", false
			}
			b.WriteRune(r)
		}
	}
	return "", false
}

// escape reads what comes after a backslash. Half a surrogate pair is no character: encoding/json makes U+FFFD of it.
func (t *jsonText) escape() (rune, bool) {
	if t.at >= len(t.s) {
		return 0, false
	}
	c := t.s[t.at]
	t.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		r, ok := t.hex()
		if !ok || !utf16.IsSurrogate(r) {
			return r, ok
		}
		var low rune
		if rest, ok := strings.CutPrefix(t.s[t.at:], `\u`); ok {
			t.at = len(t.s) - len(rest)
			low, _ = t.hex()
		}
		r = utf16.DecodeRune(r, low)
		t.half = r == utf8.RuneError
		return r, !t.half
	}
	return 0, false
}

func (t *jsonText) hex() (r rune, ok bool) {
	if len(t.s)-t.at < 4 {
		return 0, false
	}
	for range 4 {
		c := t.s[t.at]
		t.at++
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// number reads a number as it is written.
func (t *jsonText) number() (string, bool) {
	t.space()
	from := t.at
	if t.at < len(t.s) && t.s[t.at] == '-' {
		t.at++
	}
	whole := t.digits()
	if whole == 0 || whole > 1 && t.s[t.at-whole] == '0' {
		return "", false
	}
	if t.at < len(t.s) && t.s[t.at] == '.' {
		t.at++
		if t.digits() == 0 {
			return "", false
		}
	}
	if t.at < len(t.s) && (t.s[t.at] == 'e' || t.s[t.at] == 'E') {
		t.at++
		if t.at < len(t.s) && (t.s[t.at] == '+' || t.s[t.at] == '-') {
			t.at++
		}
		if t.digits() == 0 {
			return "", false
		}
	}
	return t.s[from:t.at], true
}

func (t *jsonText) digits() int {
	from := t.at
	for t.at < len(t.s) && t.s[t.at] >= '0' && t.s[t.at] <= '9' {
		t.at++
	}
	return t.at - from
}

// word reads true, false or null.
func (t *jsonText) word(w string) bool {
	t.space()
	if !strings.HasPrefix(t.s[t.at:], w) {
		return false
	}
	t.at += len(w)
	return true
}

// skip reads any value, at most depth levels deep.
func (t *jsonText) skip(depth int) bool {
	if depth == 0 {
		return false
	}
	switch t.peek() {
	case '{':
		return t.object(func(string) bool { return t.skip(depth - 1) })
	case '[':
		return t.array(func() bool { return t.skip(depth - 1) })
	case '"':
		_, ok := t.str()
		return ok
	case 't':
		return t.word("true")
	case 'f':
		return t.word("false")
	case 'n':
		return t.word("null")
	}
	_, ok := t.number()
	return ok
}
