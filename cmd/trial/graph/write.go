package graph

import (
	"bytes"
	"fmt"
	"io"
)

// Part is one of several consecutive, nearly equal parts of the rows, each a file of its own with its own header. The zero value is all of them.
type Part struct{ Index, Count int } // Index from 0

// Write writes the rows of a part. If onBad is not nil it is told of every bad row, in order, with the line of the part at which it begins, from 1.
func (g *Graph) Write(w io.Writer, part Part, onBad func(line int64, kind Kind) error) error {
	first, last, err := g.rowsOf(part)
	if err != nil {
		return err
	}
	o := &g.options
	const enough = 256 << 10
	buffer := make([]byte, 0, enough+enough/4)
	buffer, line := o.appendHead(buffer)
	end := "\n"
	if o.CRLF {
		end = "\r\n"
	}
	var r record
	for i := first; i < last; i++ {
		p := g.place(i)
		g.fill(&r, p)
		start := len(buffer)
		buffer = g.appendRow(buffer, &r, p)
		if p.bad && onBad != nil {
			if err := onBad(line, g.kindOf(p)); err != nil {
				return err
			}
		}
		line += 1 + int64(bytes.Count(buffer[start:], []byte{'\n'}))
		if i < last-1 || !o.Unterminated {
			buffer = append(buffer, end...)
		}
		if len(buffer) >= enough {
			if _, err := w.Write(buffer); err != nil {
				return fmt.Errorf("write rows: %w", err)
			}
			buffer = buffer[:0]
		}
	}
	if _, err := w.Write(buffer); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}

func (g *Graph) rowsOf(part Part) (first, last uint64, err error) {
	if part == (Part{}) {
		return 0, g.rows, nil
	}
	if part.Index < 0 || part.Index >= part.Count {
		return 0, 0, fmt.Errorf("part: %d of %d is not one, counted from 0", part.Index, part.Count)
	}
	n := uint64(part.Count)
	return scale(g.rows, uint64(part.Index), n), scale(g.rows, uint64(part.Index+1), n), nil
}

// appendHead appends what comes before the first row and returns the line at which that begins.
func (o *Options) appendHead(dst []byte) ([]byte, int64) {
	if o.BOM {
		dst = append(dst, "\ufeff"...)
	}
	if o.Format == JSONL {
		return dst, 1
	}
	dst = o.appendCSVHeader(dst)
	if o.CRLF {
		dst = append(dst, '\r')
	}
	return append(dst, '\n'), 2
}

func (g *Graph) kindOf(p place) Kind { return g.defectOf(p).kind }

func (g *Graph) defectOf(p place) *defect { return &g.defects[p.nth%uint64(len(g.defects))] }

// appendRow appends the row at a place, without a line end.
func (g *Graph) appendRow(dst []byte, r *record, p place) []byte {
	if !p.bad {
		return g.options.appendRecord(dst, r)
	}
	d := g.defectOf(p)
	if d.spoil != nil {
		d.spoil(r)
	}
	if d.rewrite == nil {
		return g.options.appendRecord(dst, r)
	}
	return append(dst, d.rewrite(g.options.appendRecord(nil, r), r)...)
}

func (o *Options) appendRecord(dst []byte, r *record) []byte {
	if o.Format == JSONL {
		return o.appendJSON(dst, r)
	}
	return o.appendCSV(dst, r)
}
