package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Binary is the built program.
type Binary string

// Build builds the program of the module that contains the working folder, into dir.
func Build(ctx context.Context, dir, name string, flags ...string) Binary {
	path := filepath.Join(dir, name)
	args := append(append([]string{"build"}, flags...), "-o", path, "friendmigrate/cmd/friendmigrate")
	Output(exec.CommandContext(ctx, "go", args...))
	return Binary(path)
}

// ModuleFolder returns the folder of the module that contains the working folder.
func ModuleFolder(ctx context.Context) string {
	return Output(exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}"))
}

// Output runs a command and returns what it wrote to standard output, without white space around
// it.
func Output(c *exec.Cmd) string {
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	if err := c.Run(); err != nil {
		Check(fmt.Errorf("%s: %w\n%s%s", strings.Join(c.Args, " "), err, &out, &said))
	}
	return strings.TrimSpace(out.String())
}

// Process is one run of the program.
type Process struct {
	cmd      *exec.Cmd
	out, err bytes.Buffer
	Began    time.Time
	done     chan struct{}
	ended    time.Time

	contained bool        // cmd only starts the program and passes on its exit code
	inside    *os.Process // if contained: the program itself
}

// Ended says how a run ended.
type Ended struct {
	Code   int // -1: ended by a signal
	Signal syscall.Signal
	Out    string // standard output and standard error
	Std    string // standard output
	Last   string // last line of standard error
	Took   time.Duration
}

// Start starts a run of an act of a job against its service.
func (b Binary) Start(j *Job, act int, s *Service, state string) *Process {
	return b.Run(j, j.Args(act, s.URL, state)...)
}

// Run starts a command in the folder of a job.
func (b Binary) Run(j *Job, args ...string) *Process {
	return b.RunIn(j.Dir, j.Env, nil, args...)
}

// RunIn starts a command in a folder, with more variables and a standard input.
func (b Binary) RunIn(dir string, env []string, in io.Reader, args ...string) *Process {
	c := exec.Command(string(b), args...)
	c.Dir, c.Stdin = dir, in
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir()}, env...)
	return begin(c)
}

func begin(c *exec.Cmd) *Process {
	p := &Process{cmd: c, done: make(chan struct{}), Began: time.Now()}
	c.Stdout, c.Stderr = &p.out, &p.err
	Check(c.Start())
	go func() {
		_ = c.Wait() // how it ended is in ProcessState
		p.ended = time.Now()
		close(p.done)
	}()
	return p
}

// Done returns a channel that is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Signal sends a signal, unless the process has ended.
func (p *Process) Signal(s syscall.Signal) {
	switch {
	case !p.contained:
		_ = p.cmd.Process.Signal(s)
	case p.inside != nil:
		_ = p.inside.Signal(s)
	}
}

// Wait waits for the end. A process that has not ended by the deadline is killed, and its Code is
// Hung.
func (p *Process) Wait(limit time.Duration) Ended {
	select {
	case <-p.done:
	case <-time.After(limit):
		p.Signal(syscall.SIGABRT) // prints its goroutines
		select {
		case <-p.done:
		case <-time.After(5 * time.Second):
			p.Signal(syscall.SIGKILL)
			<-p.done
		}
		e := p.result()
		e.Code = Hung
		return e
	}
	return p.result()
}

// Hung is the Code of a process that did not end in time.
const Hung = -2

// bySignal and the signal's number are the exit code of a container that a signal ended.
const bySignal = 128

func (p *Process) result() Ended {
	e := Ended{Code: p.cmd.ProcessState.ExitCode(), Out: p.out.String() + p.err.String(), Std: p.out.String(),
		Took: p.ended.Sub(p.Began)}
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.Signal = status.Signal()
	}
	if p.contained && e.Code > bySignal {
		e.Code, e.Signal = -1, syscall.Signal(e.Code-bySignal)
	}
	lines := strings.Split(strings.TrimRight(p.err.String(), "\n"), "\n")
	e.Last = lines[len(lines)-1]
	return e
}

// broken is a panic with an error of the bench itself, such as a mount that fails.
type broken struct{ error }

// Check ends the current case if there is an error of the bench, like t.Fatal in a test. The
// function that Catch calls ends at once; its deferred calls run.
func Check(err error) {
	if err != nil {
		panic(broken{err})
	}
}

// Must returns the value of a call that must not fail.
func Must[T any](v T, err error) T {
	Check(err)
	return v
}

// Catch calls f and returns the error that Check ended it with.
func Catch(f func()) (err error) {
	defer func() {
		switch why := recover().(type) {
		case nil:
		case broken:
			err = why.error
		default:
			panic(why)
		}
	}()
	f()
	return nil
}

// Stalls measures how long processes wait for a processor on this machine.
type Stalls struct{ longest atomic.Int64 }

// Watch measures until done is closed.
func (s *Stalls) Watch(done <-chan struct{}) {
	const nap = 2 * time.Millisecond
	tick := time.NewTimer(nap)
	for at := time.Now(); ; at = time.Now() {
		tick.Reset(nap)
		select {
		case <-tick.C:
		case <-done:
			return
		}
		if late := int64(time.Since(at) - nap); late > s.longest.Load() {
			s.longest.Store(late)
		}
	}
}

// Longest returns the longest wait so far.
func (s *Stalls) Longest() time.Duration { return time.Duration(s.longest.Load()) }
