package source

import (
	"bytes"
	"fmt"
	"io"
)

// blockSize is how many bytes a parser gets at a time. A block is longer by the incomplete record
// at the end of the block before.
const blockSize = 256 << 10

// block is a run of whole records of one input. The parsers take blocks in any order.
type block struct {
	layout  *layout
	line    int64 // on which data begins
	data    []byte
	records []record // in data, without empty lines
	ends    []uint32 // of the cells of its whole records, from their record's start
}

// record is a record of a block, or a line that is no record.
type record struct {
	start, length uint32 // in data, without byte order marks before it and without its line end
	line          uint32 // counted from the block's first
	lines         uint32 // that it spans
	kind          recordKind
}

func (b *block) text(r *record) []byte { return b.data[r.start : r.start+r.length] }

// blockReader divides the content of one input into blocks. It holds at most a block and the record
// at its end.
type blockReader struct {
	content io.Reader
	csv     bool
	layout  *layout
	size    int // of a block
	limit   int // of a record

	headerLine int64
	rows       bool // a row was returned, sound or not

	carry    []byte // the beginning of the record in which the last block ended
	line     int64  // on which carry begins
	end      bool   // content is read to its end
	skipping bool   // in the rest of a line that is too long
}

func newBlockReader(content io.Reader, l *layout, size, limit int) *blockReader {
	return &blockReader{content: content, csv: l.format == CSV, layout: l, size: size, limit: limit, line: 1}
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// marks returns the length of the byte order marks at the beginning of a line. Files that were
// joined have some between rows.
func marks(line []byte) (n int) {
	for bytes.HasPrefix(line[n:], byteOrderMark) {
		n += len(byteOrderMark)
	}
	return n
}

// header returns a CSV's header: the first record that is not an empty line. It returns nil for an
// empty input and for JSONL.
func (r *blockReader) header(b *block) ([]byte, error) {
	for r.csv {
		r.carry = r.carry[marks(r.carry):]
		if len(r.carry) == 0 && r.end {
			return nil, nil
		}
		f := recordFinder{limit: r.limit}
		switch n, kind := f.next(r.carry, r.end); kind {
		case recordBlank:
			r.carry = r.carry[n:]
			r.line++
			continue
		case recordWhole:
			header := bytes.Clone(r.carry[:n])
			r.headerLine = r.line
			r.line += int64(bytes.Count(header, []byte{'\n'}))
			r.carry = r.carry[n:]
			return header, nil
		case recordMore: // it is read below
		default:
			reason := "the header is not a CSV record: " + headerFaults[kind]
			return nil, &InputError{Name: r.layout.name, Line: r.line, Reason: reason}
		}
		b.data = append(b.data[:0], r.carry...)
		if err := r.fill(b); err != nil {
			return nil, err
		}
		r.carry = append(r.carry[:0], b.data...)
	}
	return nil, nil
}

var headerFaults = [...]string{recordOpen: "a quote in it is open for 1 MiB", recordQuotes: "its quotes are broken",
	recordOverlong: "it is over 1 MiB", recordRunsOn: "it is over 1 MiB"}

// fill appends up to a block of content to b.data. At the end of the content it adds the line end
// that the last line may lack.
func (r *blockReader) fill(b *block) error {
	if r.end {
		return nil
	}
	old := len(b.data)
	if cap(b.data) < old+r.size+1 {
		grown := make([]byte, old, old+r.size+1)
		copy(grown, b.data)
		b.data = grown
	}
	// io.ReadFull would return the same error for content that ends here and for compressed data
	// that is cut short.
	for to := old + r.size; len(b.data) < to; {
		n, err := r.content.Read(b.data[len(b.data):to])
		b.data = b.data[:len(b.data)+n]
		if err == io.EOF {
			r.finish(b)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finish records that b has the end of the content.
func (r *blockReader) finish(b *block) {
	r.end = true
	if len(b.data) > 0 && b.data[len(b.data)-1] != '\n' {
		b.data = append(b.data, '\n')
	}
}

// next reads the next block into b, whose memory it reuses. It returns io.EOF after the last block.
func (r *blockReader) next(b *block) error {
	b.layout = r.layout
	b.data = append(b.data[:0], r.carry...)
	r.carry = r.carry[:0]
	for {
		if err := r.fill(b); err != nil {
			return err
		}
		if r.skipping {
			r.skip(b)
		}
		if len(b.data) == 0 {
			if r.end {
				return io.EOF
			}
			continue
		}
		n, runsOn, err := r.findRecords(b)
		if err != nil {
			return err
		}
		switch {
		case n > 0:
			r.splitAt(b, n)
			return nil
		case runsOn:
			b.line, r.skipping, r.rows = r.line, true, true
			start := marks(b.data)
			b.records = append(b.records, record{start: uint32(start), length: uint32(r.limit), kind: recordOverlong})
			r.carry = append(r.carry, b.data[start+r.limit:]...)
			return nil
		case r.end:
			return fmt.Errorf("cut %q: no record at line %d", r.layout.name, r.line) // impossible: the last line ends
		}
	}
}

// splitAt makes b the block of its first n bytes and keeps the rest in carry.
func (r *blockReader) splitAt(b *block, n int) {
	r.carry = append(r.carry, b.data[n:]...)
	b.data = b.data[:n]
	b.line = r.line
	r.line += int64(bytes.Count(b.data, []byte{'\n'}))
	blank := " \t\r\n\ufeff"
	if r.csv {
		blank = "\r\n\ufeff" // a space is a cell
	}
	r.rows = r.rows || len(bytes.TrimLeft(b.data, blank)) > 0
}

// emptiness says in words what an input without a row holds.
func (r *blockReader) emptiness(header []byte) string {
	switch {
	case header != nil:
		return "it holds only a header"
	case r.line > 1:
		return "it holds only blank lines"
	}
	return "it is empty"
}

// skip drops the rest of a line that is too long.
func (r *blockReader) skip(b *block) {
	i := bytes.IndexByte(b.data, '\n')
	if i < 0 {
		b.data = b.data[:0]
		return
	}
	b.data = b.data[:copy(b.data, b.data[i+1:])]
	r.skipping = false
	r.line++
}

// findRecords fills b.records. n is how many of b's bytes are whole records. runsOn says that the
// record after them is too long and that not even its first line ends in b.
func (r *blockReader) findRecords(b *block) (n int, runsOn bool, err error) {
	b.records = b.records[:0]
	f := recordFinder{columns: r.layout.columns, limit: r.limit, jsonl: !r.csv, ends: b.ends[:0]}
	for line := 0; n < len(b.data); {
		start := n + marks(b.data[n:])
		length, kind := f.next(b.data[start:], r.end)
		if kind == recordMore || kind == recordRunsOn {
			runsOn = kind == recordRunsOn
			break
		}
		if kind == recordOpen {
			return 0, false, r.openQuote(b.data[n:], r.line+int64(line))
		}
		n = start + length
		lines := 1
		if kind == recordWhole {
			lines = bytes.Count(b.data[start:n], []byte{'\n'})
		}
		if kind != recordBlank {
			size := contentLength(b.data[start : n-1])
			b.records = append(b.records,
				record{uint32(start), uint32(size), uint32(line), uint32(lines), kind})
		}
		line += lines
	}
	b.ends = f.ends
	return n, runsOn, nil
}

// openQuote returns the error of a quote that stays open in the record that begins on a line.
func (r *blockReader) openQuote(record []byte, line int64) error {
	if r.layout.endsInCR(record, r.limit) {
		return r.layout.crEnds()
	}
	return &InputError{Name: r.layout.name, Line: line,
		Reason: "a quote in the record that begins here is open for 1 MiB"}
}
