package checkpoint

import (
	"encoding/binary"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// The payload of a frame is the time of its commit (milliseconds, as a difference to the frame
// before) and records. A record is a kind and a body.
const (
	kindIdentity = 1 + iota // JSON
	kindSettled             // final outcomes of edges of one chunk
	kindReopen              // every edge that is failed at this place, with one of these codes, is pending again
	kindBegin               // JSON
	kindEnd                 // JSON
	kindTouched             // from here on chunks of these blocks may be sent
)

// What a kindSettled record holds after ordinal and size of the chunk. The common case, every edge
// imported and none added, is one byte.
const (
	hasImported  = 1 << iota
	hasAlready   // all of them
	hasUncertain // those of them that are marked
	hasFailed
	hasAdded
	allImported // the first alone, of the whole chunk
)

// How a set of edges is written: whichever is shortest.
const (
	setBitmap = iota
	setList
	setAllBut
)

// What a failed edge has, beside its fields (codec.HasRemark and so on).
const (
	edgeUncertain = 1 << iota
	edgeAdded
)

// appendSettled appends a settlement as one record.
func appendSettled(b []byte, s *settlement) []byte {
	b = append(b, kindSettled)
	b = binary.AppendUvarint(b, uint64(s.ordinal))
	b = binary.AppendUvarint(b, uint64(s.n))
	if s.whole {
		return append(b, allImported)
	}
	flagsAt := len(b)
	b = append(b, 0)
	for _, part := range []struct {
		set  *migrate.EdgeSet
		flag byte
	}{{&s.imported, hasImported}, {&s.already, hasAlready}, {&s.uncertain, hasUncertain}} {
		if part.set.Len() > 0 {
			b[flagsAt] |= part.flag
			b = appendSet(b, part.set, s.n)
		}
	}
	if s.added != (Counts{}) {
		b[flagsAt] |= hasAdded
		b = binary.AppendUvarint(b, uint64(s.added.Imported))
		b = binary.AppendUvarint(b, uint64(s.added.Already))
		b = binary.AppendUvarint(b, uint64(s.added.AlreadyUncertain))
	}
	if len(s.failed) > 0 {
		b[flagsAt] |= hasFailed
		b = appendFailed(b, s.from, s.failed)
	}
	return b
}

// appendSet appends a set of edges of a chunk of n.
func appendSet(b []byte, set *migrate.EdgeSet, n int) []byte {
	size, bitmap := set.Len(), (n+7)/8
	if size > n-size && n-size < bitmap {
		rest := migrate.FullSet(n).Without(*set)
		return appendList(append(b, setAllBut), &rest)
	}
	if size < bitmap {
		return appendList(append(b, setList), set)
	}
	b = append(b, setBitmap)
	for i := range bitmap {
		b = append(b, byte(set[i/8]>>(i%8*8)))
	}
	return b
}

func appendList(b []byte, set *migrate.EdgeSet) []byte {
	list := set.Indexes()
	b = binary.AppendUvarint(b, uint64(len(list)))
	next := 0
	for _, i := range list {
		b = binary.AppendUvarint(b, uint64(i-next))
		next = i + 1
	}
	return b
}

// appendFailed spells failed edges out. Texts that come again within the record are written once.
func appendFailed(b []byte, from string, list []failure) []byte {
	known := texts{}
	b = codec.AppendText(b, from)
	b = binary.AppendUvarint(b, uint64(len(list)))
	next := 0
	for i := range list {
		f := &list[i]
		b = binary.AppendUvarint(b, uint64(f.index-next))
		next = f.index + 1
		b = binary.AppendVarint(b, int64(f.code))
		b = binary.AppendUvarint(b, uint64(f.attempts))
		b = known.append(b, f.info)
		b = known.appendEdge(b, f)
	}
	return b
}

// texts numbers the texts of a record in the order of their first appearance, from 1.
type texts map[string]uint64

func (t texts) append(b []byte, text string) []byte {
	if number, ok := t[text]; ok {
		return binary.AppendUvarint(b, number)
	}
	t[text] = uint64(len(t) + 1)
	return codec.AppendText(append(b, 0), text)
}

func (t texts) appendEdge(b []byte, f *failure) []byte {
	e := &f.edge
	mask := byte(0)
	for _, field := range []struct {
		has  bool
		flag byte
	}{
		{f.uncertain, edgeUncertain}, {f.added, edgeAdded}, {e.Remark != "", codec.HasRemark},
		{e.RemarkTime != 0, codec.HasRemarkTime},
		{len(e.Groups) > 0, codec.HasGroups}, {e.AddWording != "", codec.HasAddWording},
		{e.AddTime != 0, codec.HasAddTime}, {len(e.Custom) > 0, codec.HasCustom},
	} {
		if field.has {
			mask |= field.flag
		}
	}
	b = codec.AppendText(append(b, mask), e.To)
	b = t.append(b, e.AddSource)
	b = binary.AppendUvarint(b, uint64(e.Input))
	b = binary.AppendUvarint(b, uint64(e.Line))
	if mask&codec.HasRemark != 0 {
		b = codec.AppendText(b, e.Remark)
	}
	if mask&codec.HasRemarkTime != 0 {
		b = binary.AppendVarint(b, e.RemarkTime)
	}
	if mask&codec.HasGroups != 0 {
		b = binary.AppendUvarint(b, uint64(len(e.Groups)))
		for _, group := range e.Groups {
			b = t.append(b, group)
		}
	}
	if mask&codec.HasAddWording != 0 {
		b = t.append(b, e.AddWording)
	}
	if mask&codec.HasAddTime != 0 {
		b = binary.AppendVarint(b, e.AddTime)
	}
	if mask&codec.HasCustom != 0 {
		b = t.appendCustom(b, e.Custom)
	}
	return b
}

func (t texts) appendCustom(b []byte, items []migrate.CustomItem) []byte {
	b = binary.AppendUvarint(b, uint64(len(items)))
	for _, item := range items {
		integer := byte(0)
		if item.Integer {
			integer = 1
		}
		b = t.append(append(b, integer), item.Tag)
		b = codec.AppendText(b, item.Value)
	}
	return b
}

func appendJSON(b []byte, kind byte, body []byte) []byte {
	return append(binary.AppendUvarint(append(b, kind), uint64(len(body))), body...)
}

func appendReopen(b []byte, codes []int) []byte {
	b = binary.AppendUvarint(append(b, kindReopen), uint64(len(codes)))
	for _, code := range codes {
		b = binary.AppendVarint(b, int64(code))
	}
	return b
}

func appendTouched(b []byte, block int64) []byte {
	return binary.AppendUvarint(append(b, kindTouched), uint64(block))
}
