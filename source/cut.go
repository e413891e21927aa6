package source

import "bytes"

// recordLimit is the most bytes that one record may have, without its line end.
const recordLimit = 1 << 20

// cutKind is what the cutter found at the beginning of a piece of CSV.
type cutKind uint8

const (
	cutWhole    cutKind = iota // a record, well formed
	cutQuotes                  // quotes that make no record: the first line is rejected
	cutColumns                 // a record of several lines with another number of columns than the header: the first line is rejected
	cutOverlong                // no end within the limit: the first line is rejected
	cutMore                    // more bytes are needed to tell
	cutRunsOn                  // cutOverlong, and the end of its first line is not within the bytes at hand
	// a quote is open for longer than the limit: nobody can tell where the rows are from here on
	cutOpen
)

// cutCSV finds the end of the first record of b, which begins at the beginning of a line: n bytes,
// line end included. A record that is broken costs its first line only, so what comes after a stray
// quote is read again from the next line on. The rules are those of encoding/csv without
// LazyQuotes, to the byte, so that what is whole here is one record there. columns is the header's
// number of columns, 0 if it isn't known yet.
//
// final says that b holds the rest of the input, which then ends with a line end. What is found
// never depends on how much more than limit+2 bytes b has.
func cutCSV(b []byte, columns, limit int, final bool) (n int, kind cutKind) {
	lineEnd := bytes.IndexByte(b, '\n')
	line := b
	if lineEnd >= 0 {
		line = b[:lineEnd]
	}
	if bytes.IndexByte(line, '"') < 0 {
		return cutPlain(b, lineEnd, limit)
	}
	window := b[:min(len(b), limit+2)]
	end, fields, state := scanQuoted(window)
	full := len(b) >= limit+2 // more bytes would not change what the window shows
	switch {
	case state == scanInQuote && full:
		return 0, cutOpen
	case lineEnd < 0 && full, lineEnd >= 0 && contentLength(line) > limit, state == scanInField && full:
		return overlong(lineEnd)
	case state == scanInQuote && final, state == scanBroken && lineEnd >= 0:
		return lineEnd + 1, cutQuotes
	case state != scanEnded:
		return 0, cutMore
	case contentLength(b[:end]) > limit:
		return overlong(lineEnd)
	case end > lineEnd && columns > 0 && fields != columns:
		return lineEnd + 1, cutColumns
	}
	return end + 1, cutWhole
}

// cutPlain is cutCSV for a first line without quotes, and all there is to cut in JSONL. lineEnd is
// the index of the line's end, -1 if b doesn't have it.
func cutPlain(b []byte, lineEnd, limit int) (n int, kind cutKind) {
	switch {
	case lineEnd < 0 && len(b) < limit+2:
		return 0, cutMore
	case lineEnd < 0 || contentLength(b[:lineEnd]) > limit:
		return overlong(lineEnd)
	}
	return lineEnd + 1, cutWhole
}

func overlong(lineEnd int) (int, cutKind) {
	if lineEnd < 0 {
		return 0, cutRunsOn
	}
	return lineEnd + 1, cutOverlong
}

// contentLength is the length of a line without the '\r' of its line end.
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

// scanQuoted walks over the fields of the record at the beginning of b. end is the index of its
// '\n'.
func scanQuoted(b []byte) (end, fields int, state scanState) {
	for at := 0; ; at++ { // at is where a field begins
		fields++
		if at < len(b) && b[at] == '"' {
			closing := closingQuote(b, at+1)
			if closing < 0 {
				return 0, fields, scanInQuote
			}
			at = closing + 1
			rest := b[at:]
			switch {
			case len(rest) > 0 && rest[0] == '\n':
				return at, fields, scanEnded
			case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
				return at + 1, fields, scanEnded
			case len(rest) > 0 && rest[0] == ',':
				continue
			case len(rest) == 0 || len(rest) == 1 && rest[0] == '\r':
				return 0, fields, scanInField
			}
			return 0, fields, scanBroken
		}
		for at < len(b) && b[at] != ',' && b[at] != '\n' && b[at] != '"' {
			at++
		}
		switch {
		case at >= len(b):
			return 0, fields, scanInField
		case b[at] == '\n':
			return at, fields, scanEnded
		case b[at] == '"':
			return 0, fields, scanBroken
		}
	}
}

// closingQuote finds the quote that ends a quoted field whose content begins at from, or -1. A
// quote that may be half of a pair at the end of b is none yet.
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
