package simulator

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is the deepest nesting of a request; the APIs' own requests go to 4.
const maxDepth = 32

// scanner reads one JSON document strictly: RFC 8259, UTF-8, exact names, no name twice in one
// object. encoding/json would accept names in any case, keep the last of two and turn invalid UTF-8
// into U+FFFD, and so hide a client's mistakes. It is also three times slower.
//
// A document that is not JSON (bad) is worse than one with a wrong type or value. So the first
// wrong value is only recorded, and reading continues.
type scanner struct {
	api   *command
	s     string
	i     int
	depth int
	bad   bool
	wrong refusal
	nulls int // see null
}

func (p *scanner) refuse(r refusal) {
	if p.wrong.code == 0 {
		p.wrong = r
	}
}

func (p *scanner) document(known []string, member func(name string)) {
	if !utf8.ValidString(p.s) {
		p.bad = true
		return
	}
	if p.next() == '{' {
		p.object(known, member)
	} else {
		p.skip()
		p.refuse(refusal{60003, "request body is not a JSON object"})
	}
	if p.next(); p.i < len(p.s) {
		p.bad = true
	}
}

// next skips white space and returns the first byte of the next value, 0 at the end. After an error
// in the document it always returns 0.
func (p *scanner) next() byte {
	for ; p.i < len(p.s) && !p.bad; p.i++ {
		if c := p.s[p.i]; c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
	}
	return 0
}

func (p *scanner) take(c byte) bool {
	if p.next() != c {
		p.bad = true
		return false
	}
	p.i++
	return true
}

// object reads an object: member reads the value of each known name. The vendor does not say what
// happens to other names. Refusing them reveals a client's mistake.
func (p *scanner) object(known []string, member func(name string)) {
	var few [12]string
	names := few[:0]
	p.list('{', '}', func() {
		if p.next() != '"' {
			p.bad = true
			return
		}
		name := p.quoted()
		if slices.Contains(names, name) {
			p.bad = true
		}
		if len(names) < 64 { // no API's object has that many
			names = append(names, name)
		}
		switch {
		case !p.take(':'):
		case slices.Contains(known, name):
			member(name)
		default:
			p.illegal("Param")
		}
	})
}

// array reads an array: element reads each of its values. Any other value is an illegal field.
func (p *scanner) array(field string, element func()) {
	if p.next() != '[' {
		p.illegal(field)
		return
	}
	p.list('[', ']', element)
}

// objects reads an array of objects, each of them with read.
func (p *scanner) objects(field string, read func()) {
	p.array(field, func() {
		if p.next() != '{' {
			p.illegal(field)
			return
		}
		read()
	})
}

func (p *scanner) list(open, shut byte, element func()) {
	if p.depth++; p.depth > maxDepth || !p.take(open) {
		p.bad = true
		return
	}
	defer func() { p.depth-- }()
	for first := true; p.next() != shut; first = false {
		if !first && !p.take(',') || p.bad {
			return
		}
		element()
	}
	p.i++
}

// quoted reads a string at its opening quote. Without an escape the result is a part of the
// document, not a copy.
func (p *scanner) quoted() string {
	from, escaped := p.i, false
	for p.i++; p.i < len(p.s); p.i++ {
		switch c := p.s[p.i]; {
		case c == '"' && escaped:
			p.i++
			return p.unescape(p.s[from:p.i])
		case c == '"':
			p.i++
			return p.s[from+1 : p.i-1]
		case c == '\\':
			escaped = true
			p.i++
		case c < 0x20:
			p.bad = true
			return ""
		}
	}
	p.bad = true
	return ""
}

// unescape decodes a string with escapes. Half a surrogate pair is no character, but encoding/json
// turns it into U+FFFD. So a document that has U+FFFD only that way is bad.
func (p *scanner) unescape(text string) (t string) {
	err := json.Unmarshal([]byte(text), &t)
	const replacement = "\ufffd"
	said := strings.Count(text, replacement) + strings.Count(strings.ToLower(text), `\ufffd`)
	if err != nil || strings.Count(t, replacement) > said {
		p.bad = true
	}
	return t
}

func (p *scanner) number() string {
	rest := p.s[p.i:]
	n := len(rest) - len(strings.TrimLeft(rest, "+-.0123456789Ee"))
	p.i += n
	if !json.Valid([]byte(rest[:n])) {
		p.bad = true
	}
	return rest[:n]
}

func (p *scanner) skip() {
	switch c := p.next(); {
	case c == '{':
		p.object(nil, nil)
	case c == '[':
		p.list('[', ']', p.skip)
	case c == '"':
		p.quoted()
	case c == '-' || c >= '0' && c <= '9':
		p.number()
	default:
		for _, word := range [...]string{"true", "false", "null"} {
			if strings.HasPrefix(p.s[p.i:], word) {
				p.i += len(word)
				return
			}
		}
		p.bad = true
	}
}

// illegal skips the value of a field that must not have it.
func (p *scanner) illegal(field string) {
	p.skip()
	p.refuse(p.api.illegal(field))
}

// null reads null in place of an optional array. The service accepts it, and it is counted.
func (p *scanner) null() bool {
	if p.next() != 'n' {
		return false
	}
	if p.skip(); !p.bad {
		p.nulls++
	}
	return true
}

func (p *scanner) account(name string) string {
	if p.next() == '"' {
		return p.quoted()
	}
	p.skip()
	p.refuse(refusal{60015, name + " is not a string"})
	return ""
}

func (p *scanner) text(field string) string {
	if p.next() == '"' {
		return p.quoted()
	}
	p.illegal(field)
	return ""
}

func (p *scanner) integer(field string) int64 {
	if c := p.next(); c < '0' || c > '9' {
		p.illegal(field)
		return 0
	}
	v, err := strconv.ParseInt(p.number(), 10, 64)
	if err != nil {
		p.refuse(p.api.illegal(field))
	}
	return v
}

func appendQuoted(b []byte, t string) []byte {
	for i := range len(t) {
		if c := t[i]; c < 0x20 || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(t) // a string always has a JSON form
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, t...)
	return append(b, '"')
}
