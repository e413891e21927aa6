// Package terminal is what a person sees: log lines, and on a terminal a block below them that is
// drawn again and again.
//
// What it promises: writers never mix their lines; nothing but line feeds, colours and what the
// block needs to draw itself reaches the terminal as a control character, whatever an account id
// holds. Colours are never needed to understand. A screen whose terminal is gone stays silent and
// stops nobody.
package terminal

import (
	"io"
	"os"
	"strings"
	"sync"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// Screen is a stream that people read, such as standard error. It is safe for concurrent use.
type Screen struct {
	terminal, dumb, plain bool

	mu    sync.Mutex // guards what follows
	out   io.Writer
	block []Row
	drawn []int // columns of the lines of the block on the screen
}

// New returns a screen that writes to out. It is a terminal if out is one. If out is a Screen, New
// returns out itself.
func New(out io.Writer, env map[string]string) *Screen {
	if s, ok := out.(*Screen); ok {
		return s
	}
	s := &Screen{out: out, terminal: IsTerminal(out)}
	s.dumb = !s.terminal || env["TERM"] == "dumb" || env["TERM"] == "" || env["CI"] != "" && env["CI"] != "false"
	s.plain = s.dumb || env["NO_COLOR"] != ""
	return s
}

// IsTerminal reports whether a reader or writer is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Terminal reports whether the screen is a terminal.
func (s *Screen) Terminal() bool { return s.terminal }

// Redraws reports whether a block can be drawn over the previous one. It cannot in a pipe, on a
// dumb terminal or in the log of a CI.
func (s *Screen) Redraws() bool { return !s.dumb }

// Columns returns the width of the screen, 80 if it is not known.
func (s *Screen) Columns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.columns()
}

func (s *Screen) columns() int { return columnsOf(s.out) }

func columnsOf(stream any) int {
	columns, _ := sizeOf(stream)
	return columns
}

// sizeOf returns the columns and lines of a terminal; 80 and 0 if they are not known.
func sizeOf(stream any) (columns, lines int) {
	if f, ok := stream.(*os.File); ok {
		if columns, lines, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns, lines
		}
	}
	return 80, 0
}

// Write writes whole lines, above the block if there is one. Control characters are made visible.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw(s.erased() + s.wrapped(Clean(string(p))) + s.drawing())
	return len(p), nil // a lost terminal must not stop a job
}

// Line writes one line.
func (s *Screen) Line(text string) { _, _ = s.Write([]byte(text + "\n")) }

// wrapped breaks lines between words; a terminal would break them anywhere.
func (s *Screen) wrapped(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if columns := s.columns(); !s.dumb && uniseg.StringWidth(line) > columns {
			indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
			lines[i] = indent + strings.Join(Wrap(line, columns-len(indent)), "\n"+indent)
		}
	}
	return strings.Join(lines, "\n")
}

// Print writes rows as lines in place of the block. Rows without a head are not wrapped, so that
// they can be copied.
func (s *Screen) Print(rows []Row) {
	s.Block(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range rows {
		if row.Head, row.Text = Clean(row.Head), Clean(row.Text); row.Head != "" {
			row.Text = strings.TrimPrefix(s.wrapped(row.Head+row.Text), row.Head)
		}
		s.raw(row.draw(s.plain) + "\n")
	}
}

// Close discards everything that is written to the screen after it.
func (s *Screen) Close() {
	s.Block(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = io.Discard
}

// Sync does nothing: there is no buffer.
func (s *Screen) Sync() error { return nil }

// Block draws a block in place of the previous one; nil erases it.
func (s *Screen) Block(rows []Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	erased := s.erased()
	s.block = rows
	s.raw(erased + s.drawing())
}

// EndBlock leaves the block on the screen and continues below it.
func (s *Screen) EndBlock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.drawn) > 0 {
		s.raw("\n")
	}
	s.block, s.drawn = nil, nil
}

// erased returns the text that erases the block. If the terminal has become narrower, each line of
// the block may take several lines of the screen.
func (s *Screen) erased() string {
	if len(s.drawn) == 0 {
		return ""
	}
	columns, lines := s.columns(), 0
	for _, drawn := range s.drawn {
		lines += max(1, (drawn+columns-1)/columns)
	}
	s.drawn = nil
	return strings.Repeat(lineUp, lines-1) + eraseBelow
}

// drawing returns the text that draws the block, without a line feed at its end. Of a block that is
// higher than the terminal it draws the last rows, where a sum stands.
func (s *Screen) drawing() string {
	var lines []string
	columns, height := sizeOf(s.out)
	columns-- // some terminals begin a new line after a full one
	rows := s.block
	if over := len(rows) - height + 1; height > 1 && over > 0 { // what scrolls away cannot be erased
		rows = rows[over:]
	}
	for _, row := range rows {
		row = row.fit(columns)
		s.drawn = append(s.drawn, row.Columns())
		lines = append(lines, row.draw(s.plain))
	}
	return strings.Join(lines, "\n")
}

const (
	lineUp     = "\x1b[A"
	eraseBelow = "\r\x1b[J"
)

func (s *Screen) raw(text string) { _, _ = io.WriteString(s.out, text) }

// cut shortens a line to width columns. A Chinese, Japanese or Korean character takes two, a
// combining character none.
func cut(text string, width int) string {
	if uniseg.StringWidth(text) <= width {
		return text
	}
	rest, state, left, columns := text, -1, width-1, 0
	for {
		at := len(text) - len(rest)
		if _, rest, columns, state = uniseg.FirstGraphemeClusterInString(rest, state); columns > left {
			return text[:at] + "…"
		}
		left -= columns
	}
}

// Row is one line of a block.
type Row struct {
	Head  string // in Color
	Color Color
	Text  string // after it
}

// Color is how a terminal shows a text: the parameter of the sequence that sets it.
type Color string

// The colours in use.
const (
	Plain  Color = ""
	Bold   Color = "1"
	Red    Color = "31"
	Green  Color = "32"
	Yellow Color = "33"
)

// Columns returns how many columns the row takes.
func (r Row) Columns() int { return uniseg.StringWidth(r.Head + r.Text) }

// fit cuts the row to this many columns, so that it never wraps.
func (r Row) fit(columns int) Row {
	r.Head, r.Text = cut(Clean(r.Head), columns), Clean(r.Text)
	if left := columns - uniseg.StringWidth(r.Head); left > 0 {
		r.Text = cut(r.Text, left)
	} else {
		r.Text = ""
	}
	return r
}

func (r Row) draw(plain bool) string {
	if plain || r.Color == Plain || r.Head == "" {
		return r.Head + r.Text
	}
	return "\x1b[" + string(r.Color) + "m" + r.Head + "\x1b[0m" + r.Text
}

const barColumns = 30

// Bar returns a bar for done of total. It is full only when all is done.
func Bar(done, total int64) string {
	full := barColumns
	if done < total {
		full = int(float64(barColumns) * float64(done) / float64(total))
	}
	return strings.Repeat("█", min(full, barColumns)) + strings.Repeat("░", barColumns-min(full, barColumns))
}
