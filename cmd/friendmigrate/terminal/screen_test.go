package terminal

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestControlCharactersNeverReachTheTerminalRaw(t *testing.T) {
	for in, want := range map[string]string{
		"plain ü 好 line\n": "plain ü 好 line\n",
		"\x1b[2Jx":         `\x1b[2Jx`,
		"a\rb":             `a\x0db`,
		"a\u009bb":         `a\u009bb`,
		"a\u202eb":         `a\u202eb`,
		"a\xffb":           `a\xffb`,
		"\x00\x07\x7f\t":   `\x00\x07\x7f\x09`,
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLinesGoAboveTheBar(t *testing.T) {
	var out bytes.Buffer
	s := New(&out)
	s.Bar(1, 4, "sending")
	out.Reset()
	s.Line("a log line")
	got := out.String()
	if !strings.HasPrefix(got, eraseLine+"a log line\n") {
		t.Errorf("the line does not take the bar's place: %q", got)
	}
	if !strings.Contains(got, "25%") || !strings.Contains(got, "sending") {
		t.Errorf("the bar is not drawn again: %q", got)
	}
	s.EndBar()
	out.Reset()
	s.Line("after")
	if got := out.String(); got != "after\n" {
		t.Errorf("after the bar: %q", got)
	}
}

func TestBarReachesExactlyAllAndNotBefore(t *testing.T) {
	var out bytes.Buffer
	s := New(&out)
	s.Bar(999_999, 1_000_000, "x")
	if got := out.String(); strings.Contains(got, "100%") {
		t.Errorf("100 %% with one to go: %q", got)
	}
	s.Bar(1_000_000, 1_000_000, "y")
	if got := out.String(); !strings.Contains(got, "100% ") || !strings.Contains(got[strings.LastIndex(got, "100%"):], " y") {
		t.Errorf("no 100 %% with the last text at the end: %q", got)
	}
}

func TestANewTotalBeginsANewBar(t *testing.T) {
	var out bytes.Buffer
	s := New(&out)
	s.Bar(10, 10, "reading")
	s.Bar(0, 0, "waiting")
	s.Bar(1, 2, "sending")
	if got := out.String(); !strings.Contains(got, "waiting") || !strings.Contains(got, " 50%") {
		t.Errorf("%q", got)
	}
}

func TestNumbersForPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0s", 12 * time.Second: "12s", 245 * time.Second: "4m 05s", 200 * time.Minute: "3h 20m", 52 * time.Hour: "2d 4h", -time.Second: "0s",
	} {
		if got := Span(d); got != want {
			t.Errorf("Span(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestTextThatIsTooLongIsCut(t *testing.T) {
	for _, c := range []struct {
		width int
		want  string
	}{{20, "ünter den Linden"}, {16, "ünter den Linden"}, {6, "ünter…"}, {1, "…"}, {-3, "…"}} {
		if got := cut("ünter den Linden", c.width); got != c.want {
			t.Errorf("%d: %q", c.width, got)
		}
	}
	for _, c := range []struct {
		width      int
		text, want string
	}{{4, "好友", "好友"}, {3, "好友", "好…"}, {2, "好友", "…"}, {5, "a好友b", "a好…"}, {3, "e\u0301a\u0308o", "e\u0301a\u0308o"}, {2, "한국", "…"}, {0, "", ""}, {1, "👩‍👩‍👧x", "…"}} {
		if got := cut(c.text, c.width); got != c.want {
			t.Errorf("%q in %d columns: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

// The line that tells the exit must be the last one, also where goroutines are left behind that
// still log.
func TestNothingFollowsTheLastLine(t *testing.T) {
	var b bytes.Buffer
	s := New(&b)
	s.Line("before")
	New(s).Last("the end")
	s.Line("after")
	s.Bar(1, 2, "after")
	if got := b.String(); got != "before\nthe end\n" {
		t.Errorf("%q", got)
	}
}
