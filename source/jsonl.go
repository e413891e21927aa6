package source

import (
	"bytes"
	"cmp"
	"errors"
	"unicode/utf8"
	"unsafe"

	"friendmigrate/migrate"
	"friendmigrate/migrate/jsonscan"
)

// jsonlParser turns lines of JSON into edges. A line has the shape of the API's AddFriendItem, with
// From_Account beside To_Account; a custom field may also be a key of its own (Tag_SNS_Custom_...).
// null is absent.
type jsonlParser struct {
	*parser
	rules *rules
	text  jsonscan.Scanner
	keys  []jsonKey          // of earlier lines
	next  int                // index of the key that probably comes next
	seen  [fieldTag + 1]bool // by field: whether the line has it
	first reject             // the first mistake of the line
	times numbers

	groups []string // reused
	custom []migrate.CustomItem
}

// jsonKey is a key and its meaning.
type jsonKey struct {
	name string
	meaning
}

// look returns the meaning of a key. Most lines have the same keys in the same order.
func (p *jsonlParser) look(name []byte) meaning {
	for range p.keys {
		if p.next >= len(p.keys) {
			p.next = 0
		}
		k := &p.keys[p.next]
		p.next++
		if k.name == string(name) {
			return k.meaning
		}
	}
	const most = 32
	if len(p.keys) == most {
		return p.rules.dictionary.look(view(name))
	}
	p.keys = append(p.keys, jsonKey{string(name), p.rules.dictionary.look(string(name))})
	return p.keys[len(p.keys)-1].meaning
}

func (p *jsonlParser) takeBlock(b *block) error {
	for i := range b.records {
		r := &b.records[i]
		raw, line := b.text(r), b.line+int64(r.line)
		var err error
		switch {
		case r.kind != recordWhole:
			err = p.broken(b.layout, line, raw, reject{"", recordReasons[r.kind]})
		case len(bytes.Trim(raw, " \t\r")) > 0:
			err = p.takeRow(b.layout, raw, line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *jsonlParser) takeRow(l *layout, raw []byte, line int64) error {
	at := migrate.Position{Input: l.index, Line: line}
	if !utf8.Valid(raw) {
		return p.rejectAt(at, raw, "", reject{"", reasonUTF8})
	}
	p.edge = migrate.Edge{Position: at}
	p.next, p.seen, p.first, p.times = 0, [fieldTag + 1]bool{}, reject{}, numbers{}
	p.groups, p.custom = p.groups[:0], p.custom[:0]
	p.text = jsonscan.Scanner{Data: raw}
	err := p.text.Object(p.member)
	if err == nil {
		err = p.text.End()
	}
	switch {
	case errors.Is(err, jsonscan.ErrSurrogate):
		return p.broken(l, line, raw, reject{"", reasonSurrogate})
	case err != nil:
		return p.broken(l, line, raw, reject{"", reasonJSON})
	}
	p.edge.Groups, p.edge.Custom = p.groups, p.custom
	if p.first.reason != "" {
		p.valid.usable = p.valid.account(p.edge.From) == "" && p.first.column != nameFrom
		return p.rejectEdge(raw, p.first)
	}
	return p.takeEdge(raw, p.times)
}

// view returns b as a string without a copy. It is valid as long as the block; copy it to keep it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// wrong records a mistake in a member whose value is well-formed. The rest of the line is still
// read, to get its account and to distinguish broken JSON from a wrong type.
func (p *jsonlParser) wrong(column, reason string) {
	if p.first.reason == "" {
		p.first = reject{column, reason}
	}
}

// member reads the value of one key of the line.
func (p *jsonlParser) member(name []byte) error {
	m := p.look(name)
	switch m.field {
	case fieldUnknown:
		p.tally.ignore(view(name))
		return p.text.Skip()
	case fieldListed:
		return p.text.Skip()
	case fieldTag:
		p.tally.use(p.rules, m.text)
		return p.customValue(m.text)
	}
	p.tally.use(p.rules, m.text)
	if p.seen[m.field] {
		p.wrong(m.text, reasonTwice)
		return p.text.Skip()
	}
	p.seen[m.field] = true
	switch e := &p.edge; m.field {
	case fieldFrom:
		return p.str(m.text, &e.From)
	case fieldTo:
		return p.str(m.text, &e.To)
	case fieldRemark:
		return p.str(m.text, &e.Remark)
	case fieldAddSource:
		return p.str(m.text, &e.AddSource)
	case fieldAddWording:
		return p.str(m.text, &e.AddWording)
	case fieldRemarkTime:
		return p.time(m.text, &p.times.remarkTime)
	case fieldAddTime:
		return p.time(m.text, &p.times.addTime)
	case fieldGroups:
		return p.groupNames()
	}
	return p.customItems()
}

// begins reports whether the next value begins with a byte. null is absent; anything else is
// recorded as wrong with a reason.
func (p *jsonlParser) begins(with byte, column, reason string) bool {
	c := p.text.Peek()
	if c != with && c != 'n' {
		p.wrong(column, reason)
	}
	return c == with
}

// str reads a string. A number is not accepted: an account of digits must be in quotes.
func (p *jsonlParser) str(column string, to *string) error {
	if !p.begins('"', column, reasonString) {
		return p.text.Skip()
	}
	s, err := p.text.Text()
	*to = view(s)
	return err
}

// time reads an integer. 0 is absent.
func (p *jsonlParser) time(column string, to *string) error {
	if !p.digits() {
		p.begins('n', column, reasonNumber)
		return p.text.Skip()
	}
	s, err := p.text.Number()
	*to = view(s)
	return err
}

// digits reports whether the next value is a number.
func (p *jsonlParser) digits() bool {
	c := p.text.Peek()
	return c == '-' || c >= '0' && c <= '9'
}

func (p *jsonlParser) groupNames() error {
	if !p.begins('[', nameGroups, reasonStrings) {
		return p.text.Skip()
	}
	return p.text.Array(func() error {
		if p.text.Peek() != '"' {
			p.wrong(nameGroups, reasonStrings)
			return p.text.Skip()
		}
		s, err := p.text.Text()
		if len(s) > 0 {
			p.groups = append(p.groups, view(s))
		}
		return err
	})
}

func (p *jsonlParser) customItems() error {
	if !p.begins('[', nameCustomItem, reasonItems) {
		return p.text.Skip()
	}
	return p.text.Array(p.customItem)
}

// customItem reads {"Tag":...,"Value":...}.
func (p *jsonlParser) customItem() error {
	if p.text.Peek() != '{' {
		p.wrong(nameCustomItem, reasonItems)
		return p.text.Skip()
	}
	var tag string
	var hasTag, hasValue bool
	before := len(p.custom)
	err := p.text.Object(func(name []byte) error {
		switch key := view(name); {
		case key == "Tag" && hasTag, key == "Value" && hasValue:
			p.wrong(nameCustomItem, reasonTwice)
		case key == "Tag":
			hasTag = true
			return p.str(nameCustomItem, &tag)
		case key == "Value":
			hasValue = true
			return p.customValue("")
		default:
			p.tally.ignore(nameCustomItem + "." + key)
		}
		return p.text.Skip()
	})
	if !hasTag || tag == "" {
		p.wrong(nameCustomItem, reasonItems)
	}
	for i := range p.custom[before:] {
		p.custom[before+i].Tag = tag
	}
	return err
}

// customValue reads the value of a custom field. A string stays a string, and an integer keeps all
// its digits.
func (p *jsonlParser) customValue(tag string) error {
	column := cmp.Or(tag, nameCustomItem)
	item := migrate.CustomItem{Tag: tag, Integer: p.digits()}
	var s []byte
	var err error
	switch {
	case item.Integer:
		if s, err = p.text.Number(); bytes.ContainsAny(s, ".eE") {
			p.wrong(column, reasonItemValue)
		}
	case p.begins('"', column, reasonItemValue):
		s, err = p.text.Text()
	default:
		return p.text.Skip()
	}
	item.Value = view(s)
	p.custom = append(p.custom, item)
	return err
}
