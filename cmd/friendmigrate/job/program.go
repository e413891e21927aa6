// Package job holds what the commands that work on a job share: what such a command opens, what
// stops it, and how it words its ending.
//
// Program holds what all commands of one call of the program share, from standard error to the
// command line that resumes. Package job never reads a flag (settings does), decides on an answer
// of the service (sink does) or ends the process.
package job

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// Streams are the program's standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Volume is the file system that durable files are on.
type Volume struct {
	disk.FS
	Free func(folder string) (int64, error) // bytes
}

// Program is one call of the program. The view is safe for concurrent use, and so are the methods
// that say so. The rest belongs to the goroutine of the command.
type Program struct {
	Std     Streams
	Env     map[string]string
	Volume  Volume
	Screen  *terminal.Screen
	Args    []string                             // including the name of the program
	Flags   func(command string) map[string]bool // the flags of a command; true: a value follows as a word of its own
	Version string                               // in one word

	View    *progress.View
	Server  *progress.Server // nil: nothing is served
	Lingers time.Duration    // how long Server goes on after the end
	Began   time.Time
	Window  time.Duration // --max-duration, counted from Began; 0: none
	Needed  int64         // roughly the bytes that the volume has to hold; 0: not known

	StartingOver atomic.Bool // --fresh is set and has not moved the old state yet

	mu   sync.Mutex // guards what follows, and Args where another goroutine than the command's looks at it
	bugs []error    // of goroutines that only show progress
}

// VersionLine returns the version and the platform, as the command version prints them.
func (p *Program) VersionLine() string {
	return "friendmigrate " + p.Version + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
}

// VersionOf returns the version in one word: that of a release, else of the module or the commit.
func VersionOf(release string) string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

// Background runs f in a goroutine of its own that only shows progress. A bug in f does not stop
// the work, but the command then exits with the code of a bug. ended is closed when f is over.
func (p *Program) Background(f func()) (ended <-chan struct{}) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := migrate.Guard(func() error {
			f()
			return nil
		})
		p.ShowStack(err)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.bugs = append(p.bugs, err)
	}()
	return done
}

// Bug returns the bugs in the background so far.
func (p *Program) Bug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.bugs...)
}

// ShowStack shows where a bug happened, if err is one.
func (p *Program) ShowStack(err error) {
	if bug, ok := errors.AsType[*migrate.Bug](err); ok {
		p.Screen.Block(nil)
		p.Screen.Line(strings.ReplaceAll(string(bug.Stack), "\t", "    "))
	}
}

// Split returns the name of the command, the first argument after the program, and the arguments
// after it.
func Split(args []string) (name string, rest []string) {
	if len(args) < 2 {
		return "", nil
	}
	return args[1], args[2:]
}

// args returns Args. It is safe for concurrent use.
func (p *Program) args() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Args
}

// Line returns the command line. It is safe for concurrent use.
func (p *Program) Line() exit.CommandLine { return p.LineOf(p.args()) }

// LineOf returns the command line of other arguments.
func (p *Program) LineOf(args []string) exit.CommandLine {
	name, rest := Split(args)
	program := ""
	if len(args) > 0 {
		program = args[0]
	}
	line := exit.Parse(program, name, rest, p.TakesOf(name))
	if settings.IsKey(line.Value("secret-key-file")) { // no hint repeats it
		line = line.With("secret-key-file", "FILE")
	}
	return line
}

// TakesOf returns a function that reports whether a flag of the command takes a value as a word of
// its own.
func (p *Program) TakesOf(command string) func(flag string) bool {
	flags := p.Flags(command)
	return func(flag string) bool { return flags[flag] }
}

// As returns the line with another command, for the same app. It leaves out flags that the other
// command does not have, and those in without, which mean something else there.
func (p *Program) As(l exit.CommandLine, command string, without ...string) exit.CommandLine {
	flags := p.Flags(command)
	return l.As(command, func(flag string) bool {
		_, has := flags[flag]
		return has && !slices.Contains(without, flag)
	})
}

// Without returns the line without some flags. Where a variable sets one, the line unsets it.
func (p *Program) Without(l exit.CommandLine, flags ...string) exit.CommandLine {
	for _, flag := range flags {
		if variable := settings.Variable(flag); p.Env[variable] != "" {
			l = l.Unset(variable)
		}
	}
	return l.Without(flags...)
}

// ResumeLine returns the command that continues what this one has begun. Until --fresh has moved
// the old state, there is nothing to continue. It is safe for concurrent use.
func (p *Program) ResumeLine() exit.CommandLine {
	if p.StartingOver.Load() {
		return p.Line().Without("retry-failed")
	}
	return p.Line().Without("fresh", "retry-failed")
}

// Completed adds to a line a word in capitals for each setting that the command needs and that is
// not given.
func (p *Program) Completed(l exit.CommandLine) exit.CommandLine {
	name, _ := Split(p.Args)
	add := func(flag, word string, others ...string) {
		for _, f := range append(others, flag) {
			if l.Has(f) || p.Env[settings.Variable(f)] != "" {
				return
			}
		}
		if _, has := p.Flags(name)[flag]; has {
			l = l.With(flag, word)
		}
	}
	add("sdk-app-id", "SDKAPPID")
	add("secret-key-file", "FILE", "secret-key")
	add("region", "REGION", "endpoint")
	return l
}

// NameShard adds the shard that variables set to the command line, so that hints also work where
// these variables are not set.
func (p *Program) NameShard(s settings.Shard) {
	if s.Count > 0 && !p.Line().Has("shard") {
		args := slices.Insert(slices.Clone(p.Args), 2, "--shard", s.String())
		p.mu.Lock()
		defer p.mu.Unlock()
		p.Args = args
	}
}

// FollowUp returns a command that takes a list as a job of its own, with its own state folder. It
// takes the whole list, since its rows need not belong to the shard that wrote it. The list of each
// shard gets another folder. So does each list of one name: the state of an earlier one that held
// the same edges would say that they are done.
func (p *Program) FollowUp(l exit.CommandLine, job settings.Job, suffix string) exit.CommandLine {
	first := Beside(job.State, suffix)
	if job.Shard.Count > 0 {
		first += strings.TrimPrefix(filepath.Base(folder.Of("", job.Shard)), "shard")
		l = l.Without("shard")
		if settings.ShardByVariable(p.Env) {
			l = l.With("shard", "0/1")
		}
	}
	state := first
	for n := 2; exists(state); n++ {
		state = first + "-" + strconv.Itoa(n)
	}
	return l.With("state", state)
}

// exists reports whether a name is taken. One that cannot be looked at is not, so that a search for
// a free name ends.
func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// Beside returns the name of a state folder next to another one.
func Beside(state, suffix string) string {
	state = filepath.Clean(state)
	switch filepath.Base(state) {
	case ".", "..", string(filepath.Separator):
		return filepath.Join(state, settings.DefaultState) // "." and ".." have no name to add the suffix to
	}
	return state + suffix
}

// FreeName returns a file name next to name that is not in use.
func FreeName(name string) string {
	dir, base := filepath.Split(name)
	if _, err := os.Lstat(name); errors.Is(err, syscall.ENOTDIR) {
		dir = "" // nothing can be made in a file
	}
	stem, endings, dotted := strings.Cut(base, ".")
	if dotted {
		endings = "." + endings
	}
	for n := 2; ; n++ {
		if other := dir + stem + "-" + strconv.Itoa(n) + endings; !exists(other) {
			return other
		}
	}
}

// Unusable returns the error of a command line that cannot be used. hint is the command line that
// was probably meant.
func Unusable(hint exit.CommandLine, format string, args ...any) error {
	return exit.Errorf(exit.Unusable, hint.String(), format, args...)
}

// WouldOverwrite returns the error of a command that would overwrite a file; hint is a command that
// does not. Errors of the disk or of this machine stay as they are.
func WouldOverwrite(err error, hint string) error {
	if err == nil || errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return err
	}
	return exit.Errorf(exit.Unusable, hint, "%w; nothing was written", err)
}

// Elsewhere returns the command with a placeholder for another place to write to.
func (p *Program) Elsewhere() string {
	name, _ := Split(p.Args)
	for _, flag := range [][2]string{{"state", "FOLDER"}, {"output", "FILE"}} {
		if p.TakesOf(name)(flag[0]) {
			return p.Line().With(flag[0], flag[1]).String()
		}
	}
	return p.Help()
}

// Help returns the command that prints the help text of the present command.
func (p *Program) Help() string {
	l := exit.Parse(p.Args[0], "help", nil, nil)
	if name, _ := Split(p.Args); p.Flags(name) != nil {
		l = l.Of(name)
	}
	return l.String()
}

// Reads returns the files and folders that a command reads.
func (p *Program) Reads(v settings.Values, inputs []string, format string) *folder.Reads {
	r := &folder.Reads{Format: format}
	for _, in := range inputs {
		r.Add("INPUT", in, p.Std.In)
	}
	r.Files(v, p.Std.In)
	return r
}
