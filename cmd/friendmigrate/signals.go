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
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// echo is how soon after the first signal the same one is still the first: timeout(1) and other
// launchers send a signal to the process and again to its group.
const echo = 200 * time.Millisecond

// supervise runs the program until it has ended or a second signal has come. The first signal lets
// it drain.
func supervise(args []string, std job.Streams, env map[string]string) int {
	// A log reader that has gone away must not end a job of hours: writes then fail, and that is
	// all.
	signal.Ignore(syscall.SIGPIPE)
	signals := early.Signals()

	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	all := terminal.New(std.Err, env)
	std.Err = all
	p := newProgram(job.Volume{FS: disk.OS{}, Free: disk.Free}, args, std, env)
	done := make(chan int, 1)
	go func() {
		code := p.run(ctx)
		p.over.Store(true)
		p.Linger(ctx)
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
				cancel(job.Signal{Signal: s})
				p.View.Stopping(again(s))
				continue
			}
			if s == first && time.Since(at) < echo {
				continue
			}
			ending := exit.Ending{
				Code: exit.Unfinished,
				What: fmt.Sprintf("ended at once by a second signal (%s); what was sent and not yet recorded is sent again by the next run", job.Signal{Signal: s}.Error()),
				Hint: p.ResumeLine().String(),
				Why:  string(migrate.ReasonSignal),
			}
			p.lastMessage(ending)
			all.Last(ending.Line())
			return int(ending.Code)
		}
	}
}

// again says how to stop at once after a first signal.
func again(s os.Signal) string {
	if s == os.Interrupt {
		return "press Ctrl-C again to stop now"
	}
	return "a second signal stops it now"
}

// lastMessage tells those who watch that the process ends at once, while the command is still at
// work. It waits for no disk.
func (p *program) lastMessage(e exit.Ending) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.message.Write(p.View.Message(e), true) // the last line has to come now
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}
