package exit

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// CommandLine is a command line. The zero CommandLine cannot be used.
type CommandLine struct {
	program string
	command string
	flags   []flag
	inputs  []string
	stdin   string // file that standard input is redirected from; empty: none
	unset   []string
}

type flag struct {
	name  string   // without dashes
	words []string // as written
}

// Parse splits the arguments after the name of the command. takesValue reports whether a flag,
// named without dashes, takes the next word as its value.
func Parse(program, command string, args []string, takesValue func(name string) bool) CommandLine {
	l := CommandLine{program: program, command: command}
	for i := 0; i < len(args); i++ {
		word := args[i]
		switch {
		case word == "--":
			l.inputs = append(l.inputs, args[i+1:]...)
			return l
		case len(word) > 1 && word[0] == '-' && word[1] != '-' && strings.IndexFunc(word, unicode.IsLetter) != 1:
			l.inputs = append(l.inputs, args[i:]...) // as the library takes "-5"
			return l
		case word == "-" || !strings.HasPrefix(word, "-"):
			l.inputs = append(l.inputs, word)
		default:
			name, _, whole := strings.Cut(strings.TrimLeft(word, "-"), "=")
			f := flag{name: name, words: []string{word}}
			if !whole && takesValue(name) && i+1 < len(args) {
				i++
				f.words = append(f.words, args[i])
			}
			l.flags = append(l.flags, f)
		}
	}
	return l
}

// Without returns the line without these flags.
func (l CommandLine) Without(names ...string) CommandLine {
	l.flags = slices.DeleteFunc(slices.Clone(l.flags), func(f flag) bool { return slices.Contains(names, f.name) })
	return l
}

// With sets a flag, replacing its values. With an empty value the flag becomes a switch.
func (l CommandLine) With(name, value string) CommandLine {
	words := []string{"--" + name}
	if value != "" {
		words = append(words, value)
	}
	l = l.Without(name)
	l.flags = append(slices.Clip(l.flags), flag{name: name, words: words})
	return l
}

// As returns the line with another command, keeping only the flags that the other command has.
func (l CommandLine) As(command string, has func(name string) bool) CommandLine {
	l.command, l.inputs, l.stdin = command, nil, ""
	l.flags = slices.DeleteFunc(slices.Clone(l.flags), func(f flag) bool { return !has(f.name) })
	return l
}

// WithWord adds a flag as one word, such as --flag=value.
func (l CommandLine) WithWord(word string) CommandLine {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	l.flags = append(slices.Clip(l.flags), flag{name: name, words: []string{word}})
	return l
}

// Has reports whether a flag is on the command line.
func (l CommandLine) Has(name string) bool {
	return slices.ContainsFunc(l.flags, func(f flag) bool { return f.name == name })
}

// Value returns the last value of a flag, or "" if it has none.
func (l CommandLine) Value(name string) (value string) {
	for _, f := range l.flags {
		if f.name != name {
			continue
		}
		if _, value, _ = strings.Cut(f.words[0], "="); len(f.words) > 1 {
			value = f.words[1]
		}
	}
	return value
}

// Of replaces the inputs.
func (l CommandLine) Of(inputs ...string) CommandLine {
	l.inputs = inputs
	return l
}

// Inputs returns the inputs of the line.
func (l CommandLine) Inputs() []string { return l.inputs }

// From redirects standard input.
func (l CommandLine) From(file string) CommandLine {
	l.stdin = file
	return l
}

// Unset adds a variable that must not be set when the line runs.
func (l CommandLine) Unset(variable string) CommandLine {
	l.unset = append(slices.Clip(l.unset), variable)
	return l
}

// Flags returns the words of the flags.
func (l CommandLine) Flags() (words []string) {
	for _, f := range l.flags {
		words = append(words, f.words...)
	}
	return words
}

// String returns the command line, quoted.
func (l CommandLine) String() string {
	words := l.Flags()
	if slices.ContainsFunc(l.inputs, func(in string) bool { return in != "-" && strings.HasPrefix(in, "-") }) {
		words = append(words, "--")
	}
	words = append(words, l.inputs...)
	text := programText(l.program)
	if len(l.unset) > 0 {
		text = "env -u " + strings.Join(l.unset, " -u ") + " " + text
	}
	if l.command != "" {
		text += " " + l.command
	}
	for _, w := range words {
		text += " " + Quote(w)
	}
	if l.stdin != "" {
		text += " < " + Quote(l.stdin)
	}
	return text
}

// programText returns how to call the program again. A binary that "go run" built no longer exists
// after it has ended.
func programText(program string) string {
	if program == "" {
		return "friendmigrate"
	}
	if strings.Contains(strings.ReplaceAll(program, `\`, "/"), "/go-build") {
		return "go run ./cmd/friendmigrate"
	}
	return Quote(program)
}

// Quote returns a word that a POSIX shell reads as s. Control characters are written so that they
// never reach a terminal raw ($'...', which bash, zsh and POSIX.1-2024 shells know).
func Quote(s string) string {
	if s == "" {
		return "''"
	}
	if strings.ContainsFunc(s, unseen) {
		return quoteControls(s)
	}
	if !strings.ContainsFunc(s, special) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// unseen reports whether the screen does not show a character as it is.
func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || strings.ContainsRune("\u2028\u2029\uFFFD", r)
}

func special(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r >= 0xa0 ||
		strings.ContainsRune("-_./:,=@%+", r))
}

func quoteControls(s string) string {
	var b strings.Builder
	b.WriteString("$'")
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < 0x20 || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteString("'")
	return b.String()
}
