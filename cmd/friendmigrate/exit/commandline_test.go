package exit

import (
	"os/exec"
	"strings"
	"testing"
)

func line(args ...string) CommandLine {
	takes := map[string]bool{"state": true, "rate": true}
	return Parse("friendmigrate", "import", args, func(name string) bool { return takes[name] })
}

func TestHintKeepsTheUsersFlagsAndDropsWhatMustNotBeRepeated(t *testing.T) {
	for _, c := range []struct {
		name string
		got  CommandLine
		want string
	}{
		{"as it was", line("--rate", "100", "a.csv", "--state=s", "b.csv"), "friendmigrate import --rate 100 --state=s a.csv b.csv"},
		{"fresh goes", line("--fresh", "--state", "s", "a.csv").Without("fresh"), "friendmigrate import --state s a.csv"},
		{"a value that looks like a flag is a value", line("--state", "--fresh", "a.csv").Without("fresh"), "friendmigrate import --state --fresh a.csv"},
		{"a switch takes no value", line("--fresh", "a.csv").Without("fresh"), "friendmigrate import a.csv"},
		{"with replaces", line("--state", "s", "a.csv").With("state", "t"), "friendmigrate import --state t a.csv"},
		{"optional value", line("a.csv").WithWord("--retry-failed=30003"), "friendmigrate import --retry-failed=30003 a.csv"},
		{"after --", line("--rate", "1", "--", "-a.csv"), "friendmigrate import --rate 1 -- -a.csv"},
		{"a number is no flag, and ends the flags", line("--rate", "1", "-5", "--fresh"), "friendmigrate import --rate 1 -- -5 --fresh"},
		{"standard input", line("-").From("/dev/null"), "friendmigrate import - < /dev/null"},
		{"spaces", line("my file.csv"), "friendmigrate import 'my file.csv'"},
		{"go run", Parse("/tmp/go-build1/b001/exe/friendmigrate", "import", []string{"a"}, nil), "go run ./cmd/friendmigrate import a"},
	} {
		if got := c.got.String(); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWithLeavesTheOriginalAlone(t *testing.T) {
	l := line("--state", "s", "a.csv")
	_, _ = l.With("rate", "1").String(), l.With("state", "t")
	if got, want := l.String(), "friendmigrate import --state s a.csv"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A shell has to read back what was quoted.
func TestQuotedWordsSurviveAShell(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	for _, word := range []string{"", "plain", "two words", "it's", `back\slash`, "$HOME", "`id`", "*", "~", "a=b,c=d", "ü", "tab\there", "esc\x1b[2J", "bad\xff", "new\nline", "!x", "#x", "(x)", "a;b", "a&b", "\u200b", "\u0085", "a\u2028b", "\u202e"} {
		out, err := exec.Command(shell, "-c", "printf %s "+Quote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q as %s came back as %q (%v)", word, Quote(word), out, err)
		}
	}
}

func TestControlCharactersAreNeverQuotedRaw(t *testing.T) {
	for _, word := range []string{"\x1b[2J", "\r", "\x07", "\u009b31m", "\x7f", "\u2028", "\u202e"} {
		if quoted := Quote(word); strings.ContainsAny(quoted, "\x1b\r\x07\x7f\u009b\u2028\u202e") {
			t.Errorf("%q is quoted raw: %q", word, quoted)
		}
	}
}
