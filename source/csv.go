package source

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/gocarina/gocsv"

	"friendmigrate/migrate"
)

// row is what gocsv makes of a record. Everything is text: gocsv's own numbers take 0x10, 1.5
// and " 7 " for integers.
type row struct {
	From       string      `csv:"From_Account"`
	To         string      `csv:"To_Account"`
	Remark     string      `csv:"Remark"`
	RemarkTime string      `csv:"RemarkTime"`
	Groups     string      `csv:"GroupName"`
	AddSource  string      `csv:"AddSource"`
	AddWording string      `csv:"AddWording"`
	AddTime    string      `csv:"AddTime"`
	Custom     customCells `csv:"Tag_SNS_Custom"`
}

// customCells takes the cells of all custom columns of a row, from left to right: gocsv hands every
// column of its name to it.
type customCells []string

// UnmarshalCSV adds the next cell.
func (c *customCells) UnmarshalCSV(cell string) error {
	*c = append(*c, cell)
	return nil
}

// csvParser turns records into edges.
type csvParser struct {
	*parser
	layout *layout
	feed   feeder
	rows   *gocsv.Unmarshaller // over feed
	groups []string            // reused
	custom []migrate.CustomItem
	ends   []byte // a record with its inner line ends doubled; reused
}

// feeder gives a csv.Reader exactly the bytes of whole records, so that it never waits for more
// than the record that was asked for.
type feeder struct{ rest []byte }

func (f *feeder) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// use makes the parser ready for an input. Since gocsv has package-level switches that any package
// of the program may set (tag name, separator, normalizer), a record of known cells has to come out
// right first.
func (p *csvParser) use(l *layout) error {
	probe := make([]string, l.columns)
	for i := range probe {
		probe[i] = strconv.Itoa(i)
	}
	p.feed.rest = []byte(strings.Join(l.header, ",") + "\n" + strings.Join(probe, ",") + "\n")
	reader := csv.NewReader(bufio.NewReaderSize(&p.feed, 32<<10))
	reader.ReuseRecord = true
	var err error
	if p.rows, err = gocsv.NewUnmarshaller(reader, &row{}); err != nil {
		return fmt.Errorf("read header of %q: %w", l.name, err)
	}
	p.layout = l
	read, err := p.rows.Read()
	if err != nil {
		return fmt.Errorf("read header of %q: %w", l.name, err)
	}
	return probeRow(l, read.(*row))
}

func probeRow(l *layout, got *row) error {
	cells := map[string]string{
		nameFrom: got.From, nameTo: got.To, nameRemark: got.Remark, nameRemarkTime: got.RemarkTime,
		nameGroups:    got.Groups,
		nameAddSource: got.AddSource, nameAddWording: got.AddWording, nameAddTime: got.AddTime,
	}
	custom := []string(got.Custom)
	for i, name := range l.header {
		want := strconv.Itoa(i)
		switch name {
		case headerIgnored:
		case headerCustom:
			if len(custom) == 0 || custom[0] != want {
				return errSwitched
			}
			custom = custom[1:]
		default:
			if cells[name] != want {
				return errSwitched
			}
			delete(cells, name)
		}
	}
	for _, cell := range cells {
		if cell != "" {
			return errSwitched
		}
	}
	if len(custom) > 0 {
		return errSwitched
	}
	return nil
}

// block takes all rows of a block.
func (p *csvParser) block(b *block) error {
	if p.layout != b.layout {
		if err := p.use(b.layout); err != nil {
			return err
		}
	}
	if len(b.records) > 0 {
		return p.records(b)
	}
	return p.lines(b)
}

// lines takes a block without quotes. There every line that is not empty is one record for the
// cutter and for the reader alike, so the reader may have it whole.
func (p *csvParser) lines(b *block) error {
	data := dropMarks(b.data)
	p.feed.rest = data
	for rest, line := data, b.line; len(rest) > 0; line++ {
		end := bytes.IndexByte(rest, '\n')
		raw := trimCR(rest[:end])
		rest = rest[end+1:]
		if len(raw) == 0 {
			continue
		}
		if err := p.read(raw, line, len(raw) > p.limit); err != nil {
			return err
		}
	}
	return nil
}

// records takes a block with quotes, record by record as it was cut.
func (p *csvParser) records(b *block) error {
	rest, line := b.data, b.line
	for _, cut := range b.records {
		record := rest[:cut.length]
		rest = rest[cut.length:]
		record = record[marks(record):]
		raw := trimCR(record[:len(record)-1])
		at, lines := line, int64(bytes.Count(record, []byte{'\n'}))
		line += lines
		p.many = p.layout.notable(record, lines)
		var err error
		switch {
		case len(raw) == 0:
		case cut.kind == cutWhole:
			p.feed.rest = p.exact(record)
			err = p.read(raw, at, false)
		default:
			err = p.broken(p.layout, at, raw, cutReason(cut.kind))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// notable is the number of a record's lines, if there are so many that it may have swallowed rows;
// else 0.
func (l *layout) notable(record []byte, lines int64) int64 {
	if lines > manyLines {
		return lines
	}
	if lines > 1 {
		cells, _ := csv.NewReader(bytes.NewReader(record)).Read()
		for _, cell := range cells {
			if strings.Contains(cell, "\n") && strings.Count(cell, ",") >= l.columns-1 {
				return lines
			}
		}
	}
	return 0
}

func cutReason(kind cutKind) reject {
	switch kind {
	case cutColumns:
		return reject{"", reasonColumns}
	case cutOverlong:
		return reject{"", reasonOverlong}
	}
	return reject{"", reasonQuotes}
}

// exact makes encoding/csv keep a "\r\n" inside quotes: it makes "\n" of every line end, so it is
// given one '\r' more. The record's own end may go.
func (p *csvParser) exact(record []byte) []byte {
	inner := record[:len(record)-1]
	if !bytes.Contains(inner, []byte("\r\n")) {
		return record
	}
	p.ends = append(p.ends[:0], bytes.ReplaceAll(trimCR(inner), []byte("\r\n"), []byte("\r\r\n"))...)
	p.ends = append(p.ends, '\n')
	return p.ends
}

// read takes the next row out of gocsv, which is the record with this text.
func (p *csvParser) read(raw []byte, line int64, overlong bool) error {
	read, err := p.rows.Read()
	switch {
	case err != nil && !errors.Is(err, csv.ErrFieldCount):
		return fmt.Errorf("read %q, line %d: %w", p.layout.name, line, err) // can't be: the record was found whole
	case overlong:
		return p.broken(p.layout, line, raw, reject{"", reasonOverlong})
	case err != nil:
		return p.broken(p.layout, line, raw, reject{"", reasonColumns})
	}
	return p.row(read.(*row), raw, line)
}

func (p *csvParser) row(r *row, raw []byte, line int64) error {
	if again, err := p.layout.headerAgain(r, raw, line); err != nil {
		return err
	} else if again {
		return p.broken(p.layout, line, raw, reject{"", reasonHeader})
	}
	e := &p.edge
	e.From, e.To, e.AddSource, e.Remark, e.AddWording = r.From, r.To, r.AddSource, r.Remark, r.AddWording
	e.Groups, e.Custom = nil, nil
	if r.Groups != "" {
		p.groups = splitGroups(p.groups[:0], r.Groups)
		e.Groups = p.groups
	}
	if len(r.Custom) > 0 {
		p.custom = p.custom[:0]
		for i, cell := range r.Custom {
			p.custom = append(p.custom, migrate.CustomItem{Tag: p.layout.tags[i], Value: cell,
				Integer: p.layout.integer[i]})
		}
		e.Custom = p.custom
	}
	e.Position = migrate.Position{Input: p.layout.index, Line: line}
	return p.edgeRead(raw, numbers{r.RemarkTime, r.AddTime})
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
