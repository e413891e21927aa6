package job

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/migrate"
)

// What a signal ends may hand on its cause without a word: it is no bug.
func TestASignalAnywhereIsResumable(t *testing.T) {
	p := &Program{
		Args:  []string{"friendmigrate", "import", "--only-accounts", "pilot.txt", "in.csv"},
		Flags: func(string) map[string]bool { return map[string]bool{"only-accounts": true} },
	}
	for _, err := range []error{Signal{syscall.SIGTERM}, fmt.Errorf("read the list: %w", Signal{syscall.SIGTERM})} {
		e := p.Failure(err)
		if e.Code != exit.Unfinished || e.Why != string(migrate.ReasonSignal) || !strings.Contains(e.What, "SIGTERM") ||
			!strings.Contains(e.Hint, "in.csv") {
			t.Errorf("%v: %+v", err, e)
		}
	}
}
