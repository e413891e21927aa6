package stage

import (
	"strings"
	"unsafe"

	"friendmigrate/migrate"
)

// What an edge takes in memory beside its texts.
const (
	edgeBytes   = int64(unsafe.Sizeof(migrate.Edge{}))
	groupBytes  = int64(unsafe.Sizeof(""))
	customBytes = int64(unsafe.Sizeof(migrate.CustomItem{}))
)

// fields decodes the fields of many edges into few allocations: all texts of a chunk share one.
type fields struct {
	texts  strings.Builder
	groups []string
	custom []migrate.CustomItem
}

// text copies b. The builder was grown in advance; where it has to grow all the same, the texts taken so far keep the memory that they have.
func (f *fields) text(b []byte) string {
	start := f.texts.Len()
	f.texts.Write(b)
	return f.texts.String()[start:]
}

// extras is the reverse of appendExtras.
func (f *fields) extras(c *cursor, flags uint8, e *migrate.Edge) {
	if flags&hasRemark != 0 {
		e.Remark = f.text(c.text())
	}
	if flags&hasRemarkTime != 0 {
		e.RemarkTime = c.varint()
	}
	if flags&hasGroups != 0 {
		f.listGroups(c, e)
	}
	if flags&hasAddWording != 0 {
		e.AddWording = f.text(c.text())
	}
	if flags&hasAddTime != 0 {
		e.AddTime = c.varint()
	}
	if flags&hasCustom != 0 {
		f.listCustom(c, e)
	}
}

func (f *fields) listGroups(c *cursor, e *migrate.Edge) {
	start := len(f.groups)
	for n := c.size(len(c.b)); n > 0 && !c.bad; n-- {
		f.groups = append(f.groups, f.text(c.text()))
	}
	e.Groups = f.groups[start:len(f.groups):len(f.groups)]
}

func (f *fields) listCustom(c *cursor, e *migrate.Edge) {
	start := len(f.custom)
	for n := c.size(len(c.b)); n > 0 && !c.bad; n-- {
		item := migrate.CustomItem{Tag: f.text(c.text())}
		size := c.size(2*len(c.b) + 1)
		item.Integer = size&1 != 0
		item.Value = f.text(c.bytes(size >> 1))
		f.custom = append(f.custom, item)
	}
	e.Custom = f.custom[start:len(f.custom):len(f.custom)]
}

// extent is what encoded optional fields take when they are decoded.
type extent struct {
	text           int64
	groups, custom int64
}

// measure adds up the extent of encoded optional fields and hands each group to onGroup.
func measure(flags uint8, extras []byte, onGroup func([]byte)) (x extent) {
	c := cursor{b: extras}
	if flags&hasRemark != 0 {
		x.text += int64(len(c.text()))
	}
	if flags&hasRemarkTime != 0 {
		c.varint()
	}
	if flags&hasGroups != 0 {
		for n := c.size(len(c.b)); n > 0 && !c.bad; n-- {
			g := c.text()
			onGroup(g)
			x.text += int64(len(g))
			x.groups++
		}
	}
	if flags&hasAddWording != 0 {
		x.text += int64(len(c.text()))
	}
	if flags&hasAddTime != 0 {
		c.varint()
	}
	if flags&hasCustom != 0 {
		for n := c.size(len(c.b)); n > 0 && !c.bad; n-- {
			x.text += int64(len(c.text()))
			size := c.size(2*len(c.b) + 1)
			x.text += int64(len(c.bytes(size >> 1)))
			x.custom++
		}
	}
	return x
}
