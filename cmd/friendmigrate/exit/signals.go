package exit

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// The signals that end a job are asked for before most of the program has been initialised. Until
// then Go itself ends the process. As the first process of a container, which the default action of
// the system does not kill, it would exit with 2: the code of unusable settings, after which a
// scheduler gives up. Go initialises packages in import-path order once their imports are
// initialised. This package imports so little (no regexp, no path/filepath) that its init runs
// before those of the libraries. A signal before the runtime is up is still handled by the system.
var signals = make(chan os.Signal, 4)

func init() {
	// A test keeps the usual signals, unless it runs as the program.
	if len(os.Args) > 0 && !strings.HasSuffix(os.Args[0], ".test") {
		ask()
	}
}

// Signals returns the signals since the process began. They are never given back to the system: a
// signal between the last line and the exit would end the process with the code of the system
// instead of ours.
func Signals() <-chan os.Signal {
	ask()
	return signals
}

func ask() {
	// SIGABRT still prints the goroutines.
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	if !signal.Ignored(syscall.SIGHUP) { // nohup keeps its meaning
		signal.Notify(signals, syscall.SIGHUP)
	}
}
