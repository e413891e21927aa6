package terminal

import "strings"

// Width is that of help texts, in columns.
const Width = 100

// Aligned is a name and in a column beside it what it means.
func Aligned(head, text string) string {
	const column = 30
	if len(head) > column-2 {
		head += "\n" + strings.Repeat(" ", column)
	} else {
		head += strings.Repeat(" ", column-len(head))
	}
	return head + strings.Join(Wrap(text, Width-column), "\n"+strings.Repeat(" ", column)) + "\n"
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

// Flow fits paragraphs into Width. Indented ones stay as they are.
func Flow(text string) string {
	var b strings.Builder
	for p := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		if !strings.HasPrefix(p, " ") {
			p = strings.Join(Wrap(p, Width), "\n")
		}
		b.WriteString(p + "\n\n")
	}
	return b.String()
}
