package terminal

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rivo/uniseg"

	"friendmigrate/migrate"
)

// Count writes a whole number with a comma at each thousand.
func Count(n int64) string { return migrate.Count(n) }

// Some writes a number with its noun: "1 edge", "2,000 edges".
func Some(n int64, noun string) string { return migrate.Some(n, noun) }

// Verb is the form of a verb that fits a number: Verb(2, "is", "are") is "are".
func Verb(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// IsAre says "1 edge is" or "2 edges are".
func IsAre(n int64, noun string) string { return Some(n, noun) + Verb(n, " is", " are") }

// WasWere says "1 row was" or "2 rows were".
func WasWere(n int64, noun string) string { return Some(n, noun) + Verb(n, " was", " were") }

// HasHave says "1 row has" or "2 rows have".
func HasHave(n int64, noun string) string { return Some(n, noun) + Verb(n, " has", " have") }

// AfterFixing says when a hint that retries so many failed edges helps.
func AfterFixing(failed int64) string {
	return "after fixing what " + Verb(failed, "its code says", "their codes say")
}

// Span writes a time to go, as exact as it is of use: "12s", "4m 05s", "3h 20m", "2d 4h".
func Span(d time.Duration) string {
	seconds := int64(max(0, d).Round(time.Second) / time.Second)
	switch {
	case seconds < 60:
		return fmt.Sprintf("%ds", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%dm %02ds", seconds/60, seconds%60)
	case seconds < 24*3600:
		return fmt.Sprintf("%dh %02dm", seconds/3600, seconds/60%60)
	}
	return fmt.Sprintf("%dd %dh", seconds/86400, seconds/3600%24)
}

// Took writes a time that has passed.
func Took(d time.Duration) string {
	if d < 950*time.Millisecond {
		return "less than a second"
	}
	return Span(d)
}

// Percent writes a share with one digit after the point.
func Percent(percent float64) string { return strconv.FormatFloat(percent, 'f', 1, 64) + " %" }

// widest is how wide a text is at most, so that its lines can be read.
const widest = 100

// Width is that of a text on a stream, in columns: the terminal's, or 80.
func Width(stream any) int { return min(columnsOf(stream), widest) }

// Aligned is a name and in a column beside it what it means; below it where there is little room.
func Aligned(head, text string, width int) string {
	column := 30
	if width < 72 {
		column = 8
	}
	if len(head) > column-2 {
		head += "\n" + strings.Repeat(" ", column)
	} else {
		head += strings.Repeat(" ", column-len(head))
	}
	return head + strings.Join(Wrap(text, width-column), "\n"+strings.Repeat(" ", column)) + "\n"
}

// Wrap breaks text into lines of at most so many columns.
func Wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && uniseg.StringWidth(line)+1+uniseg.StringWidth(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// Flow fits paragraphs into a width. Indented ones stay as they are.
func Flow(text string, width int) string {
	var b strings.Builder
	for p := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		if !strings.HasPrefix(p, " ") {
			p = strings.Join(Wrap(p, width), "\n")
		}
		b.WriteString(p + "\n\n")
	}
	return b.String()
}
