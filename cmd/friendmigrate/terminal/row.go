package terminal

import (
	"strings"

	"github.com/rivo/uniseg"
)

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

// Columns is how many columns the row takes.
func (r Row) Columns() int { return uniseg.StringWidth(r.Head + r.Text) }

// fit cuts the row to so many columns, so that it never wraps.
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

// Bar shows done of total as a bar, which is full when all is done and not before.
func Bar(done, total int64) string {
	full := barColumns
	if done < total {
		full = int(float64(barColumns) * float64(done) / float64(total))
	}
	return strings.Repeat("█", min(full, barColumns)) + strings.Repeat("░", barColumns-min(full, barColumns))
}
