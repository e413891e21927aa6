package terminal

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	mem "unsafe"
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

func TestLinesGoAboveTheBlock(t *testing.T) {
	var out bytes.Buffer
	s := New(&out, nil)
	s.Block([]Row{{Head: "sending", Color: Bold, Text: "  25 %"}, {Text: "throttled"}})
	if got := out.String(); got != "sending  25 %\nthrottled" {
		t.Errorf("the block is %q", got)
	}
	out.Reset()
	s.Line("a log line")
	if got := out.String(); got != lineUp+eraseBelow+"a log line\nsending  25 %\nthrottled" {
		t.Errorf("the line does not take the block's place: %q", got)
	}
	out.Reset()
	s.Block([]Row{{Text: "sending  50 %"}})
	s.EndBlock()
	s.Line("after")
	if got := out.String(); got != lineUp+eraseBelow+"sending  50 %\nafter\n" {
		t.Errorf("after the block: %q", got)
	}
}

// A terminal that has become narrower has divided the lines of the block.
func TestNothingRemainsOfTheBlockAfterAResize(t *testing.T) {
	var out bytes.Buffer
	s := New(&out, nil)
	s.drawn = []int{79, 170}
	s.Block(nil)
	if got := out.String(); got != strings.Repeat(lineUp, 3)+eraseBelow {
		t.Errorf("%q", got)
	}
}

// A line that has scrolled away cannot be erased, and would be there again each second.
func TestABlockIsNoHigherThanTheTerminal(t *testing.T) {
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	size := [4]uint16{4, 60, 0, 0}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), syscall.TIOCSWINSZ, uintptr(mem.Pointer(&size))); errno != 0 {
		t.Fatal(errno)
	}
	for rows, want := range [][]int{{}, {1}, {1, 2}, {1, 2, 3}, {2, 3, 4}, {3, 4, 5}} {
		s := New(f, map[string]string{"TERM": "xterm"})
		var block []Row
		for row := range rows {
			block = append(block, Row{Text: strings.Repeat("x", row+1)})
		}
		s.Block(block)
		if !slices.Equal(s.drawn, want) {
			t.Errorf("of %d rows those with %v columns are drawn, want %v", rows, s.drawn, want)
		}
	}
}

func TestColoursAreForTerminals(t *testing.T) {
	row := Row{Head: "failed 3", Color: Red, Text: ": 30003 ×3"}
	if got := row.draw(false); got != "\x1b[31mfailed 3\x1b[0m: 30003 ×3" {
		t.Errorf("%q", got)
	}
	if got := row.draw(true); got != "failed 3: 30003 ×3" {
		t.Errorf("%q", got)
	}
	if got := row.fit(10).draw(true); got != "failed 3:…" {
		t.Errorf("%q", got)
	}
	if got := row.fit(6).draw(true); got != "faile…" {
		t.Errorf("%q", got)
	}
}

func TestTheBarIsFullWhenAllIsDoneAndNotBefore(t *testing.T) {
	if got := Bar(999_999, 1_000_000); !strings.HasSuffix(got, "█░") {
		t.Errorf("one to go: %s", got)
	}
	if got := Bar(7, 7); strings.Contains(got, "░") {
		t.Errorf("nothing to go: %s", got)
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
	if got := Wrap("好友 关系 链 a", 8); !slices.Equal(got, []string{"好友", "关系 链", "a"}) {
		t.Errorf("%q", got)
	}
}

// The line that tells the exit must be the last one, also where goroutines are left behind that
// still log.
func TestNothingFollowsTheLastLine(t *testing.T) {
	var b bytes.Buffer
	s := New(&b, nil)
	s.Line("before")
	New(s, nil).Line("the end")
	s.Close()
	s.Line("after")
	s.Block([]Row{{Text: "after"}})
	if got := b.String(); got != "before\nthe end\n" {
		t.Errorf("%q", got)
	}
}
