package simulator

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep a request may nest; the API's own requests go to 4.
const maxDepth = 32

// scanner reads one JSON document strictly: RFC 8259, UTF-8, exact names, no name twice in one
// object. encoding/json would take names in any case, keep the last of two and turn invalid UTF-8
// into U+FFFD, and so hide a client's mistakes.
//
// Not being JSON (bad) is worse than anything else about a document, so a wrong type or value is
// only noted, the first one, and reading goes on.
type scanner struct {
	s     string
	i     int
	depth int
	bad   bool
	wrong refusal
	other []string // names that the API does not have
	nulls int      // see absent
}

// refusal is the answer to a whole call; the zero refusal is none.
type refusal struct {
	code int
	info string
}

func (p *scanner) refuse(code int, info string) {
	if p.wrong.code == 0 {
		p.wrong = refusal{code, info}
	}
}

// document reads the whole text as one object.
func (p *scanner) document(member func(name string)) {
	if !utf8.ValidString(p.s) {
		p.bad = true
		return
	}
	switch p.next() {
	case '{':
		p.object(member)
	default:
		p.skip()
		p.refuse(60003, "request body is not a JSON object")
	}
	if p.next(); p.i < len(p.s) {
		p.bad = true
	}
}

// next skips white space and returns the byte that the next value begins with, 0 at the end.
// Nothing is read any more once the document is bad.
func (p *scanner) next() byte {
	if p.bad {
		return 0
	}
	for ; p.i < len(p.s); p.i++ {
		switch c := p.s[p.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// take consumes c, which must come next.
func (p *scanner) take(c byte) bool {
	if p.next() != c {
		p.bad = true
		return false
	}
	p.i++
	return true
}

func (p *scanner) object(member func(name string)) {
	var few [12]string
	names := few[:0]
	p.list('{', '}', func() {
		if p.next() != '"' {
			p.bad = true
			return
		}
		name := p.text()
		for _, n := range names {
			if n == name {
				p.bad = true
			}
		}
		if len(names) < 64 { // an API's object has fewer
			names = append(names, name)
		}
		if p.take(':') {
			member(name)
		}
	})
}

func (p *scanner) array(element func()) { p.list('[', ']', element) }

func (p *scanner) list(open, shut byte, element func()) {
	if p.depth++; p.depth > maxDepth || !p.take(open) {
		p.bad = true
		return
	}
	defer func() { p.depth-- }()
	if p.next() == shut {
		p.i++
		return
	}
	for !p.bad {
		element()
		if p.next() == shut {
			p.i++
			return
		}
		p.take(',')
	}
}

// text reads a string. Without an escape it is a part of the document, not a copy.
func (p *scanner) text() string {
	p.i++ // the caller saw the quote
	for k := p.i; k < len(p.s); k++ {
		switch c := p.s[k]; {
		case c == '"':
			t := p.s[p.i:k]
			p.i = k + 1
			return t
		case c == '\\':
			return p.escaped()
		case c < 0x20:
			p.bad = true
			return ""
		}
	}
	p.bad = true
	return ""
}

func (p *scanner) escaped() string {
	var b strings.Builder
	for p.i < len(p.s) && !p.bad {
		c := p.s[p.i]
		p.i++
		switch {
		case c == '"':
			return b.String()
		case c < 0x20:
			p.bad = true
		case c != '\\':
			b.WriteByte(c)
		case p.i < len(p.s):
			e := p.s[p.i]
			p.i++
			if k := strings.IndexByte(`"\/bfnrt`, e); k >= 0 {
				b.WriteByte("\"\\/\b\f\n\r\t"[k])
			} else if e == 'u' {
				b.WriteRune(p.unicode())
			} else {
				p.bad = true
			}
		}
	}
	p.bad = true
	return ""
}

// unicode reads what follows \u; half a surrogate pair is no character and makes the document bad.
func (p *scanner) unicode() rune {
	r := p.hex()
	switch {
	case r >= 0xd800 && r < 0xdc00 && strings.HasPrefix(p.s[p.i:], `\u`):
		p.i += 2
		low := p.hex()
		if low < 0xdc00 || low > 0xdfff {
			p.bad = true
		}
		return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000
	case r >= 0xd800 && r <= 0xdfff:
		p.bad = true
	}
	return r
}

func (p *scanner) hex() rune {
	if p.i+4 > len(p.s) {
		p.bad = true
		return 0
	}
	digits := p.s[p.i : p.i+4]
	v, err := strconv.ParseUint(digits, 16, 16)
	if err != nil {
		p.bad = true
	}
	p.i += 4
	return rune(v)
}

// number reads a number's literal.
func (p *scanner) number() string {
	from := p.i
	if p.peek() == '-' {
		p.i++
	}
	if p.peek() == '0' {
		p.i++
	} else {
		p.digits()
	}
	if p.peek() == '.' {
		p.i++
		p.digits()
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.i++
		if c := p.peek(); c == '+' || c == '-' {
			p.i++
		}
		p.digits()
	}
	return p.s[from:p.i]
}

func (p *scanner) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *scanner) digits() {
	from := p.i
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.i++
	}
	if p.i == from {
		p.bad = true
	}
}

// skip reads any value and forgets it.
func (p *scanner) skip() {
	switch c := p.next(); {
	case c == '{':
		p.object(func(string) { p.skip() })
	case c == '[':
		p.array(p.skip)
	case c == '"':
		p.text()
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

// unknown skips the value of a name that the API does not have, and notes the name.
func (p *scanner) unknown(name string) {
	p.other = append(p.other, strings.Clone(name))
	p.skip()
}

// stringOr reads a string; any other value is the refusal.
func (p *scanner) stringOr(code int, info string) string {
	if p.next() == '"' {
		return p.text()
	}
	p.skip()
	p.refuse(code, info)
	return ""
}

// integerOr reads an integer that is not negative; any other value is the refusal.
func (p *scanner) integerOr(code int, info string) int64 {
	if c := p.next(); c >= '0' && c <= '9' {
		if v, err := strconv.ParseInt(p.number(), 10, 64); err == nil {
			return v
		}
	} else {
		p.skip()
	}
	p.refuse(code, info)
	return 0
}

// appendQuoted appends t as a JSON string.
func appendQuoted(b []byte, t string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(t); i++ {
		c := t[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, t[from:i]...)
		from = i + 1
		if c < 0x20 {
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		} else {
			b = append(b, '\\', c)
		}
	}
	b = append(b, t[from:]...)
	return append(b, '"')
}
