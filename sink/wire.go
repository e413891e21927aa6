package sink

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"friendmigrate/migrate"
)

// The JSON of the requests, written by hand: encoding/json would turn invalid UTF-8 into another
// account id without a word, and its escaping of <, > and & makes the length of a call hard to
// foresee. Names and order are those of the vendor's pages.

// EnvelopeBytes is what the JSON of a friend_import call takes beside its edges, at most: the
// names, and a From_Account of 32 bytes that are all escaped.
const EnvelopeBytes = len(importHead) + len(importList) + len(importTail) + 2 + 32*len(`\u0000`)

const (
	importHead = `{"From_Account":`
	importList = `,"AddFriendItem":[`
	importTail = `]}`
)

// EnvelopeOf is what the JSON of a friend_import call for that From_Account takes beside its edges,
// less the comma after the last of them: a call with edges has EnvelopeOf(from) bytes and EdgeBytes
// of each edge, exactly.
func EnvelopeOf(from string) int {
	return len(importHead) + textBytes(from) + len(importList) + len(importTail) - len(",")
}

var errNotUTF8 = errors.New("not valid UTF-8")

// EdgeBytes is what e takes in the JSON of a friend_import call, exactly, with the comma after it.
// It does not allocate.
func EdgeBytes(e *migrate.Edge) int {
	n := len(`{"To_Account":,"AddSource":},`) + textBytes(e.To) + textBytes(e.AddSource)
	if e.Remark != "" {
		n += len(`"Remark":,`) + textBytes(e.Remark)
	}
	if e.RemarkTime != 0 {
		n += len(`"RemarkTime":,`) + integerBytes(e.RemarkTime)
	}
	if len(e.Groups) > 0 {
		n += len(`"GroupName":[],`) - 1
		for _, g := range e.Groups {
			n += textBytes(g) + 1
		}
	}
	if e.AddWording != "" {
		n += len(`"AddWording":,`) + textBytes(e.AddWording)
	}
	if e.AddTime != 0 {
		n += len(`"AddTime":,`) + integerBytes(e.AddTime)
	}
	if len(e.Custom) > 0 {
		n += len(`"CustomItem":[],`) - 1
		for i := range e.Custom {
			n += customBytes(&e.Custom[i])
		}
	}
	return n
}

func customBytes(c *migrate.CustomItem) int {
	n := len(`{"Tag":,"Value":},`) + textBytes(c.Tag)
	if c.Integer {
		return n + len(c.Value)
	}
	return n + textBytes(c.Value)
}

func integerBytes(v int64) int {
	var digits [20]byte
	return len(strconv.AppendInt(digits[:0], v, 10))
}

// importBody is the request of a friend_import call.
func importBody(from string, edges []migrate.Edge) ([]byte, error) {
	size := EnvelopeBytes
	for i := range edges {
		size += EdgeBytes(&edges[i])
	}
	b, err := appendText(append(make([]byte, 0, size), importHead...), from)
	if err != nil {
		return nil, fmt.Errorf("write From_Account: %w", err)
	}
	b = append(b, importList...)
	for i := range edges {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendEdge(b, &edges[i]); err != nil {
			return nil, fmt.Errorf("write friend %d of the call: %w", i+1, err)
		}
	}
	return append(b, importTail...), nil
}

// writer appends and remembers the first error.
type writer struct {
	b   []byte
	err error
}

func (w *writer) raw(s string)       { w.b = append(w.b, s...) }
func (w *writer) integer(v int64)    { w.b = strconv.AppendInt(w.b, v, 10) }
func (w *writer) member(name string) { w.raw(`,"` + name + `":`) }
func (w *writer) text(s string) {
	b, err := appendText(w.b, s)
	w.b = b
	if w.err == nil {
		w.err = err
	}
}

func appendEdge(b []byte, e *migrate.Edge) ([]byte, error) {
	w := writer{b: b}
	w.raw(`{"To_Account":`)
	w.text(e.To)
	if e.Remark != "" {
		w.member("Remark")
		w.text(e.Remark)
	}
	if e.RemarkTime != 0 {
		w.member("RemarkTime")
		w.integer(e.RemarkTime)
	}
	if len(e.Groups) > 0 {
		w.member("GroupName")
		w.texts(e.Groups)
	}
	w.member("AddSource")
	w.text(e.AddSource)
	if e.AddWording != "" {
		w.member("AddWording")
		w.text(e.AddWording)
	}
	if e.AddTime != 0 {
		w.member("AddTime")
		w.integer(e.AddTime)
	}
	if len(e.Custom) > 0 {
		w.member("CustomItem")
		w.custom(e.Custom)
	}
	w.raw("}")
	return w.b, w.err
}

// between begins an array or separates its elements.
func (w *writer) between(i int) {
	if i == 0 {
		w.raw("[")
		return
	}
	w.raw(",")
}

func (w *writer) texts(list []string) {
	for i, s := range list {
		w.between(i)
		w.text(s)
	}
	w.raw("]")
}

func (w *writer) custom(items []migrate.CustomItem) {
	for i := range items {
		w.between(i)
		w.tagged(&items[i])
	}
	w.raw("]")
}

// tagged writes a custom field as a Tag and its Value.
func (w *writer) tagged(item *migrate.CustomItem) {
	w.raw(`{"Tag":`)
	w.text(item.Tag)
	w.raw(`,"Value":`)
	switch {
	case !item.Integer:
		w.text(item.Value)
	case isInteger(item.Value):
		w.raw(item.Value)
	case w.err == nil:
		w.err = fmt.Errorf("custom field %q: %q is not an integer", item.Tag, item.Value)
	}
	w.raw("}")
}

// isInteger reports whether s is an integer as JSON writes it.
func isInteger(s string) bool {
	if s != "" && s[0] == '-' {
		s = s[1:]
	}
	if s == "" || len(s) > 1 && s[0] == '0' {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// checkBody is the request of a friend_check call.
func checkBody(from string, to []string) ([]byte, error) {
	w := writer{}
	w.raw(importHead)
	w.text(from)
	w.member("To_Account")
	w.texts(to)
	w.raw(`,"CheckType":"CheckResult_Type_Single"}`)
	return w.b, w.err
}

// getBody is the request of a friend_get call. With sequences of 0 the service leaves nothing out.
func getBody(from string, start int64) ([]byte, error) {
	w := writer{}
	w.raw(importHead)
	w.text(from)
	w.member("StartIndex")
	w.integer(start)
	w.raw(`,"StandardSequence":0,"CustomSequence":0}`)
	return w.b, w.err
}

const hex = "0123456789abcdef"

// appendText appends s as a JSON string. Only what JSON demands is escaped.
func appendText(b []byte, s string) ([]byte, error) {
	b = append(b, '"')
	plain := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[plain:i]...)
		plain = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	b = append(append(b, s[plain:]...), '"')
	if !utf8.ValidString(s) {
		return b, errNotUTF8
	}
	return b, nil
}

// textBytes is the length of what appendText appends.
func textBytes(s string) int {
	n := len(s) + 2
	for i := range len(s) {
		n += int(escapeBytes[s[i]])
	}
	return n
}

// escapeBytes is what escaping a byte adds to it.
var escapeBytes = func() (table [256]uint8) {
	for c := range ' ' {
		table[c] = 5
	}
	for _, c := range "\"\\\n\r\t" {
		table[c] = 1
	}
	return table
}()
