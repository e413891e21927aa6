package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"

	"github.com/gocarina/gocsv"

	"friendmigrate/migrate"
)

// row is what gocsv makes of a record. gocsv allocates a new one for each record, twice over, so it
// is no more than a pointer to texts that are used again.
type row struct{ Texts *texts }

// texts are the cells of a record. They are text throughout: gocsv's own numbers take 0x10, 1.5 and
// " 7 " for integers. They are parts of the block, or of csvParser.unquoted.
//
// From is exported, since gocsv refuses a struct without a field that it could set.
type texts struct {
	From, to, remark, remarkTime, groups, addSource, addWording, addTime string

	custom []string // from left to right
}

var freeTexts = sync.Pool{New: func() any { return &texts{custom: []string{}} }}

// UnmarshalCSVWithFields takes the next cell of the record. gocsv calls it where it would otherwise
// find and set a field by reflection, at an allocation for each.
func (r *row) UnmarshalCSVWithFields(column, cell string) error {
	if r.Texts == nil {
		r.Texts = freeTexts.Get().(*texts)
	}
	t := r.Texts
	switch column {
	case nameFrom:
		t.From = cell
	case nameTo:
		t.to = cell
	case nameRemark:
		t.remark = cell
	case nameRemarkTime:
		t.remarkTime = cell
	case nameGroups:
		t.groups = cell
	case nameAddSource:
		t.addSource = cell
	case nameAddWording:
		t.addWording = cell
	case nameAddTime:
		t.addTime = cell
	default:
		t.custom = append(t.custom, cell)
	}
	return nil
}

// release gives the texts of a row back.
func (r *row) release() {
	*r.Texts = texts{custom: r.Texts.custom[:0]}
	freeTexts.Put(r.Texts)
	r.Texts = nil
}

// csvParser turns records into edges.
type csvParser struct {
	*parser
	layout *layout

	// What gocsv reads next, and what it makes of it.
	table    [][]string // the header, then records
	cells    []string   // of the records
	unquoted []byte     // cells that had quotes in them
	rows     []row

	groups []string // reused
	custom []migrate.CustomItem
}

// Read is of gocsv.CSVReader. gocsv asks for all records at once.
func (p *csvParser) Read() ([]string, error) { return nil, io.EOF }

// ReadAll hands the records to gocsv.
func (p *csvParser) ReadAll() ([][]string, error) { return p.table, nil }

// What gocsv is given at once: many records, because it looks at the header each time, but not more
// than fit into the processor's cache.
const (
	batchRecords = 256
	batchCells   = 16 * batchRecords
)

// use makes the parser ready for an input. Since gocsv has package-level switches that any package
// of the program may set (a normalizer of headers, say), a record of known cells has to come out
// right first.
func (p *csvParser) use(l *layout) error {
	p.layout = l
	p.rows = make([]row, min(max(batchCells/len(l.header), 1), batchRecords))
	p.table = [][]string{l.header, l.header}
	if err := p.read(); err != nil {
		return err
	}
	var want row
	for _, name := range l.header {
		_ = want.UnmarshalCSVWithFields(name, name)
	}
	if !reflect.DeepEqual(p.rows[0], want) {
		return errSwitched
	}
	p.rows[0].release()
	want.release()
	return nil
}

// read has gocsv make rows of the records of the table.
func (p *csvParser) read() error {
	if len(p.table) == 1 {
		return nil
	}
	err := gocsv.UnmarshalCSV(p, &p.rows)
	p.table, p.cells, p.unquoted = p.table[:1], p.cells[:0], p.unquoted[:0]
	if err != nil {
		return fmt.Errorf("read rows of %q: %w", p.layout.name, err)
	}
	return nil
}

var errSwitched = errors.New("gocsv does not read rows as it should: something has changed its package-level switches")

// block takes all rows of a block.
func (p *csvParser) block(b *block) error {
	if p.layout != b.layout {
		if err := p.use(b.layout); err != nil {
			return err
		}
	}
	records, ends := b.records, b.ends
	for len(records) > 0 {
		batch := records[:min(len(records), len(p.rows))]
		records = records[len(batch):]
		for i := range batch {
			if batch[i].kind == cutWhole {
				p.add(b.text(&batch[i]), ends[:p.layout.columns], batch[i].lines > 1)
				ends = ends[p.layout.columns:]
			}
		}
		if err := p.batch(b, batch); err != nil {
			return err
		}
	}
	return nil
}

// add adds a record to the table.
func (p *csvParser) add(record []byte, ends []uint32, lines bool) {
	if lines && bytes.Contains(record, []byte("\r\n")) {
		// Such a record has always lost one '\r' more at its end. A job that is staged again must
		// come out as before.
		ends[len(ends)-1] = min(ends[len(ends)-1], uint32(contentLength(record)))
	}
	from, first := 0, len(p.cells)
	for i, end := range ends {
		if p.layout.wanted[i] {
			var cell []byte
			cell, p.unquoted = unquote(p.unquoted, record[from:end])
			p.cells = append(p.cells, view(cell))
		}
		from = int(end) + 1
	}
	p.table = append(p.table, p.cells[first:])
}

// batch takes the records of a block of which the whole ones are in the table.
func (p *csvParser) batch(b *block, batch []record) error {
	if err := p.read(); err != nil {
		return err
	}
	rows := p.rows
	for i := range batch {
		cut := &batch[i]
		raw, line := b.text(cut), b.line+int64(cut.line)
		p.many = 0
		if cut.kind != cutWhole {
			if err := p.broken(b.layout, line, raw, reject{"", cutReasons[cut.kind]}); err != nil {
				return err
			}
			continue
		}
		if cut.lines > 1 && p.layout.notable(cellsOf(raw), int(cut.lines)) {
			p.many = int64(cut.lines)
		}
		if err := p.row(rows[0].Texts, raw, line); err != nil {
			return err
		}
		rows[0].release()
		rows = rows[1:]
	}
	return nil
}

func (p *csvParser) row(r *texts, raw []byte, line int64) error {
	if again, err := p.layout.headerAgain(r, raw, line); err != nil {
		return err
	} else if again {
		return p.broken(p.layout, line, raw, reject{"", reasonHeader})
	}
	e := &p.edge
	e.From, e.To, e.AddSource, e.Remark, e.AddWording = r.From, r.to, r.addSource, r.remark, r.addWording
	e.Groups, e.Custom = nil, nil
	if r.groups != "" {
		p.groups = splitGroups(p.groups[:0], r.groups)
		e.Groups = p.groups
	}
	if len(r.custom) > 0 {
		p.custom = p.custom[:0]
		for i, cell := range r.custom {
			p.custom = append(p.custom, migrate.CustomItem{Tag: p.layout.tags[i], Value: cell,
				Integer: p.layout.integer[i]})
		}
		e.Custom = p.custom
	}
	e.Position = migrate.Position{Input: p.layout.index, Line: line}
	return p.edgeRead(raw, numbers{r.remarkTime, r.addTime})
}

// splitGroups appends the groups of a cell to list. Empty ones are absent.
func splitGroups(list []string, cell string) []string {
	for more := true; more; {
		var group string
		if group, cell, more = strings.Cut(cell, groupSeparator); group != "" {
			list = append(list, group)
		}
	}
	return list
}
