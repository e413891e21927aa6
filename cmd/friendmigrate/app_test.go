package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/migrate/disk"
)

// brokenWriter stands for a bug.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { panic("it broke") }

func TestABugEndsWithItsOwnCode(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	code := run(context.Background(), []string{"friendmigrate", "version"}, job.Streams{Out: brokenWriter{}, Err: &log}, nil)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	last := lines[len(lines)-1]
	if code != 1 || !strings.HasPrefix(last, "friendmigrate: a bug: it broke") || !strings.Contains(log.String(), "brokenWriter") {
		t.Errorf("code %d\n%s", code, log.String())
	}
}

// fullDisk is an output that cannot be written.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestAnOutputThatCannotBeWrittenIsSaidOnce(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"", "help", "help import", "import x --help", "version", "--version", "help completion", "completion bash",
		"manifest --sdk-app-id 1 --region china", "simulate --sdk-app-id 1", "doctor --sdk-app-id 1 --endpoint http://127.0.0.1:9",
		"doctor --sdk-app-id 1 --endpoint http://127.0.0.1:9 --json"} {
		var log bytes.Buffer
		code := run(context.Background(), append([]string{"friendmigrate"}, strings.Fields(line)...), job.Streams{Out: fullDisk{}, Err: &log}, map[string]string{"FRIENDMIGRATE_SECRET_KEY": scriptKey})
		if code != 1 || strings.Count(log.String(), syscall.ENOSPC.Error()) != 1 {
			t.Errorf("%q: code %d\n%s", line, code, log.String())
		}
	}
}

func TestEveryFlagIsInTheHelpText(t *testing.T) {
	t.Parallel()
	for _, width := range []int{60, 80, 100} {
		all := (&program{commands: allCommands()}).rootHelp(width)
		for _, c := range allCommands() {
			text := c.help(width)
			all += text
			for _, f := range c.declared() {
				if !f.Hidden && !strings.Contains(text, "--"+f.Name) {
					t.Errorf("%s: --%s is not in the help text", c.name, f.Name)
				}
			}
		}
		for line := range strings.Lines(all) {
			most := width
			if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") {
				most = max(80, width) // a command stays whole, to be copied
			}
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > most {
				t.Errorf("a line of %d columns in a help text for %d: %s", n, width, line)
			}
		}
	}
}

func TestTheManualNamesTheFlagsWithoutAVariable(t *testing.T) {
	_, environment, _ := strings.Cut((&program{commands: allCommands()}).manPage(), ".SH ENVIRONMENT\n")
	environment, _, _ = strings.Cut(strings.ReplaceAll(environment, `\-`, "-"), "\n")
	for _, c := range allCommands() {
		for _, f := range c.declared() {
			if named := slices.Contains(strings.Fields(environment), "--"+f.Name); named != f.NoVariable {
				t.Errorf("--%s of %s: %v, named %v in %q", f.Name, c.name, f.NoVariable, named, environment)
			}
		}
	}
}

// run runs a command in this process, without its signals.
func run(ctx context.Context, args []string, std job.Streams, env map[string]string) (code int) {
	return runOn(ctx, job.Volume{FS: disk.OS{}, Free: disk.Free}, args, std, env)
}

// runOn is run on another volume. Until its exec, a process that another test starts shares the
// files of this one, and with them the lock of a state whose run has just ended here: that is
// waited for.
func runOn(ctx context.Context, on job.Volume, args []string, std job.Streams, env map[string]string) (code int) {
	awaitForks()
	p := newProgram(on, args, std, env)
	code = p.run(ctx)
	p.Linger(ctx)
	return code
}

// awaitForks waits for the processes that are being started: package syscall holds its lock until
// their exec.
func awaitForks() {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
}

func TestTheFirstSignalEndsEveryWaitForAPipe(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, pipe := range []string{"pipe", "pipe.csv", "pipe.jsonl.gz"} {
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Skip(err)
		}
	}
	for name, content := range map[string]string{"key": scriptKey, "ids": "a\n", "e.csv": "From_Account,To_Account,AddSource\na,b,AddSource_Type_X\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	service := " --sdk-app-id 1 --endpoint http://127.0.0.1:9 --secret-key-file "
	for _, line := range []string{
		"import pipe.csv" + service + "key", "import pipe.jsonl.gz" + service + "key", "verify pipe.csv" + service + "key", "plan pipe.csv",
		"import e.csv" + service + "pipe", "verify e.csv" + service + "pipe", "export --accounts ids" + service + "pipe", "doctor" + service + "pipe",
		"simulate --sdk-app-id 1 --secret-key-file pipe", "simulate --sdk-app-id 1 --secret-key-file key --accounts pipe",
		"export --accounts pipe" + service + "key", "doctor --accounts pipe" + service + "key",
		"doctor --ca-file pipe" + service + "key", "export --accounts ids --ca-file pipe" + service + "key", "import e.csv --ca-file pipe" + service + "key",
		"import e.csv --only-accounts pipe" + service + "key", "plan e.csv --only-accounts pipe", "verify e.csv --only-accounts pipe" + service + "key",
		"plan s3://bucket/key --s3-endpoint http://127.0.0.1:9 --ca-file pipe",
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(job.Signal{Signal: syscall.SIGTERM})
		var log bytes.Buffer
		done := make(chan int, 1)
		go func() {
			done <- run(ctx, append([]string{"friendmigrate"}, strings.Fields(line)...), job.Streams{Out: io.Discard, Err: &log}, nil)
		}()
		select {
		case code := <-done:
			if code != 4 || !strings.Contains(log.String(), "SIGTERM") {
				t.Errorf("%q: code %d\n%s", line, code, log.String())
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%q: still waiting", line)
		}
	}
}

func TestAMistypedVariableIsNamedWithTheOneThatWasMeant(t *testing.T) {
	t.Parallel()
	for name, meant := range map[string]string{
		"FRIENDMIGRATE_STAET": "FRIENDMIGRATE_STATE", "FRIENDMIGRATE_SDK_APPID": "FRIENDMIGRATE_SDK_APP_ID", "FREINDMIGRATE_RATE": "FRIENDMIGRATE_RATE",
		"friendmigrate_rate": "FRIENDMIGRATE_RATE", "FRIENDMIGRATE_SECRET_KEYS": "FRIENDMIGRATE_SECRET_KEY", "FRIENDMIGRATE_SHARD_S": "FRIENDMIGRATE_SHARDS",
		"FRIENDMIGRATE_FRESH": "only as the flag --fresh", "FRIENDMIGRATE_ASSUME_NEW": "only as the flag --assume-new", "FRIENDMIGRATE_FRSH": "",
		"FRIENDMIGRATE_RATE": "", "FRIENDMIGRATE_SHARDS": "", "FRIENDMIGRATE_SECRET_KEY": "", "FRIENDMIGRATE_TERMINATION_LOG": "", "FRIENDMIGRATE_LATENCY": "",
		"FRIENDMIGRATE_SERVICE_HOST": "", "FRIENDMIGRATE_SERVICE_PORT": "", "FRIENDMIGRATE_PORT": "", "FRIENDMIGRATE_PORT_443_TCP": "", "FRIENDMIGRATE_PORT_443_TCP_PROTO": "",
		"FRIENDMIGRATE_PORT_443_TCP_PORT": "", "FRIENDMIGRATE_PORT_443_TCP_ADDR": "", "FRIENDMIGRATE_BENCH_EDGES": "", "HOME": "", "PATH": "", "STATE": "",
	} {
		var log bytes.Buffer
		run(context.Background(), []string{"friendmigrate", "status", "--state", "none"}, job.Streams{Out: io.Discard, Err: &log}, map[string]string{name: "0123456789abcdef"})
		text := log.String()
		if strings.Contains(text, "warning: the variable "+name+" is not read") != (meant != "") || !strings.Contains(text, meant) || strings.Contains(text, "0123") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// Package exit, which asks for signals, relies on the order in which Go initialises packages: a
// signal before its turn ends the process with Go's exit code 2, after which a scheduler gives up.
func TestSignalsAreAskedForBeforeTheLibrariesAreInitialised(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Args, cmd.Env = []string{"friendmigrate", "version"}, []string{"GODEBUG=inittrace=1", "PATH=" + filepath.Dir(self)}
	trace, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(trace, []byte("friendmigrate ")) {
		t.Fatalf("%v\n%s", err, trace)
	}
	var order []string
	for _, init := range regexp.MustCompile(`(?m)^init (\S+) @`).FindAllSubmatch(trace, -1) {
		order = append(order, string(init[1]))
	}
	at := slices.Index(order, "friendmigrate/cmd/friendmigrate/exit")
	if at < 0 {
		t.Fatalf("exit is not initialised: %q", order)
	}
	later := 0
	for i, name := range order {
		for _, large := range []string{"friendmigrate/", "github.com/prometheus/", "github.com/urfave/", "github.com/minio/minio-go", "go.uber.org/zap", "google.golang.org/protobuf/internal/impl"} {
			switch {
			case !strings.HasPrefix(name, large) || strings.HasPrefix(name, "go.uber.org/zap/internal"):
			case i < at:
				t.Errorf("%s is initialised before exit", name)
			case i > at:
				later++
			}
		}
	}
	if later < 10 {
		t.Errorf("only %d packages after exit: the test looks at others than the program has", later)
	}
}

func TestAMinuteOfWaitingForAStreamSaysForWhat(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("key", []byte(scriptKey), 0o600); err != nil {
		t.Fatal(err)
	}
	const service = " --sdk-app-id 1 --endpoint http://127.0.0.1:9 --secret-key-file key"
	for line, says := range map[string]string{
		"export --accounts -" + service:             "still waiting for --accounts",
		"plan --format csv -":                       "nothing was read for 60 s: waiting for standard input",
		"import --state i --format csv -" + service: "nothing was read for 60 s: waiting for standard input",
		"verify --state v --format csv -" + service: "nothing was read for 60 s: waiting for standard input",
	} {
		synctest.Test(t, func(t *testing.T) {
			from, to := io.Pipe()
			time.AfterFunc(3*time.Minute, func() { to.Close() })
			var log bytes.Buffer
			code := run(t.Context(), append([]string{"friendmigrate"}, strings.Fields(line)...), job.Streams{In: from, Out: io.Discard, Err: &log}, nil)
			if code != 2 || strings.Count(log.String(), says) != 1 {
				t.Errorf("%q: code %d\n%s", line, code, log.String())
			}
		})
	}
}
