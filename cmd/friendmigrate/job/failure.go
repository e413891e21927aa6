package job

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/source"
)

// Failure returns the ending for an error.
func (p *Program) Failure(err error) exit.Ending {
	known := &exit.Error{Code: exit.Unexpected, Err: err}
	if errors.Is(err, checkpoint.ErrLocked) {
		known.Code = exit.InUse
	}
	if noPlace(err) {
		known.Code = exit.Unusable
	}
	signal, signalled := errors.AsType[Signal](err)
	if !errors.As(err, &known) && signalled { // the interrupted step returned no code
		known.Code = exit.Unfinished
		err = fmt.Errorf("stopped by %w before this run sent anything", signal)
	}
	e := exit.Ending{Code: known.Code, What: p.Meaning(err), Hint: known.Hint}
	if signalled {
		e.Why = string(migrate.ReasonSignal)
	}
	if _, ok := errors.AsType[*migrate.Bug](err); ok {
		e.Code = exit.Unexpected
		e.Public = "a bug; what was answered so far is recorded"
		e.What += "; what was answered so far is recorded"
	}
	if e.Hint == "" {
		e.Hint = p.Hint(err, e.Code)
	}
	return p.HintOutsidePod(e)
}

// noPlace reports whether an error says that there is no such folder, and that there can be none.
func noPlace(err error) bool {
	return errors.Is(err, folder.ErrNoJob) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG)
}

// Hint returns the command to run after an error that has no hint.
func (p *Program) Hint(err error, code exit.Code) string {
	input, _ := errors.AsType[*source.InputError](err)
	known, _ := errors.AsType[*exit.Error](err)
	var proxy settings.BadProxy
	switch {
	case known != nil && known.Hint != "":
		return known.Hint
	case errors.As(err, new(settings.Missing)):
		return p.Completed(p.Corrected(p.Line(), settings.Refusals(err)...)).String()
	case errors.As(err, new(*source.EmptyError)):
		return p.Line().With("allow-empty", "").String() + " # if it may be empty; else look at what wrote it"
	case source.Better(err).Name != "":
		return p.Corrected(p.Line(), source.Better(err)).String()
	case p.canCorrect(settings.Refusals(err)):
		return p.Corrected(p.Line(), settings.Refusals(err)...).String()
	case errors.As(err, &proxy):
		return "env " + string(proxy) + "=http://HOST:PORT " + p.Line().String()
	case input != nil && input.Command(exit.Quote) != "":
		return input.Command(exit.Quote)
	case NoSpace(err):
		return p.ResumeLine().String() + " # after making room"
	case noPlace(err):
		return p.Elsewhere()
	case errors.Is(err, checkpoint.ErrDamaged):
		return p.As(p.Line(), "import", "json").Of("INPUT").String() + " # the same as before: it says what can be done"
	case code == exit.Unexpected && errors.Is(err, fs.ErrPermission) && !p.begins():
		return p.Line().String() + " # as the user whom the folder belongs to"
	case code == exit.Unexpected && cannotWrite(err):
		return p.Elsewhere() + " # in a folder that can be written; a job that has begun goes on in a copy of its " +
			"folder"
	case code == exit.Unusable:
		return p.Line().String() + " # after fixing that; " + p.Help() + " lists the flags"
	case code == exit.InUse:
		return p.Line().String()
	}
	return p.ResumeLine().String()
}

// begins reports whether the command can begin a state of its own.
func (p *Program) begins() bool {
	name, _ := Split(p.Args)
	return slices.Contains([]string{"import", "plan", "update", "accounts", "export", "doctor"}, name)
}

// Corrected returns a line with better values of flags. A flag without a value is left out.
func (p *Program) Corrected(line exit.CommandLine, flags ...source.Flag) exit.CommandLine {
	for _, f := range flags {
		// If one error wants the flag left out, no other value helps.
		if slices.Contains(flags, source.Flag{Name: f.Name}) {
			f.Value = ""
		}
		switch f.Value {
		case "true":
			line = line.With(f.Name, "")
		case "":
			line = p.Without(line, f.Name)
		default:
			line = line.With(f.Name, f.Value)
		}
	}
	return line
}

// canCorrect reports whether the command has all of the flags. Command manifest also checks flags of
// the import that it describes, some of which it does not have.
func (p *Program) canCorrect(refused []source.Flag) bool {
	name, _ := Split(p.Args)
	flags := p.Flags(name)
	foreign := func(f source.Flag) bool {
		_, has := flags[f.Name]
		return !has
	}
	return len(refused) > 0 && !slices.ContainsFunc(refused, foreign)
}

// NoSpace reports whether a disk is full or a quota is used up.
func NoSpace(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

func cannotWrite(err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission)
}

// Meaning returns the text of an error and, if this machine reached one of its limits, what that
// means.
func (p *Program) Meaning(err error) string {
	text := strings.Join(exit.Sentences(err.Error()), "\n")
	file, _ := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		text += "; that is this machine's limit of open files: raise it with ulimit -n"
	case NoSpace(err) && file != nil && file.Path != os.Stdout.Name():
		dir := filepath.Dir(file.Path)
		free, err := p.Volume.Free(dir)
		// The folder may have been removed since.
		for ; errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir); free, err = p.Volume.Free(dir) {
			dir = filepath.Dir(dir)
		}
		// A list that did not fit is removed, so the volume may have room again.
		if err == nil && free < p.Needed {
			text += fmt.Sprintf("; the volume of %q has %s free, and %s or more may be needed", dir,
				settings.FormatSize(free), settings.FormatSize(p.Needed))
		}
	}
	return text
}

// Stopped returns the error of a command that a signal has stopped, and whose hint is to run it
// again from the beginning, or nil if none has.
func (p *Program) Stopped(ctx context.Context, format string) error {
	cause := context.Cause(ctx)
	if cause == nil {
		return nil
	}
	return exit.Errorf(exit.Unfinished, p.Line().String(), format, cause)
}

// Signal is the cause of a context that a signal has ended.
type Signal struct{ Signal os.Signal }

func (s Signal) Error() string {
	switch s.Signal {
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGHUP:
		return "SIGHUP"
	case syscall.SIGQUIT:
		return "SIGQUIT"
	case os.Interrupt:
		return "SIGINT"
	}
	return s.Signal.String()
}
