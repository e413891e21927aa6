package simulator

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strconv"
	"strings"
)

// oddity is what is odd about the JSON of an answer.
type oddity struct {
	noList, noStatus, noCode, noFails bool
	otherFails                        bool   // Fail_Account lists those that did not fail
	list, code, status                string // raw, instead of the right ones
	before                            string // a member before ErrorCode
	victim                            int    // the item that form is about, -1 if none
	form                              string
}

// oddBody is one kind of odd body.
type oddBody struct {
	name, note string
	believed   bool // what it says can be taken at its word, so it is always true
	// it is about one item; without "applied" that item alone was not done
	victim bool
	shape  func(a *answer, o *oddity, at int)  // at: the item that it is about
	bytes  func(b []byte) []byte               // changes the finished JSON
	gzip   func(k *call, plain []byte) []byte  // Content-Encoding: gzip with this body
	stream func(k *call, a *answer, o *oddity) // writes by itself
}

// oddBodies is every kind of odd body. It never changes.
var oddBodies = slices.Concat(bodiesOfBytes(), bodiesOfEnvelope(), bodiesOfItems(), bodiesOfSize())

// BodyKinds lists the odd bodies: names for Faults.Bodies and body:NAME.
func BodyKinds() []string {
	var names []string
	for _, b := range oddBodies {
		names = append(names, b.name)
	}
	return names
}

// bodyKind finds a kind by its name. It panics if there is none: names in text were checked by
// ParseFault, others are the program's own.
func bodyKind(name string) *oddBody {
	for i := range oddBodies {
		if oddBodies[i].name == name {
			return &oddBodies[i]
		}
	}
	panic("simulator: no odd body is called " + strconv.Quote(name))
}

// instead makes a body that has nothing to do with the right one.
func instead(t string) func([]byte) []byte { return func([]byte) []byte { return []byte(t) } }

func bodiesOfBytes() []oddBody {
	return []oddBody{
		{name: "empty", note: "nothing", bytes: instead("")},
		{name: "space", note: "white space", bytes: instead(" \r\n\t ")},
		{name: "html", note: "a page of HTML with status 200",
			bytes: instead("<html><body><h1>It works!</h1></body></html>")},
		{name: "text", note: "a line of text", bytes: instead("OK")},
		{name: "object", note: "{}", bytes: instead("{}")},
		{name: "null", note: "null", bytes: instead("null")},
		{name: "true", note: "true", bytes: instead("true")},
		{name: "number", note: "0", bytes: instead("0")},
		{name: "string", note: `"OK"`, bytes: instead(`"OK"`)},
		{name: "array", note: "[]", bytes: instead("[]")},
		{name: "garbage", note: "random bytes", bytes: garbage},
		{name: "half", note: "the first half, with the length to match",
			bytes: func(b []byte) []byte { return b[:len(b)/2] }},
		{name: "last-byte", note: "all but the last byte, with the length to match",
			bytes: func(b []byte) []byte { return b[:len(b)-1] }},
		{name: "deep", note: "100,000 opening brackets", bytes: func([]byte) []byte {
			return bytes.Repeat([]byte("["),
				100000)
		}},
		{name: "array-of", note: "the right answer inside an array",
			bytes: func(b []byte) []byte { return slices.Concat([]byte("["), b, []byte("]")) }},
		{name: "bom", note: "the right answer behind a byte order mark", believed: true,
			bytes: func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) }},
		{name: "trailing", note: "the right answer, then {}", believed: true,
			bytes: func(b []byte) []byte { return append(b, "{}"...) }},
		{name: "invalid-utf8", note: "the right answer with invalid UTF-8 in ErrorDisplay", believed: true,
			bytes: invalidUTF8},
		{name: "lower-case", note: "all names in lower case", believed: true, bytes: lowerNames},
	}
}

func garbage(b []byte) []byte {
	out := make([]byte, 0, 512)
	for h := mix(uint64(len(b)) + 1); len(out) < 512; h = mix(h + 1) {
		out = append(out, byte(h), byte(h>>8), byte(h>>16), byte(h>>24))
	}
	return out
}

func invalidUTF8(b []byte) []byte {
	return bytes.Replace(b, []byte(`"ErrorDisplay":""`), []byte("\"ErrorDisplay\":\"\xff\xfe\xc0\""), 1)
}

func lowerNames(b []byte) []byte {
	names := strings.NewReplacer(`"ResultItem":`, `"resultitem":`, `"InfoItem":`, `"infoitem":`, `"ActionStatus":`,
		`"actionstatus":`, `"ErrorCode":`, `"errorcode":`,
		`"ResultCode":`, `"resultcode":`, `"To_Account":`, `"to_account":`)
	return []byte(names.Replace(string(b)))
}

func bodiesOfEnvelope() []oddBody {
	set := func(change func(o *oddity)) func(*answer, *oddity, int) {
		return func(_ *answer, o *oddity, _ int) { change(o) }
	}
	return []oddBody{
		{name: "no-status", note: "ActionStatus is missing", shape: set(func(o *oddity) { o.noStatus = true })},
		{name: "no-code", note: "ErrorCode is missing", shape: set(func(o *oddity) { o.noCode = true })},
		{name: "no-envelope", note: "ActionStatus and ErrorCode are missing",
			shape: set(func(o *oddity) { o.noStatus, o.noCode = true, true })},
		{name: "code-null", note: "ErrorCode is null", shape: set(func(o *oddity) { o.code = "null" })},
		{name: "code-string", note: `ErrorCode is "0"`, shape: set(func(o *oddity) { o.code = `"0"` })},
		{name: "code-float", note: "ErrorCode is 0.5", shape: set(func(o *oddity) { o.code = "0.5" })},
		{name: "code-huge", note: "ErrorCode is 18446744073709551616",
			shape: set(func(o *oddity) { o.code = "18446744073709551616" })},
		{name: "code-negative", note: "ErrorCode is -1", shape: set(func(o *oddity) { o.code = "-1" })},
		{name: "code-twice", note: "ErrorCode 30006 and then the right one", believed: true,
			shape: set(func(o *oddity) { o.before = `"ErrorCode":30006` })},
		{name: "status-lower", note: "ActionStatus is ok", shape: set(func(o *oddity) { o.status = "ok" })},
		{name: "status-empty", note: "ActionStatus is a space", shape: set(func(o *oddity) { o.status = " " })},
		{name: "fail-zero", note: "ActionStatus FAIL with ErrorCode 0",
			shape: set(func(o *oddity) { o.status = "FAIL" })},
		{name: "ok-code", note: "ActionStatus OK with ErrorCode 30006",
			shape: set(func(o *oddity) { o.status, o.code = "OK", "30006" })},
		{name: "no-items", note: "the list of items is missing", shape: set(func(o *oddity) { o.noList = true })},
		{name: "items-null", note: "the list of items is null", shape: set(func(o *oddity) { o.list = "null" })},
		{name: "items-empty", note: "the list of items is empty", shape: set(func(o *oddity) { o.list = "[]" })},
		{name: "items-object", note: "the list of items is an object", shape: set(func(o *oddity) { o.list = "{}" })},
		{name: "items-nulls", note: "an item that is null, and no other",
			shape: set(func(o *oddity) { o.list = "[null]" })},
		{name: "no-fails", note: "Fail_Account is missing", believed: true,
			shape: set(func(o *oddity) { o.noFails = true })},
		{name: "other-fails", note: "Fail_Account lists those that did not fail", believed: true,
			shape: set(func(o *oddity) { o.otherFails = true })},
		{name: "page-stuck", note: "friend_get: NextStartIndex is 0 and CompleteFlag is 0 on every page",
			believed: true, shape: func(a *answer, _ *oddity, _ int) {
				if at := strings.Index(a.tail, `"CompleteFlag"`); at >= 0 {
					a.tail = a.tail[:at] + `"CompleteFlag":0,"NextStartIndex":0,`
				}
			}},
	}
}

func bodiesOfItems() []oddBody {
	form := func(f string) func(*answer, *oddity, int) {
		return func(_ *answer, o *oddity, at int) { o.victim, o.form = at, f }
	}
	copyOf := func(a *answer, at int) result { return a.items[min(max(at, 0), len(a.items)-1)] }
	return []oddBody{
		{name: "missing", note: "one item is missing", believed: true, victim: true, shape: func(a *answer, _ *oddity,
			at int) {
			if at >= 0 {
				a.items = slices.Delete(slices.Clone(a.items), at, at+1)
			}
		}},
		{name: "extra", note: "an item for an account that nobody asked about", believed: true,
			shape: func(a *answer, _ *oddity, at int) {
				if len(a.items) > 0 {
					r := copyOf(a, at)
					r.to, r.code, r.info = "simulator-nobody", 0, ""
					a.items = append([]result{r}, a.items...)
				}
			}},
		{name: "repeated", note: "one item twice", believed: true, shape: func(a *answer, _ *oddity, at int) {
			if len(a.items) > 0 {
				a.items = append(slices.Clone(a.items), copyOf(a, at))
			}
		}},
		{name: "conflicting", note: "one item twice, with ResultCode 30006 the second time", believed: true,
			victim: true, shape: func(a *answer, _ *oddity, at int) {
				if at >= 0 {
					r := copyOf(a, at)
					r.code, r.info = 30006, itemText(apiImport, 30006)
					a.items = append(slices.Clone(a.items), r)
				}
			}},
		{name: "foreign", note: "every item is about another account", shape: func(a *answer, _ *oddity, _ int) {
			a.items = slices.Clone(a.items)
			for i := range a.items {
				a.items[i].to = "x" + a.items[i].to
			}
		}},
		{name: "reversed", note: "items in reverse order", believed: true, shape: func(a *answer, _ *oddity, _ int) {
			a.items = slices.Clone(a.items)
			slices.Reverse(a.items)
		}},
		{name: "item-no-code", note: "one item without ResultCode", believed: true, victim: true,
			shape: form("no-code")},
		{name: "item-code-null", note: "one item with ResultCode null", believed: true, victim: true,
			shape: form("code-null")},
		{name: "item-code-string", note: "one item with its ResultCode as a string", believed: true, victim: true,
			shape: form("code-string")},
		{name: "item-no-account", note: "one item without To_Account", believed: true, victim: true,
			shape: form("no-account")},
	}
}

func bodiesOfSize() []oddBody {
	return []oddBody{
		{name: "huge", note: "64 MiB: the right answer with a very long member", stream: (*call).huge},
		{name: "gzip", note: "the right answer, compressed though nobody may have asked", believed: true,
			gzip: func(_ *call, b []byte) []byte { return compressed(b) }},
		{name: "gzip-bad", note: "says gzip and isn't", gzip: func(_ *call, b []byte) []byte { return b }},
		{name: "gzip-cut", note: "gzip without its checksum",
			gzip: func(_ *call, b []byte) []byte { z := compressed(b); return z[:len(z)-8] }},
		{name: "gzip-bomb", note: "1 MiB of gzip: 1 GiB of white space, then the right answer",
			gzip: func(k *call, b []byte) []byte {
				return append(slices.Clone(k.s.bomb()), compressed(b)...)
			}},
	}
}

func compressed(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b) //nolint:errcheck // a bytes.Buffer takes everything
	z.Close()  //nolint:errcheck
	return out.Bytes()
}

// bomb is 1 GiB of spaces as gzip: one member of 1 MiB, 1024 times over, as the format allows.
func bomb() []byte {
	return bytes.Repeat(compressed(bytes.Repeat([]byte(" "), 1<<20)), 1024)
}
