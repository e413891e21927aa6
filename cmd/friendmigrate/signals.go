package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"friendmigrate/cmd/friendmigrate/early"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/screen"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// signalled is the cause with which a signal ends the context.
type signalled struct{ signal os.Signal }

func (s signalled) Error() string { return signalName(s.signal) }

func signalName(s os.Signal) string {
	switch s {
	case syscall.SIGTERM:
		return "SIGTERM"
	case syscall.SIGHUP:
		return "SIGHUP"
	case os.Interrupt:
		return "SIGINT"
	}
	return s.String()
}

// echo is how soon after the first signal the same one is still the first: timeout(1) and other launchers send a signal
// to the process and again to its group.
const echo = 200 * time.Millisecond

// supervise runs the program until it has ended or a second signal has come. The first signal lets it drain.
func supervise(args []string, std streams, env map[string]string) int {
	// A log reader that has gone away must not end a job of hours: writes then fail, and that is all.
	signal.Ignore(syscall.SIGPIPE)
	signals := early.Signals()

	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	all := screen.New(std.err)
	std.err = all
	p := newProgram(volume{disk.OS{}, disk.Free}, args, std, env)
	done := make(chan int, 1)
	go func() {
		code := p.run(ctx)
		p.depart(ctx)
		done <- code
	}()

	var first os.Signal
	var at time.Time
	for {
		select {
		case code := <-done:
			return code
		case s := <-signals:
			if first == nil || p.over.Load() {
				first, at = s, time.Now()
				cancel(signalled{s})
				continue
			}
			if s == first && time.Since(at) < echo {
				continue
			}
			ending := exit.Ending{
				Code: exit.Unfinished,
				What: fmt.Sprintf("ended at once by a second signal (%s); what was sent and not yet recorded is sent again by the next run", signalName(s)),
				Hint: p.resumeLine().String(),
				Why:  string(migrate.ReasonSignal),
			}
			p.interrupt(ending)
			all.Last(ending.Line())
			return int(ending.Code)
		}
	}
}
