package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"friendmigrate/source/objects"
)

// ErrUnusable is what every error is that the user has to fix in the input or in the options
// before the job can begin (exit code 2). Other errors of this package are failures of the machine:
// I/O, a full disk, a cancelled context.
var ErrUnusable = errors.New("input or options cannot be used")

// ErrUnreachable is what an error is where object storage gave no answer, for as long as it was
// tried: the same run may work later (exit code 4).
var ErrUnreachable = errors.New("object storage cannot be reached")

// InputError says which input cannot be used and why. It is an ErrUnusable.
type InputError struct {
	Name   string // as the user named it; "-" is standard input
	Line   int64  // of the uncompressed content, from 1; 0: not about a line
	Reason string
	Err    error // the cause, if there is one

	// What helps; empty where nothing is known to. Fix is a command in which names are quoted as
	// quote does it; see Command.
	Fix    func(quote func(name string) string) string
	Better Flag
}

// Flag is a flag by its name without dashes, and the value that it should have; "": leave it out.
// Words in capitals are for the user to fill in.
type Flag struct{ Name, Value string }

// Better returns the flag that helps against an error; its Name is "" if none is known to.
func Better(err error) Flag {
	if input, ok := errors.AsType[*InputError](err); ok {
		return input.Better
	}
	if option, ok := errors.AsType[*OptionError](err); ok {
		return option.Better
	}
	return Flag{}
}

// Command is Fix, or else the command that shows the line or the file; "" where there is none.
// quote makes a name one word for a shell.
func (e *InputError) Command(quote func(name string) string) string {
	_, packed := nameSays(e.Name)
	line := fmt.Sprintf("sed -n %dp", e.Line)
	switch {
	case e.Fix != nil:
		return e.Fix(quote)
	case isStream(e.Name) && e.Line > 0:
		return line + " FILE # what was given to standard input"
	case isStream(e.Name):
		return ""
	case objects.IsName(e.Name):
		return "aws s3 ls " + quote(e.Name)
	case e.Line > 0 && packed != compressionNone:
		return packed.String() + " -dc < " + quote(e.Name) + " | " + line
	case e.Line > 0:
		return line + " " + quote(e.Name)
	case errors.Is(e.Err, fs.ErrNotExist):
		return "ls -l " + quote(filepath.Dir(e.Name))
	}
	return "ls -l " + quote(e.Name)
}

func (e *InputError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "input %q", e.Name)
	if e.Line > 0 {
		fmt.Fprintf(&b, ", line %d", e.Line)
	}
	b.WriteString(": ")
	b.WriteString(e.Reason)
	if e.Err != nil && e.Err != fs.ErrNotExist && e.Err != fs.ErrPermission { // the reason says those
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap makes the error an ErrUnusable as well as its cause.
func (e *InputError) Unwrap() []error { return []error{ErrUnusable, e.Err} }

// OptionError says which option cannot be used and why. It is an ErrUnusable.
type OptionError struct {
	Option string // its flag: "--map"
	Reason string
	Better Flag // see InputError
}

func (e *OptionError) Error() string { return e.Option + ": " + e.Reason }

// Unwrap makes the error an ErrUnusable.
func (e *OptionError) Unwrap() error { return ErrUnusable }

// EmptyError says that the inputs hold not a single row and --allow-empty is not given. It is an
// ErrUnusable.
type EmptyError struct {
	Inputs []string // as the user named them
	Why    string   // the last of them has none; "": not known
}

func (e *EmptyError) Error() string {
	text := "no rows in " + quoted(e.Inputs, int64(len(e.Inputs)))
	if len(e.Inputs) == 1 && e.Why != "" {
		text += ": " + e.Why
	}
	return text
}

// Unwrap makes the error an ErrUnusable.
func (e *EmptyError) Unwrap() error { return ErrUnusable }
