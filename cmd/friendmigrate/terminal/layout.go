package terminal

import "strings"

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
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
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
