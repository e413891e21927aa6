package exit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Ending is how a command ended, for its last line.
type Ending struct {
	Code Code
	What string // what happened, in one sentence without a full stop
	Hint string // the command to run next, quoted for a shell; more words follow only as its comment

	Why    string // reason in one word, for programs, if there is more to tell than the code
	Public string // What without text of the service, which may name accounts; empty: What has none
	Report string // the file that says more; empty: there is none
}

// NothingToRun begins a hint that is no command.
const NothingToRun = "nothing to run"

// LastLine returns the last line on standard error, without its newline, if that is no terminal:
// scripts find the hint in it. If What holds several errors, each becomes a line, once; the hint
// follows the last.
func (e Ending) LastLine() string {
	line := "friendmigrate: " + strings.Join(Sentences(e.What), "\nfriendmigrate: ")
	if e.Hint != "" {
		line += "; hint: " + strings.Join(Sentences(e.Hint), " ")
	}
	return line
}

// OneLine returns What on one line.
func (e Ending) OneLine() string { return strings.Join(Sentences(e.What), "; ") }

// Sentences splits joined errors and leaves out repeated ones. It hides a user and a password in a
// URL.
func Sentences(s string) (all []string) {
	parts := strings.Split(s, "://")
	for i, part := range parts[1:] {
		host := part[:strings.IndexAny(part+"/", "/?# \t\r\n")]
		if at := strings.LastIndex(host, "@"); at >= 0 {
			parts[i+1] = "***" + part[at:]
		}
	}
	s = strings.Join(parts, "://")
	for line := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if !slices.ContainsFunc(all, func(said string) bool { return strings.HasSuffix(said, line) }) {
			all = append(all, line)
		}
	}
	return all
}

// Error is an error with its exit code and a hint.
type Error struct {
	Code Code
	Err  error
	Hint string // see Ending; empty: the caller finds one
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an Error with a text as in fmt.Errorf.
func Errorf(code Code, hint, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...), Hint: hint}
}

// Because adds a code to err, unless err is nil or has one already.
func Because(code Code, err error) error {
	if known := (*Error)(nil); err == nil || errors.As(err, &known) {
		return err
	}
	return &Error{Code: code, Err: err}
}
