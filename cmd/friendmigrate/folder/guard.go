package folder

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/source"
)

// AccountsHeader is the first line of the lists of accounts that commands write. It shows that the
// file is ours, so that a later run may overwrite it.
const AccountsHeader = "From_Account"

// Reads are the files and folders that a command reads. None of them is overwritten, moved or
// removed, whatever name leads to it: relative or absolute, symlink or hard link.
type Reads struct {
	Format string // --format, with which more files of a folder are inputs
	all    []read
}

type read struct {
	flag, name string      // as the user typed them
	info       fs.FileInfo // of the file that the name leads to
}

// Add adds a file or folder. It leaves out what does not exist or is not a file, since that cannot
// be overwritten. stdin stands for "-".
func (r *Reads) Add(flag, name string, stdin io.Reader) {
	info, err := os.Stat(name)
	if name == source.Standard {
		info, err = nil, fs.ErrNotExist
		if f, ok := stdin.(interface{ Stat() (fs.FileInfo, error) }); ok {
			info, err = f.Stat()
		}
	}
	if err == nil {
		r.all = append(r.all, read{flag, name, info})
	}
}

// CheckState refuses a state folder that is or contains a folder that is read, one whose own files
// are read, and one with files under our names that no job has written.
func (r *Reads) CheckState(base string) error {
	state, err := os.Stat(base)
	if err != nil {
		return nil // it does not exist yet, or opening it returns the error
	}
	for _, in := range r.all {
		if in.info.IsDir() && leadsInto(in.name, state) {
			return overlap(in.flag, in.name, base)
		}
	}
	entries, err := os.ReadDir(base)
	if err != nil {
		return nil
	}
	shards := shardsIn(base, entries)
	for _, p := range append(shards, Place{Dir: base}) {
		if err := r.checkFiles(p.Dir, p.Dir == base && len(shards) > 0); err != nil {
			return err
		}
	}
	return nil
}

// checkFiles is CheckState for the files of one state. above is true for the folder above those of
// shards, which holds the joint report and the pace.
func (r *Reads) checkFiles(dir string, above bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	foreign := ""
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		info, err := os.Stat(name)
		if err != nil || !reserved(e.Name()) {
			continue
		}
		for _, in := range r.all {
			if leadsInto(in.name, info) || os.SameFile(in.info, info) {
				return part(in.flag, in.name, e.Name())
			}
		}
		joint := above && (e.Name() == Report || e.Name() == Page || e.Name() == paceFile ||
			e.Name() == probedFile)
		if e.Name() != checkpoint.LockName && !joint {
			foreign = name
		}
	}
	if ok, err := checkpoint.LockFile(dir); err != nil {
		return err
	} else if foreign != "" && !ok && !begun(dir) {
		return fmt.Errorf("%q is there, but no job has written it: --state %q needs a folder without such files",
			foreign, dir)
	}
	return nil
}

// CheckNames is like CheckState, for paths of another machine: it looks at names only.
func CheckNames(flag, name, state string, isFolder bool) error {
	rel, err := filepath.Rel(state, name)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return nil
	}
	if rel == "." || isFolder {
		return overlap(flag, name, state)
	}
	first, rest, below := strings.Cut(rel, "/")
	if _, shard := shardNamed(first); shard && below {
		first, _, _ = strings.Cut(rest, "/")
	}
	if reserved(first) {
		return part(flag, name, first)
	}
	return nil
}

// CheckOwn refuses a folder for temporary files from which something is read, or which this program
// has not made.
func (r *Reads) CheckOwn(dir string) error {
	made, err := checkpoint.LockFile(dir)
	if names, _ := os.ReadDir(dir); err == nil && !made && len(names) > 0 {
		err = fmt.Errorf("%q is there, and this program has not made it", dir)
	}
	info, none := os.Stat(dir)
	for _, in := range r.all {
		if none == nil && leadsInto(in.name, info) {
			return fmt.Errorf("%s %q is in %q, whose files are temporary", in.flag, in.name, dir)
		}
	}
	return err
}

func overlap(flag, name, state string) error {
	return fmt.Errorf("%s %q and --state %q: the state needs a folder that holds no input folder, "+
		"since its lists would become inputs", flag, name, state)
}

// part returns the error about an input that is, or is in, a file of the state.
func part(flag, name, file string) error {
	also := ""
	if strings.HasPrefix(file, Failed+".") {
		also = ", or --retry-failed"
	}
	return fmt.Errorf("%s %q is part of --state: give another%s", flag, name, also)
}

// CheckFile refuses to write over a file that is read, or that is not ours. A list that the command
// wrote before may be overwritten: only its owner has access to it, and it begins with the header.
// name+".tmp" and name+".spool" belong to the file.
func (r *Reads) CheckFile(flag, name, header string) error {
	if name == source.Standard {
		return fmt.Errorf("%s %q is not a file: it does not write to standard output", flag, name)
	}
	if err := r.CheckRead(flag, name); err != nil {
		return err
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s %q is not a file", flag, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	line, _ := bufio.NewReader(io.LimitReader(f, 4096)).ReadString('\n')
	if line != header+"\n" || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s %q is there, and this command has not written it", flag, name)
	}
	return nil
}

// CheckRead refuses to write over a file that is read, to add an input to a folder that is read,
// and to use the name of a job's own file in its folder.
func (r *Reads) CheckRead(flag, name string) error {
	for at := filepath.Clean(name); at != filepath.Dir(at); at = filepath.Dir(at) {
		dir := filepath.Dir(at)
		if lock, _ := checkpoint.LockFile(dir); reserved(filepath.Base(at)) && (lock || begun(dir)) {
			return fmt.Errorf("%s %q is a name of the job in %q", flag, name, dir)
		}
	}
	for _, path := range []string{name + ".tmp", name + ".spool"} {
		if info, err := os.Lstat(path); err == nil && (!info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0) {
			return fmt.Errorf("%s %q needs %q for itself, and something else is there", flag, name, path)
		}
	}
	for _, in := range r.all {
		for _, path := range []string{name, name + ".tmp", name + ".spool"} {
			if info, err := os.Stat(path); err == nil && os.SameFile(info, in.info) {
				return fmt.Errorf("%s %q would be written over %s %q", flag, path, in.flag, in.name)
			}
		}
		parent, err := os.Stat(filepath.Dir(name))
		if err == nil && os.SameFile(parent, in.info) && source.IsInput(filepath.Base(name), r.Format) {
			return fmt.Errorf("%s %q would become an input of %s %q", flag, name, in.flag, in.name)
		}
	}
	return nil
}

// leadsInto reports whether a path is the file or folder that outer describes, or is below it.
func leadsInto(path string, outer fs.FileInfo) bool {
	if path == source.Standard {
		return false
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	resolved, err := filepath.EvalSymlinks(path)
	return below(path, outer) || err == nil && below(resolved, outer)
}

func below(path string, outer fs.FileInfo) bool {
	for {
		if info, err := os.Stat(path); err == nil && os.SameFile(info, outer) {
			return true
		}
		up := filepath.Dir(path)
		if up == path {
			return false
		}
		path = up
	}
}

// reserved reports whether a name in a state folder is ours.
func reserved(name string) bool {
	return ours(name) || name == checkpoint.LockName || name == startingOver
}

// Files adds the files to read that flags or their variables name.
func (r *Reads) Files(v settings.Values, stdin io.Reader) {
	for _, flag := range []string{"accounts", "only-accounts", "secret-key-file", "ca-file"} {
		if name := v.Text(flag); name != "" {
			r.Add("--"+flag, settings.Path(name), stdin)
		}
	}
}
