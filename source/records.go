package source

import (
	"bytes"
	"math"
	"slices"
	"strings"
)

// recordLimit is the most bytes that one record may have, its line end not counted.
const recordLimit = 1 << 20

// recordKind is what recordFinder.next found at the beginning of a piece of an input.
type recordKind uint8

const (
	recordWhole    recordKind = iota // a well-formed record with as many cells as the header
	recordBlank                      // an empty line
	recordQuotes                     // broken quotes: the first line is rejected
	recordColumns                    // not as many cells as the header: the first line is rejected
	recordOverlong                   // no end within the limit: the first line is rejected
	recordMore                       // more bytes are needed
	recordRunsOn                     // recordOverlong, and not even its first line ends within the bytes
	// a quote is open for longer than the limit: where the next rows begin cannot be known
	recordOpen
)

// recordReasons says by kind why a line that is no record is rejected.
var recordReasons = [...]string{recordQuotes: reasonQuotes, recordColumns: reasonColumns,
	recordOverlong: reasonOverlong}

// recordFinder finds records, and the cells of CSV records, in one pass.
type recordFinder struct {
	columns  int      // of the header; 0: not known yet
	limit    int      // of a record, in bytes
	jsonl    bool     // JSONL: every line is a record; ends stays empty
	ends     []uint32 // where the cells of all whole records end, counted from the beginning of their record
	mostEnds int      // length that ends may have after this record, plus one
}

// next finds the first record of b, which begins at the beginning of a line. n is its length with
// the line end. The ends of the cells of a whole record are appended to f.ends. A broken record
// costs only its first line, so the text after a stray quote is read again from the next line. The
// rules are exactly those of encoding/csv without LazyQuotes, except that line ends within quotes
// are not changed.
//
// final says that b holds the rest of the input, which then ends with a line end. The result does
// not depend on the bytes of b after the first limit+2.
func (f *recordFinder) next(b []byte, final bool) (n int, kind recordKind) {
	before := len(f.ends)
	f.mostEnds = math.MaxInt
	if f.columns > 0 {
		f.mostEnds = before + f.columns + 1
	}
	n, kind = f.find(b, final)
	if kind == recordWhole && f.columns > 0 && len(f.ends)-before != f.columns {
		n, kind = bytes.IndexByte(b, '\n')+1, recordColumns
	}
	if kind != recordWhole {
		f.ends = f.ends[:before]
	}
	return n, kind
}

func (f *recordFinder) end(at int) {
	if len(f.ends) < f.mostEnds {
		f.ends = append(f.ends, uint32(at))
	}
}

func (f *recordFinder) find(b []byte, final bool) (n int, kind recordKind) {
	lineEnd := bytes.IndexByte(b, '\n')
	line := b
	if lineEnd >= 0 {
		line = b[:lineEnd]
	}
	enough := len(b) >= f.limit+2 // more bytes would not change the result
	if f.jsonl || bytes.IndexByte(line, '"') < 0 {
		switch line = trimCR(line); {
		case lineEnd < 0 && !enough:
			return 0, recordMore
		case lineEnd < 0 || len(line) > f.limit:
			return overlong(lineEnd)
		case len(line) == 0:
			return lineEnd + 1, recordBlank
		}
		if !f.jsonl {
			f.split(line)
		}
		return lineEnd + 1, recordWhole
	}
	end, state := f.scan(b[:min(len(b), f.limit+2)])
	switch {
	case state == scanInQuote && enough:
		return 0, recordOpen
	case lineEnd < 0 && enough, lineEnd >= 0 && contentLength(line) > f.limit, state == scanInField && enough:
		return overlong(lineEnd)
	case state == scanInQuote && final, state == scanBroken && lineEnd >= 0:
		return lineEnd + 1, recordQuotes
	case state != scanEnded:
		return 0, recordMore
	case contentLength(b[:end]) > f.limit:
		return overlong(lineEnd)
	}
	return end + 1, recordWhole
}

// split finds the cells of a line without quotes.
func (f *recordFinder) split(line []byte) {
	at := 0
	for {
		i := bytes.IndexByte(line[at:], ',')
		if i < 0 {
			f.end(len(line))
			return
		}
		f.end(at + i)
		at += i + 1
	}
}

func overlong(lineEnd int) (int, recordKind) {
	if lineEnd < 0 {
		return 0, recordRunsOn
	}
	return lineEnd + 1, recordOverlong
}

// contentLength returns the length of a line without the '\r' of its line end.
func contentLength(line []byte) int { return len(trimCR(line)) }

func trimCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

// scanState is where a scan of one record ended.
type scanState uint8

const (
	scanEnded   scanState = iota // at the record's line end
	scanBroken                   // at a quote that no record can have
	scanInQuote                  // at the end of the bytes, inside quotes
	scanInField                  // at the end of the bytes, outside quotes
)

// scan finds the cells of the record at the beginning of b. end is the index of its '\n'.
func (f *recordFinder) scan(b []byte) (end int, state scanState) {
	for at := 0; ; at++ { // at is where a cell begins
		if at < len(b) && b[at] == '"' {
			closing := closingQuote(b, at+1)
			if closing < 0 {
				return 0, scanInQuote
			}
			at = closing + 1
			f.end(at)
			rest := b[at:]
			switch {
			case len(rest) > 0 && rest[0] == '\n':
				return at, scanEnded
			case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
				return at + 1, scanEnded
			case len(rest) > 0 && rest[0] == ',':
				continue
			case len(rest) == 0 || len(rest) == 1 && rest[0] == '\r':
				return 0, scanInField
			}
			return 0, scanBroken
		}
		start := at
		for at < len(b) && b[at] != ',' && b[at] != '\n' && b[at] != '"' {
			at++
		}
		switch {
		case at >= len(b):
			return 0, scanInField
		case b[at] == '"':
			return 0, scanBroken
		case b[at] == '\n':
			f.end(start + contentLength(b[start:at]))
			return at, scanEnded
		}
		f.end(at)
	}
}

// closingQuote returns the index of the quote that ends a quoted cell whose content begins at from,
// or -1. A quote that may be half of a pair at the end of b is none yet.
func closingQuote(b []byte, from int) int {
	for {
		i := bytes.IndexByte(b[from:], '"')
		if i < 0 {
			return -1
		}
		i += from
		if i+1 >= len(b) || b[i+1] != '"' {
			return i
		}
		from = i + 2
	}
}

// cellsOf returns the texts of all cells of a record, with line ends as encoding/csv has them. It
// returns nil if the record is not whole.
func cellsOf(record []byte) (cells []string) {
	f := recordFinder{limit: len(record)}
	record = append(slices.Clip(bytes.TrimSuffix(record, []byte{'\n'})), '\n')
	if n, kind := f.next(record, true); kind != recordWhole || n < len(record) {
		return nil
	}
	from := 0
	for _, end := range f.ends {
		cell, _ := unquote(nil, record[from:end])
		cells = append(cells, strings.ReplaceAll(string(cell), "\r\n", "\n"))
		from = int(end) + 1
	}
	return cells
}

// unquote returns the content of a cell. Content with quotes in it is appended to buffer; other
// content is part of cell. grown is the buffer after that.
func unquote(buffer, cell []byte) (content, grown []byte) {
	if len(cell) == 0 || cell[0] != '"' {
		return cell, buffer
	}
	cell = cell[1 : len(cell)-1]
	start := len(buffer)
	for {
		i := bytes.IndexByte(cell, '"')
		switch {
		case i < 0 && start == len(buffer):
			return cell, buffer
		case i < 0:
			buffer = append(buffer, cell...)
			return buffer[start:], buffer
		}
		buffer = append(buffer, cell[:i+1]...)
		cell = cell[i+2:]
	}
}
