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

func TestALimitOfThisMachineIsNamedWithWhatHelps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := newProgram(disk.OS{}, []string{"friendmigrate", "import", "--state", "s", "e.csv"}, job.Streams{Err: io.Discard}, nil)
	in := func(name string, err error) error {
		return fmt.Errorf("write it: %w", &fs.PathError{Op: "write", Path: filepath.Join(dir, name), Err: err})
	}
	for _, c := range []struct {
		err        error
		code       exit.Code
		what, hint string
	}{
		{in("x", syscall.ENOSPC), exit.Unexpected, "no space left", "friendmigrate import --state s e.csv # after making room"},
		{in("gone/x", syscall.EDQUOT), exit.Unexpected, "quota exceeded", "# after making room"},
		{in("x", syscall.EMFILE), exit.Unexpected, "too many open files", "friendmigrate import --state s e.csv"},
		{in("x", syscall.EROFS), exit.Unexpected, "read-only", "friendmigrate import --state FOLDER e.csv # one that can be written"},
		{in("x", syscall.EACCES), exit.Unexpected, "permission denied", "friendmigrate import --state FOLDER e.csv # one that can be written"},
		{in("x", syscall.ENOTDIR), exit.Unusable, "not a directory", "friendmigrate import --state FOLDER e.csv"},
		{folder.ErrNoJob, exit.Unusable, "no job", "friendmigrate import --state FOLDER e.csv"},
	} {
		e := p.Failure(c.err)
		if e.Code != c.code || !strings.Contains(e.What, c.what) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%v: %+v", c.err, e)
		}
	}
}
