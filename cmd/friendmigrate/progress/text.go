package progress

import (
	"fmt"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
)

// Line says it in one line, for where there is no bar.
func (s Snapshot) Line() string {
	if s.Phase == Reading {
		return "reading the input: " + s.readingText()
	}
	text := fmt.Sprintf("%.1f %%: %s", s.Percent, s.sendingText())
	if s.Slow != "" {
		text += " (" + s.Slow + ")"
	}
	return text
}

// Beside is what stands behind a bar, which shows the share itself.
func (s Snapshot) Beside() string {
	if s.Phase == Reading {
		return "reading: " + s.readingText()
	}
	text := s.sendingText()
	if s.Short != "" {
		text += ", " + s.Short
	}
	return text
}

func (s Snapshot) readingText() string {
	in := s.Input
	if in == nil {
		return "about to begin"
	}
	if in.Total > 0 && in.Bytes >= in.Total {
		return terminal.Some(in.Rows, "row") + ", grouping them by account"
	}
	text := terminal.Some(in.Rows, "row") + ", " + settings.FormatSize(in.Bytes)
	if in.Total > 0 {
		text += " of " + settings.FormatSize(in.Total)
	}
	return text + s.leftText()
}

func (s Snapshot) sendingText() string {
	var parts []string
	parts = append(parts, terminal.Count(s.Settled)+" of "+terminal.Some(s.Total, "edge"))
	if a := s.Account; a != nil && a.Failed() > 0 {
		parts = append(parts, terminal.Count(a.Failed())+" failed")
	}
	if c := s.Calls; c != nil && s.Phase == Sending {
		parts = append(parts, fmt.Sprintf("%.0f calls/s", c.PerSecond))
	}
	text := strings.Join(parts, ", ")
	if s.Phase == Sending {
		text += s.leftText()
	}
	return text
}

func (s Snapshot) leftText() string {
	if s.Left == nil {
		return ""
	}
	return ", " + terminal.Span(time.Duration(*s.Left*float64(time.Second))) + " left"
}
