package job

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"friendmigrate/cmd/friendmigrate/exit"
)

// A power cut under the state folder once ended with 2 and with a hint to use another folder.
func TestAFailingDiskRefusesNothing(t *testing.T) {
	for err, refused := range map[error]bool{syscall.EIO: false, syscall.EMFILE: false, syscall.ENFILE: false, syscall.EACCES: true} {
		err = WouldOverwrite(fmt.Errorf("look at it: %w", &fs.PathError{Op: "open", Path: "lock", Err: err}), "")
		if got := errors.As(err, new(*exit.Error)); got != refused {
			t.Errorf("%v: refused %v, want %v", err, got, refused)
		}
	}
	if err := WouldOverwrite(nil, ""); err != nil {
		t.Error(err)
	}
}
