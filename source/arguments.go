package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"friendmigrate/migrate/disk"
	"friendmigrate/source/objects"
)

// Arguments are what the user named as INPUT, and what it takes to look at it.
type Arguments struct {
	Inputs  []string       // files, folders, "-", s3://bucket/key, s3://bucket/prefix/
	Format  string         // --format
	Stdin   io.Reader      // for Compare; nil: a terminal
	Objects *objects.Store // for s3://; nil: there are none
	FS      disk.FS        // for Compare; nil: disk.OS{}

	AllowEmpty bool // --allow-empty: folders with nothing in them may be all there is

	Waits func(message string) // for Compare; may be nil; as of Job

	left LeftOut // so far, while arguments are resolved
}

// Found is an input that the arguments name.
type Found struct {
	Name string // as the user named it, a file of a folder with the folder's name before it
	Size int64  // bytes; -1: it doesn't say

	object *objects.Object // nil: a file, or standard input
	pipe   fs.FileInfo     // of a named pipe
}

// Resolve lists the inputs that the arguments name, in order: a file, an object or "-" is itself, a
// folder or a prefix is its inputs in name order. The inputs of a folder are its files whose names
// say a format, and with a format given also those whose names say none; subfolders are not read.
// left says what was not read. A name that begins with '.' or '_' is passed over without a word.
// What is not there, cannot be read or has no known format is an *InputError, folders with nothing
// in them are an *EmptyError if nothing else is named; an ErrUnreachable is for another time.
func (a Arguments) Resolve(ctx context.Context) (found []Found, left LeftOut, err error) {
	if len(a.Inputs) == 0 {
		return nil, left, &OptionError{Option: "INPUT", Reason: "none was given"}
	}
	for _, arg := range a.Inputs {
		list, err := a.expand(ctx, arg)
		if err != nil {
			return nil, left, err
		}
		found = append(found, list...)
	}
	if len(found) == 0 && !a.AllowEmpty {
		return nil, left, &EmptyError{a.left.Empty, "there is no file to read in it"}
	}
	return found, a.left, checkNames(found, a.Format)
}

func checkNames(found []Found, format string) error {
	for i, in := range found {
		if in.Name == Standard && slices.ContainsFunc(found[:i], func(f Found) bool { return f.Name == Standard }) {
			return &InputError{Name: in.Name, Reason: "standard input can be read once only"}
		}
		if in.pipe != nil && slices.ContainsFunc(found[:i],
			func(f Found) bool { return os.SameFile(f.pipe, in.pipe) }) {
			return &InputError{Name: in.Name, Reason: "a pipe can be read once only, and it is named twice"}
		}
		said, packed := nameSays(in.Name)
		if w := kindByName(in.Name); said == "" && w != nil {
			return w.error(in.Name, packed)
		}
		if said == "" && format == "" {
			better := CSV
			if strings.Contains(strings.ToLower(in.Name), ".json") {
				better = JSONL
			}
			reason := "the name doesn't say its format: use --format csv or --format jsonl"
			return &InputError{Name: in.Name, Reason: reason, Better: Flag{"format", better}}
		}
	}
	return nil
}

// expand lists the inputs that one argument names.
func (a *Arguments) expand(ctx context.Context, arg string) ([]Found, error) {
	switch {
	case arg == Standard:
		return []Found{{Name: arg, Size: -1}}, nil
	case objects.IsName(arg):
		return a.expandObject(ctx, arg)
	}
	info, err := os.Stat(arg)
	if err != nil {
		return nil, inputFault(arg, err)
	}
	if info.IsDir() {
		return a.expandFolder(arg)
	}
	one := Found{Name: arg, Size: -1}
	switch {
	case info.Mode().IsRegular():
		one.Size = info.Size()
	case info.Mode()&fs.ModeNamedPipe != 0:
		one.pipe = info
	}
	return []Found{one}, nil
}

func (a *Arguments) expandFolder(folder string) ([]Found, error) {
	entries, err := os.ReadDir(folder) // in name order
	if err != nil {
		return nil, inputFault(folder, err)
	}
	var beside LeftOut
	var found []Found
	for _, entry := range entries {
		name := filepath.Join(folder, entry.Name())
		info, err := os.Stat(name)
		switch {
		case err != nil && IsInput(entry.Name(), a.Format) && !errors.Is(err, fs.ErrNotExist):
			return nil, inputFault(name, err)
		case err == nil && info.Mode().IsRegular() && IsInput(entry.Name(), a.Format):
			found = append(found, Found{Name: name, Size: info.Size()})
		default: // a link to nothing and a pipe, too
			beside.add(name, err == nil && info.IsDir())
		}
	}
	return found, a.left.take(folder, found, beside)
}
