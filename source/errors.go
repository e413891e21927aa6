package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"friendmigrate/source/objects"
)

// ErrUnusable is wrapped by every error that the user must fix in the input or the options before
// the job can begin (exit code 2). Other errors of this package are failures of the machine: I/O, a
// full disk, a cancelled context.
var ErrUnusable = errors.New("input or options cannot be used")

// ErrUnreachable is wrapped by the error if object storage gave no answer to any attempt. The same
// run may work later (exit code 4).
var ErrUnreachable = errors.New("object storage cannot be reached")

// InputError says which input cannot be used and why. It is an ErrUnusable.
type InputError struct {
	Name   string // as the user named it; "-" is standard input
	Line   int64  // of the uncompressed content, from 1; 0: not about a line
	Reason string
	Err    error // the cause, if there is one

	// What helps; empty if nothing is known to help. Fix returns a command with names quoted by
	// quote; see Command.
	Fix    func(quote func(name string) string) string
	Better Flag
}

// Flag is a flag, without dashes, and the value that it should have; "": leave the flag out. The
// user must replace words in capitals.
type Flag struct{ Name, Value string }

// Better returns the flag that fixes an error. Its Name is "" if none is known.
func Better(err error) Flag {
	if input, ok := errors.AsType[*InputError](err); ok {
		return input.Better
	}
	if option, ok := errors.AsType[*OptionError](err); ok {
		return option.Better
	}
	return Flag{}
}

// Command returns the command of Fix or, without a Fix, one that shows the line or the file; "" if
// there is none. quote makes a name one word for a shell.
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
	case objects.IsName(strings.ToLower(e.Name)): // S3:// is taken for a file, which is not there
		return "aws s3 ls " + quote(objects.Scheme+e.Name[len(objects.Scheme):])
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
	if e.Err != nil && e.Err != fs.ErrNotExist && e.Err != fs.ErrPermission { // Reason says those
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

// EmptyError says that the inputs hold no row and --allow-empty is not given. It is an ErrUnusable.
type EmptyError struct {
	Inputs []string // as the user named them
	Why    string   // why the last of them has no row; "": not known
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

// inputFault returns an *InputError for what the user can fix (there is no such file, it may not be
// read), and another error for a failure of the machine.
func inputFault(name string, err error) error {
	if answer := (*objects.Error)(nil); errors.As(err, &answer) {
		return objectFault(name, answer)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.Contains(name, "://"):
		e := &InputError{Name: name, Reason: "objects are named s3://BUCKET/KEY, and --s3-endpoint says of which store",
			Err: fs.ErrNotExist}
		if path, is := strings.CutPrefix(name, "file://"); is {
			e.Reason = "a file is named by its path alone"
			e.Fix = (&wrong{look: "ls -l"}).fix(path, compressionNone)
		} else if strings.HasPrefix(name, "http") {
			e.Fix = (&wrong{look: "curl -fO"}).fix(name, compressionNone)
		}
		return e
	case errors.Is(err, fs.ErrNotExist):
		reason := "there is no such file"
		if to, err := os.Readlink(name); err == nil {
			reason = fmt.Sprintf("it is a link to %q, which is not there", to)
		}
		return &InputError{Name: name, Reason: reason, Err: fs.ErrNotExist}
	case errors.Is(err, fs.ErrPermission):
		return &InputError{Name: name, Reason: "it may not be read", Err: fs.ErrPermission}
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ENAMETOOLONG):
		cause, _ := errors.AsType[syscall.Errno](err)
		return &InputError{Name: name, Reason: "it cannot be opened: " + cause.Error()}
	}
	return fmt.Errorf("read input %q: %w", name, err)
}
