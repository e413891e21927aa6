package graph

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Kind is a way in which a row is bad.
type Kind string

// A defect makes a row bad, in its fields before it is written or in its text afterwards. Kinds with limit break a limit of an optional field only: a
// reader may drop or cut that field and keep the friendship.
type defect struct {
	kind    Kind
	limit   bool
	fits    func(o *Options) bool // nil: always
	spoil   func(r *record)
	rewrite func(line []byte, r *record) []byte
}

func isCSV(o *Options) bool   { return o.Format == CSV }
func isJSONL(o *Options) bool { return o.Format == JSONL }
func has(f Field) func(o *Options) bool {
	return func(o *Options) bool { return o.has(f) }
}

// textTag is the index of the first custom field that is a string, or -1.
func textTag(o *Options) int {
	return slices.IndexFunc(o.Custom, func(c Custom) bool { return !c.Integer })
}

// allDefects lists every kind. The friend's name in a bad row is one that no good row has, so that a reader that takes the row is found out.
func allDefects(o *Options) []defect {
	list := append(accountDefects(), fieldDefects(o)...)
	list = append(list, limitDefects(o)...)
	list = append(list, csvDefects()...)
	return append(list, jsonDefects()...)
}

func accountDefects() []defect {
	var list []defect
	for name, of := range map[string]func(r *record) *[]byte{
		"from": func(r *record) *[]byte { return &r.from },
		"to":   func(r *record) *[]byte { return &r.to },
	} {
		add := func(kind string, spoil func(id []byte) []byte) {
			list = append(list, defect{kind: Kind(name + "-" + kind), spoil: func(r *record) { *of(r) = spoil(*of(r)) }})
		}
		add("empty", func(id []byte) []byte { return id[:0] })
		add("long", func(id []byte) []byte { return append(id, bytes.Repeat([]byte("x"), maxID+1-len(id))...) })
		add("utf8", func(id []byte) []byte { return append(id, 0xff) })
		add("surrogate", func(id []byte) []byte { return append(id, 0xed, 0xa0, 0x80) })
		add("control", func(id []byte) []byte { return append(id, 0x01) })
		add("delete", func(id []byte) []byte { return append(id, 0x7f) })
		add("newline", func(id []byte) []byte { return append(id, '\n') })
	}
	slices.SortFunc(list, func(a, b defect) int { return strings.Compare(string(a.kind), string(b.kind)) })
	return append(list, defect{kind: "self", spoil: func(r *record) { r.to = append(r.to[:0], r.from...) }})
}

func fieldDefects(*Options) []defect {
	source := func(value string) func(r *record) { return func(r *record) { r.source = value } }
	return []defect{
		{kind: "source-missing", spoil: source("")},
		{kind: "source-unprefixed", spoil: source("Import")},
		{kind: "source-bare", spoil: source(sourcePrefix)},
		{kind: "source-long", spoil: source(sourcePrefix + "NineBytes")},
		{kind: "add-time", fits: has(AddTime), spoil: func(r *record) { r.addTime = append(r.addTime[:0], "soon"...) }},
		{kind: "remark-time", fits: has(RemarkTime), spoil: func(r *record) { r.remarkTime = append(r.remarkTime[:0], "1.5"...) }},
	}
}

func limitDefects(o *Options) []defect {
	tag := textTag(o)
	return []defect{
		{kind: "remark-long", limit: true, fits: has(Remark), spoil: func(r *record) {
			r.remark = append(r.remark[:0], strings.Repeat("友", 33)...) // 33 characters, 99 bytes of 96
		}},
		{kind: "wording-long", limit: true, fits: has(AddWording), spoil: func(r *record) {
			r.wording = append(r.wording[:0], strings.Repeat("w", 257)...)
		}},
		{kind: "group-long", limit: true, fits: has(GroupName), spoil: func(r *record) {
			r.groups = append(r.groups[:0], "Friends", strings.Repeat("é", 15)+"g") // 31 bytes of 30
		}},
		{kind: "groups-many", limit: true, fits: has(GroupName), spoil: func(r *record) {
			r.groups = r.groups[:0]
			for i := range 33 {
				r.groups = append(r.groups, fmt.Sprint("G", i))
			}
		}},
		{kind: "custom-long", limit: true, fits: func(*Options) bool { return tag >= 0 }, spoil: func(r *record) {
			r.custom[tag] = append(r.custom[tag][:0], strings.Repeat("c", 501)...)
		}},
	}
}

func csvDefects() []defect {
	add := func(kind Kind, rewrite func(line []byte, r *record) []byte) defect {
		return defect{kind: kind, fits: isCSV, rewrite: rewrite}
	}
	return []defect{
		add("columns-missing", func(line []byte, r *record) []byte { return appendCSVField(line[:0], r.from) }),
		add("columns-extra", func(line []byte, _ *record) []byte { return append(line, ",extra"...) }),
		add("quote-bare", func(line []byte, _ *record) []byte { return append(line, `x"y`...) }),
		add("quote-then-text", func(line []byte, r *record) []byte {
			line = append(appendCSVField(line[:0], r.from), `,"`...)
			return append(append(line, r.to...), `"x,AddSource_Type_Import`...)
		}),
	}
}

func jsonDefects() []defect {
	add := func(kind Kind, rewrite func(line []byte, r *record) []byte) defect {
		return defect{kind: kind, fits: isJSONL, rewrite: rewrite}
	}
	return []defect{
		add("json-cut", func(line []byte, _ *record) []byte { return line[:len(line)-1] }),
		add("json-twice", func(line []byte, _ *record) []byte { return append(line, line...) }),
		add("json-array", func(line []byte, _ *record) []byte { return append(slices.Insert(line, 0, '['), ']') }),
		add("json-null", func(line []byte, _ *record) []byte { return append(line[:0], "null"...) }),
		add("json-empty", func(line []byte, _ *record) []byte { return append(line[:0], "{}"...) }),
		add("json-text", func(line []byte, _ *record) []byte { return append(line[:0], "not json"...) }),
		add("json-case", func(line []byte, _ *record) []byte {
			return bytes.Replace(line, []byte("From_Account"), []byte("from_account"), 1)
		}),
		add("json-surrogate", func(line []byte, r *record) []byte { // decoders make U+FFFD of it, which is another account
			line = appendJSONString(append(line[:0], `{"From_Account":`...), r.from)
			line = append(append(line, `,"To_Account":"`...), r.to...)
			return append(line, `\ud800","AddSource":"AddSource_Type_Import"}`...)
		}),
		add("json-number", func(line []byte, r *record) []byte {
			line = appendJSONString(append(line[:0], `{"From_Account":`...), r.from)
			return append(line, `,"To_Account":12345,"AddSource":"AddSource_Type_Import"}`...)
		}),
	}
}

// chooseDefects returns the kinds that were asked for, or all that there can be.
func chooseDefects(o *Options) ([]defect, error) {
	var list []defect
	for _, d := range allDefects(o) {
		if d.fits == nil || d.fits(o) {
			list = append(list, d)
		}
	}
	if len(o.BadKinds) == 0 {
		return list, nil
	}
	var chosen []defect
	for _, kind := range o.BadKinds {
		i := slices.IndexFunc(list, func(d defect) bool { return d.kind == kind })
		if i < 0 {
			return nil, fmt.Errorf("bad kinds: %q is not one that this format and these fields allow: %s", kind, names(list))
		}
		chosen = append(chosen, list[i])
	}
	return chosen, nil
}

func names(list []defect) string {
	words := make([]string, len(list))
	for i, d := range list {
		words[i] = string(d.kind)
	}
	return strings.Join(words, " ")
}
