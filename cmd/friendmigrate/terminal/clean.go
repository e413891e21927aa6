package terminal

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// connection is what Go says of a connection before it says what is wrong.
var connection = regexp.MustCompile(`\b(?:dial|read|write) tcp \S+: (?:\w+: )?`)

// Brief is an error of a connection without its addresses.
func Brief(text string) string { return connection.ReplaceAllString(text, "") }

// Clean makes every character visible that a terminal would obey: control characters, and those
// that turn the direction of writing. Line feeds stay.
func Clean(s string) string {
	if !strings.ContainsFunc(s, unsafe) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !unsafe(r):
			b.WriteString(s[i : i+size])
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	return b.String()
}

func unsafe(r rune) bool {
	return r != '\n' && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' ||
		r == '\u2029' || r == utf8.RuneError)
}
