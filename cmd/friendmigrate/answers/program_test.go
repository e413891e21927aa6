package answers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"friendmigrate/cmd/trial/quick"
	"friendmigrate/migrate"
)

// builder makes the program once, for the tests that want the whole of it.
var builder struct {
	sync.Mutex
	dir string
}

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // as the program does: net/http tells it what services send unasked for
	code := quick.On(m).Run()
	if builder.dir != "" {
		_ = os.RemoveAll(builder.dir)
	}
	os.Exit(code)
}

// built is the program's file.
func built(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("the other runs do it: what is run is built without the race detector")
	}
	builder.Lock()
	defer builder.Unlock()
	name := filepath.Join(builder.dir, "friendmigrate")
	if builder.dir != "" {
		return name
	}
	dir, err := os.MkdirTemp("", "friendmigrate-answers-")
	if err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(dir, "friendmigrate")
	if out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", name, "friendmigrate/cmd/friendmigrate").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	builder.dir = dir
	return name
}

// program is one folder in which the program is run: its key, its input, its state.
type program struct {
	t    testing.TB
	name string
	dir  string
	env  []string
}

// newProgram makes a folder with the key and, if there are edges, the input edges.csv.
func newProgram(t testing.TB, edges iter.Seq[migrate.Edge]) *program {
	t.Helper()
	p := &program{t: t, name: built(t), dir: t.TempDir()}
	p.write("key", key+"\n")
	if edges != nil {
		var b strings.Builder
		b.WriteString("From_Account,To_Account,AddSource\n")
		for e := range edges {
			fmt.Fprintf(&b, "%s,%s,%s\n", e.From, e.To, e.AddSource)
		}
		p.write("edges.csv", b.String())
	}
	return p
}

func (p *program) path(name string) string { return filepath.Join(p.dir, name) }

func (p *program) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(p.path(name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// process is a program that ran or runs.
type process struct {
	*exec.Cmd
	out, err bytes.Buffer
}

// command is the program with the arguments of a command line.
func (p *program) command(args ...string) *process {
	c := &process{Cmd: exec.Command(p.name, args...)}
	c.Dir, c.Stdout, c.Stderr = p.dir, &c.out, &c.err
	c.Env = append([]string{"HOME=" + p.dir, "TMPDIR=" + os.TempDir()}, p.env...)
	return c
}

// start starts it.
func (p *program) start(args ...string) *process {
	p.t.Helper()
	c := p.command(args...)
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	return c
}

// end waits for the process and returns its exit code, -1 if it was killed.
func (c *process) end(t testing.TB) int {
	t.Helper()
	err := c.Wait()
	if exited := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exited) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode()
}

// run runs the program to its end.
func (p *program) run(args ...string) (*process, int) {
	p.t.Helper()
	c := p.start(args...)
	return c, c.end(p.t)
}

// importing are the arguments of an import of edges.csv, to an endpoint.
func importing(endpoint string, more ...string) []string {
	return append([]string{"import", "edges.csv", "--sdk-app-id", fmt.Sprint(app), "--secret-key-file", "key", "--endpoint", endpoint, "--state", "state"}, more...)
}

// lastLine is the last line on standard error.
func (c *process) lastLine() string {
	lines := strings.Split(strings.TrimRight(c.err.String(), "\n"), "\n")
	return lines[len(lines)-1]
}
