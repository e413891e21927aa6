package folder

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// Names in a state folder, in addition to the journal and its lock.
const (
	Staged     = source.StageFolder
	Rejected   = "rejected.csv"
	Changed    = "changed.csv"
	Duplicates = "duplicates.csv"
	Failed     = "failed"    // .csv or .jsonl
	Missing    = "missing"   // .csv or .jsonl
	Different  = "different" // .csv or .jsonl
	Progress   = "progress.json"
	Report     = "report.json"
	Page       = "report.html"
	Metrics    = "metrics.prom"
	Series     = "series.json" // how the job went over time
	Verify     = "verify"      // the state of a verify
	Accounts   = "accounts"    // the passes of accounts
	Undo       = "undo"        // the state of an undo

	AccountsMissing = "accounts-missing.csv"

	setAside     = "old-"          // the time follows
	startingOver = "starting-over" // the state of --fresh, until it replaces the old one
)

// Lists returns the names of the lists that exist in a state folder. Lists of edges are in format.
func Lists(dir, format string) []string {
	var there []string
	for _, name := range []string{Rejected, Changed, Duplicates, Failed + "." + format, Missing + "." + format,
		Different + "." + format} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			there = append(there, name)
		}
	}
	return there
}

// ErrOther is wrapped by every error that says that the folder belongs to another job.
var ErrOther = errors.New("the state folder belongs to another job")

// Of returns the folder of a shard's state below base.
func Of(base string, shard settings.Shard) string {
	if shard.Count == 0 {
		return base
	}
	return filepath.Join(base, fmt.Sprintf("shard-%d-of-%d", shard.Index, shard.Count))
}

// CheckNeighbours returns an error if base holds the same job in another division into shards, or
// undivided: both together would send edges twice. The folder of a run that sent nothing does not
// count. If a process is at work there, the error is checkpoint.ErrLocked: that run may be about to
// send, or it is one of accounts, which is about all shards. A caller that checks before it locks
// its own folder, so that a refused run leaves nothing behind, has to check again with the lock: of
// two runs that begin at once, neither sees the other before.
func CheckNeighbours(base string, shard settings.Shard) error {
	entries, err := os.ReadDir(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look into the state folder: %w", err)
	}
	for _, other := range append(shardsIn(base, entries), Place{Dir: base}) {
		if other.Shard.Count == shard.Count {
			continue
		}
		counts, err := mayHaveSent(other.Dir)
		if counts {
			err = fmt.Errorf("%w: %q holds %s, and this run is %s", ErrOther, base, share(other.Shard), share(shard))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func share(s settings.Shard) string {
	if s.Count == 0 {
		return "a job without shards"
	}
	return "shard " + s.String()
}

// mayHaveSent reports whether dir holds a job that may have sent calls. While a process is at work
// in a folder that holds none, the error is checkpoint.ErrLocked.
func mayHaveSent(dir string) (bool, error) {
	if begun(dir) {
		return true, nil
	}
	locked, err := checkpoint.Locked(dir)
	if locked {
		err = fmt.Errorf("look at state folder %q: %w", dir, checkpoint.ErrLocked)
	}
	return false, err
}

// begun reports whether dir holds a job that may have sent calls.
func begun(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, checkpoint.FileName))
	return err == nil || stage.Sealed(filepath.Join(dir, Staged))
}

// shardNamed returns the shard whose folder has the name.
func shardNamed(name string) (s settings.Shard, found bool) {
	_, err := fmt.Sscanf(name, "shard-%d-of-%d", &s.Index, &s.Count)
	return s, err == nil && s.Index >= 0 && name == Of("", s)
}

// WholeOf returns the folder of a job in shards if dir is that of one of its shards.
func WholeOf(dir string) (whole string, is bool) {
	absolute, err := filepath.Abs(dir)
	if _, is = shardNamed(filepath.Base(absolute)); err != nil || !is {
		return "", false
	}
	return filepath.Join(dir, ".."), true
}

// JobOf returns the folder of a job if dir is that of its undo or of a verify of it. Their lock and
// the pace are those of the job.
func JobOf(dir string) (job string, is bool) {
	absolute, err := filepath.Abs(dir)
	name, job := filepath.Base(absolute), filepath.Join(dir, "..")
	return job, err == nil && (name == Undo || name == Verify) && Known(job)
}

// SetAside moves the state in dir into a folder old-TIME inside it, so that a new job can begin,
// and returns that folder, or "" if there was no state. The caller holds the lock, which stays. The
// journal is moved last: if the process dies before that, the old job is left, and its other files
// are made again from the journal and the input. The folder is returned with an error too, since it
// may hold some of the files.
func SetAside(fsys disk.FS, dir string, now time.Time) (string, error) {
	names, err := stateFiles(dir)
	if err != nil || len(names) == 0 {
		return "", err
	}
	old := filepath.Join(dir, setAside+now.UTC().Format("20060102-150405"))
	for n := 2; ; n++ {
		if _, err := os.Lstat(old); errors.Is(err, fs.ErrNotExist) {
			break
		}
		old = filepath.Join(dir, fmt.Sprintf("%s%s-%d", setAside, now.UTC().Format("20060102-150405"), n))
	}
	if err := fsys.MkdirAll(old, disk.FolderMode); err != nil {
		return "", fmt.Errorf("set the old state aside: %w", err)
	}
	if err := move(fsys, names, dir, old); err != nil {
		return old, fmt.Errorf("set the old state aside: %w", err)
	}
	return old, nil
}

func move(fsys disk.FS, names []string, from, to string) error {
	for _, name := range names {
		if err := fsys.Rename(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return errors.Join(fsys.SyncDir(to), fsys.SyncDir(from))
}

// Next returns the folder in which the state of --fresh is prepared.
func Next(dir string) string { return filepath.Join(dir, startingOver) }

// Occupied reports whether dir holds a state.
func Occupied(dir string) (bool, error) {
	names, err := stateFiles(dir)
	return len(names) > 0, err
}

// TakeOver sets the old state aside and replaces it by the one in Next, whose journal is moved
// first. Nothing was sent for the new state yet. If the process dies in here, it leaves the old
// job; or no job, and the state in Next is made again; or the new job, whose other files are made
// again from the journal and the input.
func TakeOver(fsys disk.FS, dir string, now time.Time) (old string, err error) {
	if old, err = SetAside(fsys, dir, now); err != nil {
		return old, err
	}
	names, err := stateFiles(Next(dir))
	slices.Reverse(names)
	if err = errors.Join(err, move(fsys, names, Next(dir), dir), fsys.Remove(Next(dir))); err != nil {
		return old, fmt.Errorf("put the new state in its place: %w", err)
	}
	return old, nil
}

// DropKilled removes what a killed --fresh has left in Next. The lists of an input that a --fresh
// refused stay there: nothing is staged beside them, because a run that refuses its input removes
// what it has staged.
func DropKilled(dir string) error {
	if _, err := os.Lstat(filepath.Join(Next(dir), Staged)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return Drop(dir)
}

// Drop removes what an unfinished --fresh has left in Next.
func Drop(dir string) error {
	if _, err := os.Lstat(Next(dir)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := Forget(Next(dir))
	_ = os.Remove(Next(dir)) // fails if it holds files of others
	return err
}

// rehearsed returns an error unless dir holds the state of a rehearsal, or one that was never
// begun.
func rehearsed(dir string) error {
	journal, err := checkpoint.OpenReadOnly(disk.OS{}, dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !stage.Sealed(filepath.Join(dir, Staged)):
		return nil // never begun
	case err != nil:
		return fmt.Errorf("%w: cannot tell whether %q holds a rehearsal, so it is not removed: %w", ErrOther, dir,
			err)
	case !journal.Identity().Rehearsal:
		err = fmt.Errorf("%w: %q holds a real job, not a rehearsal, so it is not removed", ErrOther, dir)
	}
	return errors.Join(err, journal.Close())
}

// Forget removes the state in dir. The caller holds the lock and knows that the state is that of a
// rehearsal, or was never begun.
func Forget(dir string) error {
	names, err := stateFiles(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("remove the last rehearsal: %w", err)
		}
	}
	return nil
}

// Leave removes the lock of a folder, which the caller holds, and the folder if it is empty then:
// other runs may have begun below it.
func Leave(dir string) error {
	err := os.Remove(filepath.Join(dir, checkpoint.LockName))
	_ = os.Remove(dir)
	return err
}

// ForgetOthers removes the states of rehearsals in base that have another number of shards than
// this one, since a rehearsal always starts over. If any state in base is that of a real job, it
// removes nothing and returns ErrOther. It returns checkpoint.ErrLocked if a process is at work in
// one of them.
func ForgetOthers(base string, shard settings.Shard) error {
	places, err := Find(base)
	if errors.Is(err, ErrNoJob) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range places {
		if err := rehearsed(p.Dir); err != nil {
			return err
		}
	}
	for _, p := range places {
		if p.Shard.Count == shard.Count {
			continue
		}
		lock, err := checkpoint.TryLock(p.Dir)
		if err != nil {
			return err
		}
		err = Forget(p.Dir)
		if err := errors.Join(err, lock.Release()); err != nil {
			return err
		}
	}
	return nil
}

// stateFiles returns the names of the state's files in dir, the journal last. It leaves out files
// that are not ours, and what a user set or found out for all jobs in the folder.
func stateFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look into the state folder: %w", err)
	}
	var names, journal []string
	for _, e := range entries {
		switch name := e.Name(); {
		case name == checkpoint.FileName:
			journal = []string{name}
		case ours(name) && name != paceFile && name != probedFile:
			names = append(names, name)
		}
	}
	return append(names, journal...), nil
}

// leftOver reports whether a file of a state folder is what a kill has left of a list or a report
// that was being made. It contains rows or account ids.
func leftOver(name string) bool { return wholeName(name) != name && ours(name) }

// wholeName returns the name of the file that a temporary one is made for, and any other name as it
// is.
func wholeName(name string) string {
	if whole, number, is := strings.Cut(name, ".tmp"); is && strings.Trim(number, "0123456789") == "" {
		name = whole // a temporary file of disk
	}
	return strings.TrimSuffix(name, ".spool")
}

func ours(name string) bool {
	name = wholeName(name)
	if slices.Contains([]string{Staged, checkpoint.FileName, Progress, Report, Page, Metrics, Series, Verify, Undo,
		Accounts, paceFile, probedFile}, name) {
		return true
	}
	list, ext, _ := strings.Cut(name, ".")
	return (ext == "csv" || ext == "jsonl") &&
		slices.Contains([]string{"rejected", "changed", "duplicates", Failed, Missing, Different, "accounts-missing"},
			list)
}

// Rows yields the rows of one of our lists in CSV, and nothing if it does not exist. cell returns
// the value in a column, by the column's name, or "" if the row is too short.
func Rows(name string) iter.Seq2[func(column string) string, error] {
	return func(yield func(cell func(column string) string, err error) bool) {
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(nil, fmt.Errorf("read a list: %w", err))
			return
		}
		defer f.Close()
		rows := csv.NewReader(f)
		rows.FieldsPerRecord = -1
		header, err := rows.Read()
		for err == nil {
			var row []string
			row, err = rows.Read()
			cell := func(column string) string {
				if i := slices.Index(header, column); i >= 0 && i < len(row) {
					return row[i]
				}
				return ""
			}
			if err == nil && !yield(cell, nil) {
				return
			}
		}
		if err != io.EOF {
			yield(nil, fmt.Errorf("read %q: %w", name, err))
		}
	}
}
