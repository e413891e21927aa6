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

// Standard is how the user names standard input.
const Standard = "-"

// isStream reports whether a name means a stream that the process got from its parent. A later
// command finds another one there.
func isStream(name string) bool {
	return name == Standard || slices.Contains([]string{"/dev/stdin", "/dev/fd", "/proc/self/fd"}, name) ||
		slices.Contains([]string{"/dev/fd", "/proc/self/fd"}, path.Dir(name))
}

// Found is an input that the arguments name, with its stat. Size is -1 if it is not known.
type Found struct {
	Input
	pipe fs.FileInfo // of a named pipe
}

// Once reports whether the input can be read once only.
func (f *Found) Once() bool { return f.Name == Standard || f.pipe != nil }

// Resolve lists the inputs that the arguments name, in order. A file, an object or "-" is one
// input; a folder or a prefix stands for its inputs in name order. These are the files whose names
// say a format and, if Options has a format, those whose names say none. Subfolders are not read.
// left says what is not read, except names that begin with '.' or '_'.
//
// The error is an *InputError for an argument that is missing, cannot be read or has no known
// format, and an *EmptyError if all arguments are empty folders. After an ErrUnreachable
// the same call may work later.
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
		switch input := IsInput(entry.Name(), r.Options.Format); {
		case input && err != nil: // also a link to a file that is gone: its rows would be missed
			return nil, inputFault(name, err)
		case !input || !info.Mode().IsRegular(): // also a pipe
			beside.count(name, err == nil && info.IsDir())
		default:
			one := Found{Input: Input{Name: name}}
			one.stamp(info)
			found = append(found, one)
		}
	}
	return found, r.left.add(folder, found, beside)
}

// LeftOut counts what folders and prefixes hold that is not read.
type LeftOut struct {
	Files   int64    `json:"files"`
	Folders int64    `json:"folders"`
	First   []string `json:"first,omitempty"` // names of the first of them, with the folder's name before
	Empty   []string `json:"empty,omitempty"` // folders with nothing in them
}

// count counts a file or folder that is not read. It does not count hidden ones, nor the folders
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

// String says what was left out: "2 files and 1 folder: ...". It is empty if nothing was.
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

// add adds beside, which one folder or prefix has besides the inputs found in it. It refuses a
// folder that has something but no input, and records an empty one in Empty.
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

// Warning returns a warning about what was left out; it is empty if nothing was.
func (l *LeftOut) Warning() string {
	if l.all() == 0 {
		return ""
	}
	return "left out " + l.String() + onlyRead
}

// onlyRead says, in messages, which files of a folder are read.
const onlyRead = " (only .csv, .jsonl and .ndjson are read, also with .gz or .zst, and neither subfolders nor pipes; " +
	"--format reads other names)"

// mostNamed is the most things that a message names.
const mostNamed = 3

// quoted quotes the first names for a message and says how many more of all there are.
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

// inputOf returns the Input of an object, by which a later run sees whether it is unchanged.
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
// is an object or, if there is no such object, a prefix like a folder's name.
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
		return nil, missing // the user most likely meant the object, so its error is better
	}
	if err != nil {
		return nil, inputFault(arg, err)
	}
	return r.among(arg, list)
}

// among returns the inputs among the objects of a prefix, as for a folder. A prefix without objects
// does not exist.
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

// objectFault returns an ErrUnreachable for a store that gives no answer, and else an *InputError.
func objectFault(name string, e *objects.Error) error {
	if e.Kind == objects.Unreachable {
		return fmt.Errorf("read input %q: %w: %w", name, ErrUnreachable, e)
	}
	return &InputError{Name: name, Reason: "object storage", Err: e}
}

// nameSays returns format and compression according to a file's name; "" and compressionNone if it
// does not say.
func nameSays(name string) (format string, packed compression) {
	ext := filepath.Ext(name)
	switch strings.ToLower(ext) {
	case ".gz":
		packed, name = compressionGzip, strings.TrimSuffix(name, ext)
	case ".zst":
		packed, name = compressionZstd, strings.TrimSuffix(name, ext)
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		format = CSV
	case ".jsonl", ".ndjson":
		format = JSONL
	}
	return format, packed
}

// FormatOf returns the format that a file's name shows, or "" if it shows none.
func FormatOf(name string) string {
	format, _ := nameSays(name)
	return format
}

// isHidden reports whether a name in a folder marks a hidden file, which is no input. Hadoop and
// others hide files like this.
func isHidden(base string) bool { return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") }

// IsInput reports whether a folder's file of that name is one of its inputs.
func IsInput(base, format string) bool {
	return !isHidden(base) && (FormatOf(base) != "" || format != "")
}
