// Package early asks for the signals that end a job before most of the program has been
// initialised. Until a process has asked, Go ends it by its own means, and as the first process of
// a container, which the system's default action does not kill, with the exit code 2: that of
// unusable settings, after which a scheduler gives up.
//
// It imports next to nothing and its path stands before those of the libraries, since packages are
// initialised in the order of their paths as far as what they import allows. What comes in the
// first moments, before the runtime itself is up, is still the system's to deal with.
package early

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
)

var signals = make(chan os.Signal, 4)

func init() {
	if len(os.Args) > 0 && !strings.HasSuffix(os.Args[0],
		".test") { // a test is interrupted as tests are, unless it plays the program
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
