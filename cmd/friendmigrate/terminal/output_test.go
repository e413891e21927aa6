package terminal

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
)

func TestJSONHoldsNothingThatATerminalObeys(t *testing.T) {
	const odd = "a\x1b[2J\x7f\u009b31m\u202eb\u2028c\r\n<é\U0001f600"
	for name, write := range map[string]func(io.Writer, any) error{"indented": WriteJSON, "line": WriteJSONLine} {
		var b strings.Builder
		if err := write(&b, map[string]string{"text": odd}); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "\x1b\x7f\u009b\u202e\u2028\r") {
			t.Errorf("%s: raw controls in %q", name, b.String())
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back["text"] != odd {
			t.Errorf("%s: read back %q, %v", name, back["text"], err)
		}
	}
}

func TestAListIsCleanedOnATerminalAloneAndWhereverItIsCut(t *testing.T) {
	const text = "a,é\u009b,\x1b[2J\nb,中\n"
	for _, terminal := range []bool{false, true} {
		want := text
		if terminal {
			want = "a,é\\u009b,\\x1b[2J\nb,中\n"
		}
		for cut := range len(text) {
			var b strings.Builder
			l := &list{out: &b, terminal: terminal}
			for _, part := range []string{text[:cut], text[cut:]} {
				if n, err := io.WriteString(l, part); n != len(part) || err != nil {
					t.Fatal(n, err)
				}
			}
			if err := l.Close(); err != nil || b.String() != want {
				t.Fatalf("cut at %d, terminal %v: %q, %v", cut, terminal, b.String(), err)
			}
		}
	}
}
