package main

import (
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/migrate/disk"
)

// A disk that won't hold what has to be recorded is noticed before the first call, and the same
// command goes on when there is room.
func TestNoRoomToFinish(t *testing.T) {
	t.Parallel()
	j := newSmallJob(t, 0)
	for i := range j.lives {
		l := &j.lives[i]
		state := filepath.Join(t.TempDir(), "state")
		j.copy(t, l, state)
		s := j.serve(l)
		s.free = func(string) (int64, error) { return 1000, nil }
		code, out := s.run(disk.OS{}, state, l.flags...)
		if code != 1 || !strings.Contains(out, "no space to finish") || s.sim.Stats().Calls > 0 {
			t.Errorf("%s: %d, %d calls\n%s", l.name, code, s.sim.Stats().Calls, out)
		}
		s.free = disk.Free
		code, out = s.run(disk.OS{}, state, l.flags...)
		l.ended(named{t, l.name}, s, state, code, out)
	}
}

func TestALimitOfThisMachineIsNamedWithWhatHelps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	free := func(folder string) (int64, error) {
		if folder != dir {
			return 0, fs.ErrNotExist
		}
		return 28 << 10, nil
	}
	p := newProgram(job.Volume{FS: disk.OS{}, Free: free}, []string{"friendmigrate", "import", "--state", "s", "e.csv"}, job.Streams{Err: io.Discard}, nil)
	p.Needed = 560 << 10
	in := func(name string, err error) error {
		return fmt.Errorf("write it: %w", &fs.PathError{Op: "write", Path: filepath.Join(dir, name), Err: err})
	}
	for _, c := range []struct {
		err        error
		code       exit.Code
		what, hint string
	}{
		{in("x", syscall.ENOSPC), exit.Unexpected, `the volume of "` + dir + `" has 28 KiB free, and 560 KiB or more may be needed`, "friendmigrate import --state s e.csv # after making room"},
		{in("gone/x", syscall.EDQUOT), exit.Unexpected, `the volume of "` + dir + `" has 28 KiB free`, "# after making room"},
		{in("x", syscall.EMFILE), exit.Unexpected, "ulimit -n", "friendmigrate import --state s e.csv"},
		{in("x", syscall.EROFS), exit.Unexpected, "read-only", "friendmigrate import --state FOLDER e.csv # in a folder that can be written"},
		{in("x", syscall.EACCES), exit.Unexpected, "permission denied", "friendmigrate import --state FOLDER e.csv # in a folder that can be written"},
		{in("x", syscall.ENOTDIR), exit.Unusable, "not a directory", "friendmigrate import --state FOLDER e.csv"},
		{in("x", syscall.ENAMETOOLONG), exit.Unusable, "file name too long", "friendmigrate import --state FOLDER e.csv"},
		{folder.ErrNoJob, exit.Unusable, "no job", "friendmigrate import --state FOLDER e.csv"},
	} {
		e := p.Failure(c.err)
		if e.Code != c.code || !strings.Contains(e.What, c.what) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%v: %+v", c.err, e)
		}
	}
	p.Needed = 20 << 10 // a list that did not fit was removed, and the volume has room again
	if e := p.Failure(in("x", syscall.ENOSPC)); strings.Contains(e.What, " free") {
		t.Errorf("room that explains nothing: %s", e.What)
	}
}
