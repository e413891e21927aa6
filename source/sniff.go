package source

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"io"
	"regexp"
	"slices"
	"unicode"
	"unicode/utf8"

	"friendmigrate/migrate/jsonscan"
)

// sniffSize is how many bytes at the beginning of an input are examined.
const sniffSize = 64 << 10

// CheckText refuses a file that, by its beginning, is no text in UTF-8 with lines that end in LF or
// CR LF. It is for files that hold no rows. The error is an *InputError.
func CheckText(name string, head []byte) error {
	w := sniffBytes(head, isBinary(head))
	if w == nil && hasBareCR(firstLine(head)) {
		w = &crLines
	}
	return w.error(name, "", compressionNone)
}

// sniff refuses an input that is of another kind than its name or --format says.
func (in *openInput) sniff(r *rules) error {
	peeked := bufio.NewReaderSize(in.content, sniffSize)
	in.content = peeked
	head, err := peeked.Peek(sniffSize)
	if err != nil && err != io.EOF {
		return err
	}
	named := func(cells []string) bool {
		return slices.ContainsFunc(cells, func(name string) bool {
			f := r.dictionary.look(name).field
			return f == fieldFrom || f == fieldTo
		})
	}
	text := dropMarks(bytes.Clone(head))
	line := firstLine(text)
	w := sniffBytes(head, isBinary(head) || in.Format == CSV && !named(columnsOf(line, ',')))
	switch {
	case w != nil:
	case in.Format == CSV:
		w = sniffCSV(text, line, named)
	default:
		w = sniffJSONL(text, named)
	}
	return w.error(in.Name, in.Format, in.packed)
}

// dropMarks removes the byte order marks from all lines, in place.
func dropMarks(data []byte) []byte {
	if !bytes.Contains(data, byteOrderMark) {
		return data
	}
	kept := data[:0]
	for line := range bytes.Lines(data) {
		kept = append(kept, line[marks(line):]...)
	}
	return kept
}

// sniffBytes recognises content that is no text. likely says that a magic number may be trusted,
// even if it is only letters.
func sniffBytes(head []byte, likely bool) *wrong {
	for i := range kinds {
		switch p := &kinds[i]; {
		case p.magic == "" || !likely || !bytes.HasPrefix(head, []byte(p.magic)):
		case p.ext == ".xlsx" && !bytes.Contains(head, []byte("xl/")) &&
			!bytes.Contains(head, []byte("[Content_Types]")):
		default:
			return &p.wrong
		}
	}
	if len(head) > 262 && head[256] == 0 && string(head[257:262]) == "ustar" {
		return &tarArchive
	}
	if encoding := encodingOf(head); encoding != "" {
		return &wrong{what: "is text in " + encoding + ", not UTF-8", filter: "iconv -f " + encoding + " -t UTF-8"}
	}
	if nuls := bytes.Count(head, []byte{0}); nuls*10 > len(head) {
		return &nulBytes
	}
	return nil
}

// encodingOf recognises UTF-16 and UTF-32 by their mark, or by the NUL bytes of an ASCII character.
func encodingOf(head []byte) string {
	for _, e := range []struct{ mark, encoding string }{
		{"\xff\xfe\x00\x00", "UTF-32"}, {"\x00\x00\xfe\xff", "UTF-32"}, {"\xff\xfe", "UTF-16"}, {"\xfe\xff", "UTF-16"},
	} {
		if bytes.HasPrefix(head, []byte(e.mark)) {
			return e.encoding
		}
	}
	nuls := 0
	for i, c := range head[:min(len(head), 4)] {
		if c == 0 {
			nuls |= 1 << i
		}
	}
	return [16]string{0b1110: "UTF-32LE", 0b0111: "UTF-32BE", 0b1010: "UTF-16LE", 0b0101: "UTF-16BE"}[nuls]
}

// sniffCSV examines the header and the first rows of an input that should be CSV.
func sniffCSV(text, line []byte, named func([]string) bool) *wrong {
	header := columnsOf(line, ',')
	switch {
	case beginsJSON(text):
		if w := sniffJSONL(text, named); w != nil {
			return w
		}
		return &wrong{what: "is JSONL, not CSV", format: JSONL}
	case isBinary(bytes.ReplaceAll(line, []byte{hive}, nil)) && !named(header):
		return &noText
	case bytes.IndexByte(line, 0) >= 0:
		return &nulBytes
	case hasBareCR(line):
		return &crLines
	case bytes.HasPrefix(line, []byte("sep=")):
		return &wrong{what: "begins with a line for Excel, not with a header", filter: "tail -n +2", format: CSV}
	case named(header):
		_, rows, _ := bytes.Cut(text, line)
		return sniffRows(rows, len(header)-1)
	}
	for _, s := range separators {
		n := bytes.Count(line, []byte{s.char})
		if n > bytes.Count(line, []byte{','}) || n > 0 && named(columnsOf(line, rune(s.char))) {
			return &s.wrong
		}
	}
	return nil
}

// sniffRows recognises rows with another separator than the header, which may have been added by
// hand. If the first KiB has a comma, it may be one broken row, which costs only itself.
func sniffRows(rows []byte, commas int) *wrong {
	row := firstLine(rows)
	for _, s := range separators {
		if commas > 0 && bytes.Count(row, []byte{s.char}) == commas &&
			bytes.IndexByte(rows[:min(len(rows), 1<<10)], ',') < 0 {
			return &s.wrong
		}
	}
	return nil
}

// sniffJSONL examines the first lines of an input that should be JSONL. One broken line does not
// make it another kind of file.
func sniffJSONL(text []byte, named func([]string) bool) *wrong {
	text = trimBlank(text)
	line := firstLine(text)
	rest := trimBlank(text[len(line):])
	switch {
	case len(text) == 0:
		return nil
	case crBetweenObjects(line):
		return &crLines
	case line[0] == '[':
		one := jsonscan.Scanner{Data: line}
		whole := one.Skip() == nil
		switch {
		case whole && bytes.HasPrefix(rest, []byte{'{'}):
			return nil
		case whole && bytes.HasPrefix(rest, []byte{'['}) && !bytes.HasPrefix(trimBlank(line[1:]), []byte{'{'}):
			return &jsonArrays
		}
		return &jsonArray
	case severalObjects(line) && (len(rest) == 0 || severalObjects(firstLine(rest))):
		return &jsonJoined
	case line[0] == '{':
		return sniffObject(text, line, rest)
	}
	const enough = 10
	lines := bytes.SplitN(rest, []byte{'\n'}, enough)
	if slices.ContainsFunc(lines, func(l []byte) bool { return bytes.HasPrefix(trimBlank(l), []byte{'{'}) }) {
		return nil
	}
	for _, sep := range ",;\t|" {
		if named(columnsOf(line, sep)) {
			return &wrong{what: "is CSV, not JSONL", format: CSV}
		}
	}
	if isBinary(line) {
		return &noText
	}
	return &wrong{what: "is not JSONL: each line has to be a JSON object", look: firstLines.look}
}

// sniffObject recognises a text whose first object does not end in its line.
func sniffObject(text, line, rest []byte) *wrong {
	object := jsonscan.Scanner{Data: text}
	spans := object.Skip() == nil && bytes.Contains(text[:object.Pos], []byte{'\n'})
	line = bytes.TrimRight(line, " \t\r")
	goesOn := bytes.IndexByte([]byte("{[,:"), line[len(line)-1]) >= 0 && len(rest) > 0 && rest[0] != '{'
	if spans || goesOn {
		return &jsonPretty
	}
	return nil
}

// severalObjects reports whether a line holds more than one JSON object.
func severalObjects(line []byte) bool {
	first := jsonscan.Scanner{Data: line}
	return first.Skip() == nil && bytes.HasPrefix(trimBlank(line[first.Pos:]), []byte{'{'})
}

func trimBlank(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// beginsJSON reports whether a text begins like a JSON object or a JSON array.
var beginsJSON = regexp.MustCompile(`^\s*[\[{]\s*["\[\]{}]`).Match

// crBetweenObjects reports whether there is only a CR between two JSON objects.
var crBetweenObjects = regexp.MustCompile(`}[ \t]*\r\s*{`).Match

// firstLine returns the first line that is not empty, without its end.
func firstLine(text []byte) []byte {
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte{'\n'})
		if line = trimCR(line); len(line) > 0 {
			return line
		}
		text = rest
	}
	return nil
}

// hasBareCR reports whether a line has a CR outside quotes. If so, it is several lines.
func hasBareCR(line []byte) bool {
	quoted := false
	for _, c := range line {
		if c == '"' {
			quoted = !quoted
		} else if c == '\r' && !quoted {
			return true
		}
	}
	return false
}

// endsInCR reports whether a row that is no record is several rows that end in CR alone. If the row
// reaches the limit, the part after the last CR within the limit does not count, because its length
// is not known.
func (l *layout) endsInCR(raw []byte, limit int) bool {
	line := firstLine(raw[:min(len(raw), limit)])
	if len(raw) >= limit {
		line = line[:bytes.LastIndexByte(line, '\r')+1]
	}
	if bytes.IndexByte(line, '\r') < 0 {
		return false
	}
	if l.format != CSV {
		return crBetweenObjects(line)
	}
	rows := 0
	for piece := range bytes.SplitSeq(line, []byte{'\r'}) {
		f := recordFinder{columns: l.columns, limit: limit}
		if _, kind := f.next(slices.Concat(piece, []byte{'\n'}), true); kind == recordWhole {
			rows++
		}
	}
	return rows > 1 // one row may have a stray CR and a stray comma
}

// columnsOf divides a line at a separator. The line may have quotes.
func columnsOf(line []byte, separator rune) []string {
	r := csv.NewReader(bytes.NewReader(line))
	r.Comma, r.LazyQuotes = separator, true
	list, _ := r.Read() // of a broken record, the cells found
	return list
}

// isBinary reports whether b has bytes that are no text. Its last character may be incomplete.
func isBinary(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1 && len(b) >= utf8.UTFMax:
			return true
		case unicode.IsControl(r) && r != '\t' && r != '\r' && r != '\n':
			return true
		}
		b = b[n:]
	}
	return false
}
