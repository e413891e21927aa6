// Package terminal is what a person sees on standard error: log lines, and on a terminal a progress
// bar below them.
//
// What it promises: writers never mix their lines; nothing but line feeds and what the bar needs to
// draw itself reaches the terminal as a control character, whatever an account id holds. A screen
// whose terminal is gone stays silent and stops nobody.
package terminal

import (
	"io"
	"os"
	"sync"

	"github.com/rivo/uniseg"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Screen is standard error. It is safe for concurrent use.
type Screen struct {
	terminal bool

	mu   sync.Mutex // guards what follows
	out  io.Writer
	bar  *progressbar.ProgressBar // nil: no total is known
	text string                   // behind the bar; empty: nothing is drawn
}

// New makes a screen of a writer. It is a terminal if the writer is one. A screen is its own
// screen.
func New(out io.Writer) *Screen {
	if s, ok := out.(*Screen); ok {
		return s
	}
	return &Screen{out: out, terminal: IsTerminal(out)}
}

// IsTerminal reports whether a reader or writer is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Terminal reports whether the screen is a terminal.
func (s *Screen) Terminal() bool { return s.terminal }

// Write writes whole lines, above the bar if there is one. Control characters are made visible.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text != "" {
		s.raw(eraseLine)
	}
	s.raw(Clean(string(p)))
	s.draw()
	return len(p), nil // a lost terminal must not stop a job
}

// Line writes one line.
func (s *Screen) Line(text string) { _, _ = s.Write([]byte(text + "\n")) }

// Last writes the last line of all: whoever is still at work writes into the void from here on.
func (s *Screen) Last(text string) {
	s.EndBar()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw(Clean(text + "\n"))
	s.out = io.Discard
}

// Sync does nothing: there is no buffer.
func (s *Screen) Sync() error { return nil }

const eraseLine = "\r\x1b[2K"

// Columns of the bar: it shrinks where the terminal is narrow, then the text is cut.
const (
	barWidth  = 30
	leastBar  = 8
	aroundBar = 9 // columns of the percentage and of the spaces
)

// Bar draws done of total, and text behind it; without a total, the text alone. Another total
// begins another bar in the place of the old one.
func (s *Screen) Bar(done, total int64, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = s.fit(Clean(text))
	if total <= 0 {
		s.bar = nil
		s.draw()
		return
	}
	if s.bar == nil || s.bar.GetMax64() != total {
		s.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(s.out),
			progressbar.OptionSetWidth(barWidth),
			progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetPredictTime(false), // it would count what earlier runs did as work of this one
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionShowDescriptionAtLineEnd(),
			progressbar.OptionSetDescription(s.text),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}),
		)
	}
	s.draw() // the text first: the library draws a full bar once, and nothing after it
	_ = s.bar.Set64(min(done, total))
}

// draw draws what there is. The caller holds the lock.
func (s *Screen) draw() {
	switch {
	case s.bar != nil:
		s.bar.Describe(s.text)
	case s.text != "":
		s.raw(eraseLine + " " + s.text)
	}
}

// fit cuts a text so that the line with the bar never wraps, which would leave its upper part
// behind at each drawing.
func (s *Screen) fit(text string) string {
	columns, ok := width(s.out)
	if !ok {
		return text
	}
	return cut(text, columns-leastBar-aroundBar)
}

// width is the number of columns of a terminal; ok is false for anything else.
func width(out io.Writer) (columns int, ok bool) {
	f, ok := out.(*os.File)
	if !ok {
		return 0, false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	return columns, err == nil && columns > 0
}

// cut shortens a line to so many columns. A character of Chinese, Japanese or Korean takes two, a
// combining one none.
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

// EndBar leaves the bar where it is and goes on below it.
func (s *Screen) EndBar() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text != "" {
		s.raw("\n")
		s.bar, s.text = nil, ""
	}
}

func (s *Screen) raw(text string) { _, _ = io.WriteString(s.out, text) }
