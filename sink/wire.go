package sink

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"friendmigrate/migrate"
)

// The JSON of the requests is written by hand. encoding/json would silently turn invalid UTF-8 into
// another account id, and its escaping of <, > and & makes the length of a call hard to predict.
// Names and order are those of the vendor's pages.

// EmptyCallBytes is the largest size of a friend_import call's JSON without its edges: the names,
// and a From_Account of 32 bytes that are all escaped.
const EmptyCallBytes = len(requestHead) + len(importList) + len(importTail) + 2 + 32*len(`\u0000`)

const (
	requestHead = `{"From_Account":`
	importList  = `,"AddFriendItem":[`
	importTail  = `]}`
)

// EmptyCallBytesOf returns the size of the JSON of a friend_import call for from without its edges,
// less the comma after the last edge. A call with edges has exactly EmptyCallBytesOf(from) bytes
// plus the EdgeBytes of each edge.
func EmptyCallBytesOf(from string) int {
	return len(requestHead) + textBytes(from) + len(importList) + len(importTail) - len(",")
}

var errNotUTF8 = errors.New("not valid UTF-8")

// EdgeBytes returns the exact size of e in the JSON of a friend_import call, with the comma after
// it. It does not allocate.
func EdgeBytes(e *migrate.Edge) int {
	w := writer{count: true}
	w.edge(e)
	return w.n + len(",")
}

func importBody(from string, edges []migrate.Edge) *writer {
	size := EmptyCallBytes
	for i := range edges {
		size += EdgeBytes(&edges[i])
	}
	w := &writer{b: make([]byte, 0, size)}
	w.from(from)
	w.raw(importList)
	for i := range edges {
		if i > 0 {
			w.raw(",")
		}
		w.edge(&edges[i])
	}
	w.raw(importTail)
	return w
}

// writer appends JSON, or only counts its bytes. It remembers the first error.
type writer struct {
	b     []byte
	count bool
	n     int // counted bytes
	err   error
}

func (w *writer) raw(s string) {
	if w.count {
		w.n += len(s)
	} else {
		w.b = append(w.b, s...)
	}
}

func (w *writer) text(s string) {
	if w.count {
		w.n += textBytes(s)
		return
	}
	b, err := appendText(w.b, s)
	w.b, w.err = b, cmp.Or(w.err, err)
}

func (w *writer) integer(v int64) {
	var digits [20]byte
	w.raw(string(strconv.AppendInt(digits[:0], v, 10)))
}

func (w *writer) member(name string) {
	w.raw(`,"`)
	w.raw(name)
	w.raw(`":`)
}

// optional writes a member unless its value is empty.
func (w *writer) optional(name, value string) {
	if value != "" {
		w.member(name)
		w.text(value)
	}
}

func (w *writer) optionalTime(name string, value int64) {
	if value != 0 {
		w.member(name)
		w.integer(value)
	}
}

func (w *writer) edge(e *migrate.Edge) {
	w.raw(`{"To_Account":`)
	w.text(e.To)
	w.optional("Remark", e.Remark)
	w.optionalTime("RemarkTime", e.RemarkTime)
	if len(e.Groups) > 0 {
		w.member("GroupName")
		w.texts(e.Groups)
	}
	w.member("AddSource")
	w.text(e.AddSource)
	w.optional("AddWording", e.AddWording)
	w.optionalTime("AddTime", e.AddTime)
	if len(e.Custom) > 0 {
		w.member("CustomItem")
		for i := range e.Custom {
			w.between(i)
			w.tagged(&e.Custom[i])
		}
		w.raw("]")
	}
	w.raw("}")
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

func isInteger(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	return digits == "0" || digits != "" && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
}

// from begins the body of a call for an account.
func (w *writer) from(account string) {
	w.raw(requestHead)
	w.text(account)
}

// The kinds of friend_check and friend_delete that are about one direction only.
const (
	checkSingle  = `,"CheckType":"CheckResult_Type_Single"}`
	deleteSingle = `,"DeleteType":"Delete_Type_Single"}`
)

// friendsBody returns the body of a call about friends by their names. It ends with kind.
func friendsBody(from string, to []string, kind string) *writer {
	w := &writer{}
	w.from(from)
	w.member("To_Account")
	w.texts(to)
	w.raw(kind)
	return w
}

// getBody returns the body of a friend_get call. With sequences of 0 the service leaves nothing
// out.
func getBody(from string, start int64) *writer {
	w := &writer{}
	w.from(from)
	w.member("StartIndex")
	w.integer(start)
	w.raw(`,"StandardSequence":0,"CustomSequence":0}`)
	return w
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

// textBytes returns the length of what appendText appends.
func textBytes(s string) int {
	n := len(s) + 2
	for i := range len(s) {
		n += int(escapeBytes[s[i]])
	}
	return n
}

// escapeBytes is the number of bytes that escaping adds to a byte.
var escapeBytes = func() (table [256]uint8) {
	for c := range ' ' {
		table[c] = 5
	}
	for _, c := range "\"\\\n\r\t" {
		table[c] = 1
	}
	return table
}()
