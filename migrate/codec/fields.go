package codec

import (
	"encoding/binary"
	"strings"

	"friendmigrate/migrate"
)

// The optional fields of an edge, as bits. The two lowest bits are free for the formats that hold
// edges.
const (
	HasRemark = 4 << iota
	HasRemarkTime
	HasGroups
	HasAddWording
	HasAddTime
	HasCustom

	HasFields = HasRemark | HasRemarkTime | HasGroups | HasAddWording | HasAddTime | HasCustom
)

// Fields decodes the fields of many edges with few allocations: all their texts share one.
type Fields struct {
	Texts  strings.Builder
	groups []string
	custom []migrate.CustomItem
}

// Text copies b. The builder should be grown in advance; if it has to grow anyway, the texts
// returned before keep their memory.
func (f *Fields) Text(b []byte) string {
	start := f.Texts.Len()
	f.Texts.Write(b)
	return f.Texts.String()[start:]
}

// Read is the inverse of AppendFields: flags is what AppendFields returned.
func (f *Fields) Read(c *Cursor, flags uint8, e *migrate.Edge) {
	if flags&HasRemark != 0 {
		e.Remark = f.Text(c.Text())
	}
	if flags&HasRemarkTime != 0 {
		e.RemarkTime = c.Varint()
	}
	if flags&HasGroups != 0 {
		f.listGroups(c, e)
	}
	if flags&HasAddWording != 0 {
		e.AddWording = f.Text(c.Text())
	}
	if flags&HasAddTime != 0 {
		e.AddTime = c.Varint()
	}
	if flags&HasCustom != 0 {
		f.listCustom(c, e)
	}
}

func (f *Fields) listGroups(c *Cursor, e *migrate.Edge) {
	start := len(f.groups)
	for n := c.Size(len(c.Rest)); n > 0 && !c.Bad; n-- {
		f.groups = append(f.groups, f.Text(c.Text()))
	}
	e.Groups = f.groups[start:len(f.groups):len(f.groups)]
}

func (f *Fields) listCustom(c *Cursor, e *migrate.Edge) {
	start := len(f.custom)
	for n := c.Size(len(c.Rest)); n > 0 && !c.Bad; n-- {
		item := migrate.CustomItem{Tag: f.Text(c.Text())}
		size := c.Size(2*len(c.Rest) + 1)
		item.Integer = size&1 != 0
		item.Value = f.Text(c.Bytes(size >> 1))
		f.custom = append(f.custom, item)
	}
	e.Custom = f.custom[start:len(f.custom):len(f.custom)]
}

// Extent is the size of encoded fields when they are decoded: bytes of text, and list elements.
type Extent struct{ Text, Groups, Custom int64 }

// Measure returns the extent of encoded fields and calls onGroup with each group.
func Measure(flags uint8, encoded []byte, onGroup func([]byte)) (x Extent) {
	c := Cursor{Rest: encoded}
	if flags&HasRemark != 0 {
		x.Text += int64(len(c.Text()))
	}
	if flags&HasRemarkTime != 0 {
		c.Varint()
	}
	if flags&HasGroups != 0 {
		for n := c.Size(len(c.Rest)); n > 0 && !c.Bad; n-- {
			g := c.Text()
			onGroup(g)
			x.Text += int64(len(g))
			x.Groups++
		}
	}
	if flags&HasAddWording != 0 {
		x.Text += int64(len(c.Text()))
	}
	if flags&HasAddTime != 0 {
		c.Varint()
	}
	if flags&HasCustom != 0 {
		for n := c.Size(len(c.Rest)); n > 0 && !c.Bad; n-- {
			x.Text += int64(len(c.Text()))
			size := c.Size(2*len(c.Rest) + 1)
			x.Text += int64(len(c.Bytes(size >> 1)))
			x.Custom++
		}
	}
	return x
}

// AppendFields encodes the optional fields of e in the order of their bits. Equal fields always
// give equal bytes.
func AppendFields(b []byte, e *migrate.Edge) ([]byte, uint8) {
	var flags uint8
	if e.Remark != "" {
		flags |= HasRemark
		b = AppendText(b, e.Remark)
	}
	if e.RemarkTime != 0 {
		flags |= HasRemarkTime
		b = binary.AppendVarint(b, e.RemarkTime)
	}
	if len(e.Groups) > 0 {
		flags |= HasGroups
		b = binary.AppendUvarint(b, uint64(len(e.Groups)))
		for _, g := range e.Groups {
			b = AppendText(b, g)
		}
	}
	if e.AddWording != "" {
		flags |= HasAddWording
		b = AppendText(b, e.AddWording)
	}
	if e.AddTime != 0 {
		flags |= HasAddTime
		b = binary.AppendVarint(b, e.AddTime)
	}
	if len(e.Custom) > 0 {
		flags |= HasCustom
		b = binary.AppendUvarint(b, uint64(len(e.Custom)))
		for _, item := range e.Custom {
			b = AppendText(b, item.Tag)
			integer := uint64(0)
			if item.Integer {
				integer = 1
			}
			b = binary.AppendUvarint(b, uint64(len(item.Value))<<1|integer)
			b = append(b, item.Value...)
		}
	}
	return b, flags
}
