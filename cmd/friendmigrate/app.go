package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/invocation"
	"friendmigrate/cmd/friendmigrate/metrics"
	"friendmigrate/cmd/friendmigrate/screen"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/termination"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
)

// streams are the program's standard streams.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// program is one call of the program.
type program struct {
	std    streams
	env    map[string]string
	root   fs.FS  // of the file system, for the container's memory limit
	volume volume // of everything durable
	screen *screen.Screen
	args   []string // with the program's name

	ending *exit.Ending // of a command that has a last line
	needed int64        // bytes that the volume should take, about; 0: not known

	// Who watches. The view and the message are safe for concurrent use, the rest belongs to the goroutine of run.
	view    *metrics.View
	message *termination.Log
	server  *metrics.Server // nil: nobody listens
	linger  time.Duration
	began   time.Time
	window  time.Duration // --max-duration, which counts from there; 0: none
	over    atomic.Bool   // the last line is written: there is nothing left to be interrupted

	startingOver atomic.Bool // --fresh, and the old state has not been moved

	mu   sync.Mutex // guards what follows
	bugs []error    // of goroutines that only show where things stand
}

func newProgram(on volume, args []string, std streams, env map[string]string) *program {
	p := &program{
		began: time.Now(), std: std, env: env, root: os.DirFS("/"), volume: on, screen: screen.New(std.err), args: args,
		view: metrics.New(), message: termination.Find(env),
	}
	name, _ := split(args)
	p.view.Begin(metrics.Job{Command: name, Version: programVersion()})
	return p
}

// volume is what durable things lie on.
type volume struct {
	disk.FS
	free func(folder string) (int64, error) // bytes
}

// run runs the command, to the last line, and returns its exit code. It ends no process. A bug ends it with a code of its own: Go's would say that the flags are wrong.
func (p *program) run(ctx context.Context) (code int) {
	err := migrate.Guard(func() error { return p.start(ctx) })
	p.screen.EndBar()
	p.showStack(err)
	if p.ending == nil || p.ending.Code != exit.Unexpected { // else it speaks of them
		err = errors.Join(err, p.bug())
	}
	if err != nil {
		ending := p.failure(err)
		p.ending = &ending
	}
	if p.ending == nil {
		return int(exit.Done)
	}
	p.leave(*p.ending)
	p.screen.Line(p.ending.Line())
	return int(p.ending.Code)
}

// start runs the command, or what --help and --version ask for in any place of the line.
func (p *program) start(ctx context.Context) error {
	name, rest := split(p.args)
	line := currentLine(p.args)
	switch {
	case slices.Contains(rest, completionFlag): // the shell asks what may follow
	case name == "--help" || name == "-h":
		return p.showHelp(append(rest, "")[0])
	case name == "--version" || line.Has("version"):
		return p.showVersion()
	case flagName(name) == "" && (line.Has("help") || line.Has("h")):
		return p.showHelp(name)
	}
	for _, w := range p.mistyped() {
		p.screen.Line("warning: " + w)
	}
	return p.command().Run(ctx, p.args)
}

// background runs f in a goroutine of its own, which only shows where things stand. A bug in it lets the work go on, and in the end the command exits with the
// code of one. ended is closed when all of that is over.
func (p *program) background(f func()) (ended <-chan struct{}) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := migrate.Guard(func() error {
			f()
			return nil
		})
		p.showStack(err)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.bugs = append(p.bugs, err)
	}()
	return done
}

// bug is what went wrong in the background so far.
func (p *program) bug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.bugs...)
}

// showStack shows where the bug was, if err is one.
func (p *program) showStack(err error) {
	if bug, ok := errors.AsType[*migrate.Bug](err); ok {
		p.screen.EndBar()
		p.screen.Line(strings.ReplaceAll(string(bug.Stack), "\t", "    "))
	}
}

// failure turns an error into the ending that it means.
func (p *program) failure(err error) exit.Ending {
	known := &exit.Error{Code: exit.Unexpected, Err: err}
	if errors.Is(err, checkpoint.ErrLocked) {
		known.Code = exit.InUse
	}
	if errors.Is(err, syscall.ENOTDIR) {
		known.Code = exit.Unusable
	}
	errors.As(err, &known)
	e := exit.Ending{Code: known.Code, What: p.meaning(err), Hint: known.Hint}
	if errors.As(err, new(signalled)) {
		e.Why = string(migrate.ReasonSignal)
	}
	if _, ok := errors.AsType[*migrate.Bug](err); ok {
		e.Code = exit.Unexpected
		e.Public = "a bug; what was answered so far is recorded"
		e.What += "; what was answered so far is recorded"
	}
	if e.Hint == "" {
		e.Hint = p.hint(err, e.Code)
	}
	return e
}

// hint is the command to run after an error that names none.
func (p *program) hint(err error, code exit.Code) string {
	input, _ := errors.AsType[*source.InputError](err)
	switch {
	case errors.As(err, new(settings.Missing)):
		return p.better(p.completed, settings.Refusals(err)...)
	case errors.As(err, new(*source.EmptyError)):
		return currentLine(p.args).With("allow-empty", "").String() + " # if it may be empty; else look at what wrote it"
	case source.Better(err).Name != "":
		return p.better(asItIs, source.Better(err))
	case p.canMend(settings.Refusals(err)):
		return p.better(asItIs, settings.Refusals(err)...)
	case input != nil && input.Command(invocation.Quote) != "":
		return input.Command(invocation.Quote)
	case noSpace(err):
		return p.resumeLine().String() + " # after making room"
	case errors.Is(err, folder.ErrNoJob), errors.Is(err, syscall.ENOTDIR):
		return p.elsewhere()
	case code == exit.Unexpected && cannotWrite(err):
		return p.elsewhere() + " # one that can be written; a job that has begun goes on in a copy of its folder"
	case code == exit.Unusable:
		return p.help()
	case code == exit.InUse:
		return currentLine(p.args).Without("fresh").String()
	}
	return p.resumeLine().String()
}

// canMend reports whether the command has all of the flags. Those of an import that is no more than
// described are none of its own.
func (p *program) canMend(refused []source.Flag) bool {
	name, _ := split(p.args)
	foreign := func(f source.Flag) bool {
		return !slices.ContainsFunc(leafNamed(name).Flags, func(has cli.Flag) bool { return has.Names()[0] == f.Name })
	}
	return len(refused) > 0 && !slices.ContainsFunc(refused, foreign)
}

// better is the command line with flags that help, and what complete adds to it.
func (p *program) better(complete func(invocation.Line) invocation.Line, flags ...source.Flag) string {
	line, unset := currentLine(p.args), ""
	for _, f := range flags {
		switch variable := settings.Variable(f.Name); {
		case f.Value == "true":
			line = line.With(f.Name, "")
		case f.Value != "":
			line = line.With(f.Name, f.Value)
		case !line.Has(f.Name) && p.env[variable] != "":
			unset += " -u " + variable
		default:
			line = line.Without(f.Name)
		}
	}
	if unset != "" {
		unset = "env" + unset + " "
	}
	return unset + complete(line).String()
}

func asItIs(l invocation.Line) invocation.Line { return l }

// help is the command that prints the help text of the command that was called.
func (p *program) help() string {
	l := invocation.Parse(p.args[0], "", nil, nil)
	if name, _ := split(p.args); commandNamed(name) {
		l = invocation.Parse(p.args[0], name, nil, nil)
	}
	return l.With("help", "").String()
}

func commandNamed(name string) bool { return leafNamed(name) != nil }

// leafNamed finds a command by its name; nil if there is none.
func leafNamed(name string) *cli.Command {
	for _, c := range new(program).command().Commands {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// split finds the command's name among the arguments, and what follows it.
func split(args []string) (name string, rest []string) {
	if len(args) < 2 {
		return "", nil
	}
	return args[1], args[2:]
}

// resumeLine is resumeLine of this command. Until --fresh has moved the old state there is nothing to
// go on with.
func (p *program) resumeLine() invocation.Line {
	if p.startingOver.Load() {
		return currentLine(p.args).Without("retry-failed")
	}
	return resumeLine(p.args)
}

// resumeLine is the command that goes on with what the present one has begun.
func resumeLine(args []string) invocation.Line {
	return currentLine(args).Without("fresh", "retry-failed")
}

func currentLine(args []string) invocation.Line {
	name, rest := split(args)
	program := ""
	if len(args) > 0 {
		program = args[0]
	}
	return invocation.Parse(program, name, rest, takesOf(name))
}

// takesOf says of the flags of a command whether they take a value as a word of its own.
func takesOf(command string) func(flag string) bool {
	takes := map[string]bool{}
	if c := leafNamed(command); c != nil {
		for _, f := range c.Flags {
			g, ok := f.(*cli.GenericFlag)
			takes[f.Names()[0]] = ok && !g.Value.(*rawValue).optional
		}
	}
	return func(flag string) bool { return takes[flag] }
}

// command is the tree of commands.
func (p *program) command() *cli.Command {
	usage := func(_ context.Context, c *cli.Command, err error, _ bool) error { return p.usageError(c, err) }
	root := &cli.Command{
		Name:                  "friendmigrate",
		Usage:                 "moves a social graph into Tencent Chat",
		Reader:                p.std.in,
		Writer:                p.std.out,
		ErrWriter:             p.std.err,
		HideVersion:           true,
		HideHelp:              true, // help.go has its own, whose errors count
		EnableShellCompletion: true,
		ExitErrHandler:        func(context.Context, *cli.Command, error) {}, // the library would end the process
		OnUsageError:          usage,
		Action:                p.noCommand,
		ConfigureShellCompletionCommand: func(c *cli.Command) {
			c.Hidden = false
			c.Usage = completionUsage
			c.Action, c.OnUsageError, c.HideHelp = p.noShell, usage, true
		},
	}
	root.Commands = []*cli.Command{
		p.leaf("import", "the job: validate, group, send, checkpoint, report. Run it again to resume", importHelp(), settings.ImportFlags(), p.importAction),
		p.leaf("plan", "the same reading and checking, nothing sent: what an import would take", planHelp(), settings.PlanTakes(), p.planAction),
		p.leaf("status", "where the job stands, also while it runs", statusHelp(), settings.StatusFlags(), p.statusAction),
		p.leaf("failures", "what the service refused: by code with advice, or as a list that import accepts", failuresHelp(), settings.FailuresFlags(), p.failuresAction),
		p.leaf("explain", "what happened to one account or one edge", explainHelp(), settings.ExplainFlags(), p.explainAction),
		p.leaf("undo-list", "which pairs this job created, as requests of friend_delete", undoListHelp(), settings.UndoListFlags(), p.undoListAction),
		p.leaf("clean", "removes the staged input of a finished job, keeps lists and report", cleanHelp(), settings.CleanFlags(), p.cleanAction),
		p.leaf("verify", "asks the service whether every edge is in place", verifyHelp(), settings.VerifyFlags(), p.verifyAction),
		p.leaf("export", "writes the friend lists of many accounts as a file that import accepts", exportHelp(), settings.ExportFlags(), p.exportAction),
		p.leaf("doctor", "finds out before a long run whether it will work", doctorHelp(), settings.DoctorFlags(), p.doctorAction),
		p.leaf("simulate", "serves a simulated Chat on a port", simulateHelp(), simulateFlags(), p.simulateAction),
		p.leaf("manifest", "prints Kubernetes YAML of an import, for kubectl apply -f -", manifestHelp(), settings.ManifestFlags(), p.manifestAction),
		p.leaf("version", "prints the version", "", nil, func(context.Context, *cli.Command) error { return p.showVersion() }),
		p.leaf("help", "prints the help text of the program or of a command", "", nil, func(_ context.Context, c *cli.Command) error { return p.showHelp(c.Args().First()) }),
	}
	for _, c := range root.Commands {
		c.OnUsageError = usage
	}
	return root
}

func (p *program) leaf(name, usage, help string, flags []settings.Flag, action cli.ActionFunc) *cli.Command {
	c := &cli.Command{Name: name, Usage: usage, CustomHelpTemplate: help, HideHelp: true, Action: action, EnableShellCompletion: true}
	for _, f := range flags {
		c.Flags = append(c.Flags, &cli.GenericFlag{Name: f.Name, Usage: f.Usage, Category: f.Group, TakesFile: f.TakesFile, Value: &rawValue{optional: f.Kind != settings.Takes}})
	}
	return c
}

// noCommand answers a call without a command that is known.
func (p *program) noCommand(_ context.Context, c *cli.Command) error {
	if name := c.Args().First(); name != "" {
		return p.unknownCommand(name)
	}
	return p.showHelp("")
}

// values gathers what the flags of a command were given.
func (p *program) values(c *cli.Command) settings.Values {
	v := settings.Values{Flags: map[string][]string{}, Env: p.env}
	for _, f := range c.Flags {
		if g, ok := f.(*cli.GenericFlag); ok {
			if raw, ok := g.Value.(*rawValue); ok && len(raw.given) > 0 {
				v.Flags[g.Name] = raw.given
			}
		}
	}
	return v
}

// rawValue keeps what a flag was given, unread: package settings reads it.
type rawValue struct {
	optional bool
	given    []string
}

func (v *rawValue) Set(s string) error {
	v.given = append(v.given, s)
	return nil
}

func (v *rawValue) String() string { return "" }

func (v *rawValue) Get() any { return v.given }

// IsBoolFlag lets "--flag" stand without a value.
func (v *rawValue) IsBoolFlag() bool { return v.optional }
