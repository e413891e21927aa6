package simulator

import (
	"bytes"
	"compress/gzip"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// oddBody is one kind of wrong answer body: a change to the items, the members or the bytes of the
// right answer.
type oddBody struct {
	trusted bool // a client may accept it, so what it says must be true
	oneItem bool // it changes one item; unless Applied is set, only that item was not done

	items   func(a *answer, at int) // at is the index of the item that it changes; not called without items
	members func([]member) []member
	bytes   func([]byte) []byte
	encoded bool // sent as Content-Encoding: gzip
	padding int  // bytes of a member that is added at the end
}

// BodyKinds returns the names of the odd bodies: NAME in the fault body:NAME.
func BodyKinds() []string { return slices.Sorted(maps.Keys(oddBodies)) }

// kindOf returns the kind with this name. It panics if there is none: ParseFault has checked names
// in text, and others are the program's own.
func kindOf[T any](kinds map[string]T, name string) T {
	kind, ok := kinds[name]
	if !ok {
		panic("simulator: no kind of fault is called " + name)
	}
	return kind
}

// write returns the answer in its odd form. at is the index of the item that it changes, -1 if
// there is none.
func (o *oddBody) write(a answer, at int) []byte {
	if o.items != nil && at >= 0 {
		a.items = slices.Clone(a.items)
		o.items(&a, at)
	}
	members := a.members()
	if o.members != nil {
		members = o.members(members)
	}
	b := object(members)
	if o.bytes != nil {
		b = o.bytes(b)
	}
	return b
}

// oddBodies holds every kind of odd body. It never changes.
var oddBodies = map[string]*oddBody{
	// Bodies that are not the right answer at all.
	"empty":        {bytes: instead("")},
	"space":        {bytes: instead(" \r\n\t ")},
	"html":         {bytes: instead("<html><body><h1>It works!</h1></body></html>")},
	"text":         {bytes: instead("OK")},
	"object":       {bytes: instead("{}")},
	"null":         {bytes: instead("null")},
	"true":         {bytes: instead("true")},
	"number":       {bytes: instead("0")},
	"string":       {bytes: instead(`"OK"`)},
	"array":        {bytes: instead("[]")},
	"garbage":      {bytes: garbage},
	"half":         {bytes: func(b []byte) []byte { return b[:len(b)/2] }},
	"last-byte":    {bytes: func(b []byte) []byte { return b[:len(b)-1] }},
	"deep":         {bytes: func([]byte) []byte { return bytes.Repeat([]byte("["), 100_000) }},
	"array-of":     {bytes: func(b []byte) []byte { return slices.Concat([]byte("["), b, []byte("]")) }},
	"bom":          {trusted: true, bytes: func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) }},
	"trailing":     {trusted: true, bytes: func(b []byte) []byte { return append(b, "{}"...) }},
	"invalid-utf8": {trusted: true, members: put("ErrorDisplay", "\"\xff\xfe\xc0\"")},
	"lower-case":   {trusted: true, bytes: lowerNames},
	"huge":         {padding: 64 << 20},

	// Bodies with a wrong envelope.
	"no-status":     {members: without("ActionStatus")},
	"no-code":       {members: without("ErrorCode")},
	"no-envelope":   {members: without("ActionStatus", "ErrorCode")},
	"code-null":     {members: put("ErrorCode", "null")},
	"code-string":   {members: put("ErrorCode", `"0"`)},
	"code-float":    {members: put("ErrorCode", "0.5")},
	"code-huge":     {members: put("ErrorCode", "18446744073709551616")},
	"code-negative": {members: put("ErrorCode", "-1")},
	"code-twice": {trusted: true, members: func(members []member) []member {
		at := slices.IndexFunc(members, func(m member) bool { return m.name == "ErrorCode" })
		return slices.Insert(members, at, member{"ErrorCode", integer(30006)})
	}},
	"status-lower": {members: put("ActionStatus", `"ok"`)},
	"status-empty": {members: put("ActionStatus", `" "`)},
	"fail-zero":    {members: put("ActionStatus", `"FAIL"`)},
	"ok-code":      {members: put("ActionStatus", `"OK"`, "ErrorCode", "30006")},
	"no-items":     {members: without("ResultItem", "InfoItem", "UserDataItem")},
	"items-null":   {members: put("Item", "null")},
	"items-empty":  {members: put("Item", "[]")},
	"items-object": {members: put("Item", "{}")},
	"items-nulls":  {members: put("Item", "[null]")},
	"no-fails":     {trusted: true, members: without("Fail_Account", "FailAccounts")},
	"other-fails":  {trusted: true, items: func(a *answer, _ int) { a.wrongFails = true }},
	"page-stuck":   {trusted: true, members: put("CompleteFlag", "0", "NextStartIndex", "0")},

	// Bodies with wrong items.
	"missing": {trusted: true, oneItem: true,
		items: func(a *answer, at int) { a.items = slices.Delete(a.items, at, at+1) }},
	"extra": {trusted: true, items: func(a *answer, at int) {
		r := a.items[at]
		r.to, r.code, r.info = "simulator-nobody", 0, ""
		a.items = slices.Insert(a.items, 0, r)
	}},
	"repeated": {trusted: true, items: func(a *answer, at int) { a.items = append(a.items, a.items[at]) }},
	"conflicting": {trusted: true, oneItem: true, items: func(a *answer, at int) {
		r := a.items[at]
		r.code, r.info = 30006, a.api.text(30006)
		a.items = append(a.items, r)
	}},
	"foreign": {items: func(a *answer, _ int) {
		for i := range a.items {
			a.items[i].to = "x" + a.items[i].to
		}
	}},
	"reversed":         {trusted: true, items: func(a *answer, _ int) { slices.Reverse(a.items) }},
	"item-no-code":     {trusted: true, oneItem: true, items: replaceInItem(`"ResultCode":\d+,`, "")},
	"item-code-null":   {trusted: true, oneItem: true, items: replaceInItem(`"ResultCode":\d+`, `"ResultCode":null`)},
	"item-code-string": {trusted: true, oneItem: true, items: replaceInItem(`"ResultCode":(\d+)`, `"ResultCode":"$1"`)},
	"item-no-account":  {trusted: true, oneItem: true, items: replaceInItem(`"To_Account":"[^"]*",`, "")},

	// Compressed bodies. The client may not have asked for compression.
	"gzip":      {trusted: true, encoded: true, bytes: compressed},
	"gzip-bad":  {encoded: true},
	"gzip-cut":  {encoded: true, bytes: func(b []byte) []byte { z := compressed(b); return z[:len(z)-8] }},
	"gzip-bomb": {encoded: true, bytes: func(b []byte) []byte { return slices.Concat(bomb(), compressed(b)) }},
}

// instead returns a function that replaces the body by t.
func instead(t string) func([]byte) []byte { return func([]byte) []byte { return []byte(t) } }

func garbage(b []byte) []byte {
	out := make([]byte, 0, 512)
	for h := mix(uint64(len(b)) + 1); len(out) < 512; h = mix(h + 1) {
		out = append(out, byte(h), byte(h>>8), byte(h>>16), byte(h>>24))
	}
	return out
}

func lowerNames(b []byte) []byte {
	for _, name := range []string{"ResultItem", "InfoItem", "ActionStatus", "ErrorCode", "ResultCode", "To_Account"} {
		b = bytes.ReplaceAll(b, []byte(`"`+name+`":`), []byte(`"`+strings.ToLower(name)+`":`))
	}
	return b
}

func isList(name string) bool { return strings.HasSuffix(name, "Item") }

func without(names ...string) func([]member) []member {
	return func(members []member) []member {
		return slices.DeleteFunc(members, func(m member) bool { return slices.Contains(names, m.name) })
	}
}

// put sets new values of existing members, given as pairs of a name and JSON. The name Item means
// the list of items.
func put(pairs ...string) func([]member) []member {
	return func(members []member) []member {
		for i := range members {
			for p := 0; p < len(pairs); p += 2 {
				if members[i].name == pairs[p] || pairs[p] == "Item" && isList(members[i].name) {
					members[i].value = []byte(pairs[p+1])
				}
			}
		}
		return members
	}
}

func replaceInItem(pattern, replacement string) func(*answer, int) {
	return func(a *answer, at int) {
		a.items[at].odd = func(item []byte) []byte {
			return regexp.MustCompile(pattern).ReplaceAll(item, []byte(replacement))
		}
	}
}

func compressed(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b) //nolint:errcheck // a bytes.Buffer never fails
	z.Close()  //nolint:errcheck
	return out.Bytes()
}

// bomb returns 1 GiB of spaces as gzip: one member of 1 MiB, repeated 1024 times, as the format
// allows.
var bomb = sync.OnceValue(func() []byte {
	return bytes.Repeat(compressed(bytes.Repeat([]byte(" "), 1<<20)), 1024)
})
