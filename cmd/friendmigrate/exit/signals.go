package exit

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// The signals that end a job are asked for before most of the program has been initialised. Until a
// process has asked, Go ends it by its own means, and as the first process of a container, which the
// system's default action does not kill, with the exit code 2: that of unusable settings, after which
// a scheduler gives up. Go initialises packages in import-path order once their imports are
// initialised. This package imports so little (no regexp, no path/filepath) that its init runs before
// those of the libraries. A signal before the runtime itself is up is still the system's to deal with.
var signals = make(chan os.Signal, 4)

func init() {
	// A test is interrupted as tests are, unless it plays the program.
	if len(os.Args) > 0 && !strings.HasSuffix(os.Args[0], ".test") {
		ask()
	}
}

// Signals are those that have come since the process began, and that come. They are never given
// back: one between the last line and the exit would end the process with the system's code, not
// with ours.
func Signals() <-chan os.Signal {
	ask()
	return signals
}

func ask() {
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup keeps its meaning
		signal.Notify(signals, syscall.SIGHUP)
	}
}
