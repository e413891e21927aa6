package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"friendmigrate/migrate"
	"friendmigrate/source/objects"
)

// Found is an input that the arguments name, as its stat says. Size is -1 where nothing says it.
type Found struct {
	Input
	pipe fs.FileInfo // of a named pipe
}

// Resolve lists the inputs that the arguments name, in order: a file, an object or "-" is itself, a
// folder or a prefix is its inputs in name order. The inputs of a folder are its files whose names
// say a format, and with a format given also those whose names say none; subfolders are not read.
// left says what was not read. A name that begins with '.' or '_' is passed over without a word.
// What is not there, cannot be read or has no known format is an *InputError, folders with nothing
// in them are an *EmptyError if nothing else is named; an ErrUnreachable is for another time.
func (r Request) Resolve(ctx context.Context) (found []Found, left LeftOut, err error) {
	if len(r.Inputs) == 0 {
		return nil, left, &OptionError{Option: "INPUT", Reason: "none was given"}
	}
	for _, arg := range r.Inputs {
		list, err := r.expand(ctx, arg)
		if err != nil {
			return nil, left, err
		}
		found = append(found, list...)
	}
	if len(found) == 0 && !r.Options.AllowEmpty {
		return nil, left, &EmptyError{r.left.Empty, "there is no file to read in it"}
	}
	return found, r.left, checkNames(found, r.Options.Format)
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
			return w.error(in.Name, "", packed)
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
func (r *Request) expand(ctx context.Context, arg string) ([]Found, error) {
	one := Found{Input: Input{Name: arg, Size: -1, Std: true}}
	switch {
	case arg == Standard:
		return []Found{one}, nil
	case objects.IsName(arg):
		return r.expandObject(ctx, arg)
	}
	info, err := os.Stat(arg)
	switch {
	case err != nil:
		return nil, inputFault(arg, err)
	case info.IsDir():
		return r.expandFolder(arg)
	case info.Mode().IsRegular():
		one.Std = false
		one.stamp(info)
	case info.Mode()&fs.ModeNamedPipe != 0:
		one.pipe = info
	}
	return []Found{one}, nil
}

func (r *Request) expandFolder(folder string) ([]Found, error) {
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
		case err != nil && IsInput(entry.Name(), r.Options.Format) && !errors.Is(err, fs.ErrNotExist):
			return nil, inputFault(name, err)
		case err == nil && info.Mode().IsRegular() && IsInput(entry.Name(), r.Options.Format):
			one := Found{Input: Input{Name: name}}
			one.stamp(info)
			found = append(found, one)
		default: // a link to nothing and a pipe, too
			beside.count(name, err == nil && info.IsDir())
		}
	}
	return found, r.left.add(folder, found, beside)
}

// LeftOut is what folders and prefixes hold that is not read.
type LeftOut struct {
	Files   int64    `json:"files"`
	Folders int64    `json:"folders"`
	First   []string `json:"first,omitempty"` // the names of the first of them, with the folder's name before it
	Empty   []string `json:"empty,omitempty"` // folders with nothing in them
}

// count counts something that is not read. What everybody hides is not counted, nor are the folders
// that this program makes in the folder where it runs.
func (l *LeftOut) count(name string, folder bool) {
	if base := path.Base(filepath.ToSlash(name)); isHidden(base) || folder &&
		strings.HasPrefix(base, "friendmigrate-") {
		return
	}
	if folder {
		l.Folders++
	} else {
		l.Files++
	}
	if len(l.First) < mostNamed {
		l.First = append(l.First, name)
	}
}

func (l *LeftOut) all() int64 { return l.Files + l.Folders }

// String says what was left out: "2 files and 1 folder (...)". It is empty where nothing was.
func (l *LeftOut) String() string {
	var kinds []string
	if l.Files > 0 {
		kinds = append(kinds, migrate.Some(l.Files, "file"))
	}
	if l.Folders > 0 {
		kinds = append(kinds, migrate.Some(l.Folders, "folder"))
	}
	if len(kinds) == 0 {
		return ""
	}
	return strings.Join(kinds, " and ") + ": " + quoted(l.First, l.all())
}

// add adds what one folder or prefix has beside its inputs. One in which nothing can be read
// although something is there is refused; an empty one is remembered.
func (l *LeftOut) add(folder string, found []Found, beside LeftOut) error {
	switch {
	case len(found) == 0 && beside.all() > 0:
		e := &InputError{Name: folder, Reason: "nothing in it can be read; it holds " + beside.String() + onlyRead}
		if w := kindByName(beside.First[0]); w != nil {
			e.Fix = w.fix(beside.First[0], compressionNone)
		}
		return e
	case len(found) == 0:
		l.Empty = append(l.Empty, folder)
	}
	l.Files, l.Folders = l.Files+beside.Files, l.Folders+beside.Folders
	l.First = append(l.First, beside.First[:min(len(beside.First), mostNamed-len(l.First))]...)
	return nil
}

// Warning is what a user has to know about it; empty where nothing was left out.
func (l *LeftOut) Warning() string {
	if l.all() == 0 {
		return ""
	}
	return "left out " + l.String() + onlyRead
}

// onlyRead says what a folder is read for.
const onlyRead = " (only .csv, .jsonl and .ndjson are read, also with .gz or .zst, and no subfolders; " +
	"--format reads other names)"

// mostNamed is how many things a message names.
const mostNamed = 3

// quoted names the first things of so many for a message, and says how many more there are.
func quoted(names []string, all int64) string {
	var list []string
	for _, name := range names[:min(len(names), mostNamed)] {
		list = append(list, fmt.Sprintf("%.100q", name))
	}
	text := strings.Join(list, ", ")
	if more := all - int64(len(list)); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// inputOf is what tells an unchanged object.
func inputOf(name string, o objects.Object) Input {
	return Input{Name: name, Size: o.Size, ModTime: o.Modified.UnixNano(), ETag: o.ETag}
}

func parseObject(name string, store *objects.Store) (bucket, key string, err error) {
	if store == nil {
		return "", "", &InputError{Name: name, Reason: "object storage is not an input here"}
	}
	if bucket, key, err = objects.ParseName(name); err != nil {
		return "", "", &InputError{Name: name, Reason: err.Error()}
	}
	return bucket, key, nil
}

// expandObject lists the inputs of an argument that begins with s3://. A name without / at its end
// is an object, and where there is none of that name, a prefix as a folder's name is one.
func (r *Request) expandObject(ctx context.Context, arg string) ([]Found, error) {
	bucket, key, err := parseObject(arg, r.Objects)
	if err != nil {
		return nil, err
	}
	var missing error
	if key != "" && !strings.HasSuffix(key, "/") {
		o, err := r.Objects.Stat(ctx, bucket, key)
		if err == nil {
			return []Found{{Input: inputOf(arg, o)}}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, inputFault(arg, err)
		}
		key, missing = key+"/", inputFault(arg, err)
	}
	list, err := r.Objects.List(ctx, bucket, key)
	if missing != nil && (err == nil && len(list) == 0 || errors.As(err, new(*objects.Error)) &&
		!errors.Is(err, fs.ErrNotExist)) {
		return nil, missing // whether it is a prefix is nobody's first question
	}
	if err != nil {
		return nil, inputFault(arg, err)
	}
	return r.among(arg, list)
}

// among picks the inputs among the objects of a prefix, as of a folder. A prefix without any
// objects is not there: nothing else makes one.
func (r *Request) among(arg string, list []objects.Object) ([]Found, error) {
	if len(list) == 0 {
		return nil, objectFault(arg, &objects.Error{Kind: objects.Missing,
			Reason: "there are no objects below this prefix"})
	}
	var beside LeftOut
	var found []Found
	for _, o := range list {
		if folder := strings.HasSuffix(o.Key, "/"); !folder && IsInput(path.Base(o.Key), r.Options.Format) {
			found = append(found, Found{Input: inputOf(o.Name(), o)})
		} else {
			beside.count(o.Name(), folder)
		}
	}
	return found, r.left.add(arg, found, beside)
}

// objectFault tells what the user can fix from a store that gives no answer.
func objectFault(name string, e *objects.Error) error {
	if e.Kind == objects.Unreachable {
		return fmt.Errorf("read input %q: %w: %w", name, ErrUnreachable, e)
	}
	return &InputError{Name: name, Reason: "object storage", Err: e}
}
