package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// plantAtOnce is the number of bugs planted at once. While one is compiled, the suite of the other
// waits for the program that it runs.
const plantAtOnce = 2

// mutated is the row of planted bugs: each bug that the suites do not find is a violation. The go
// command reads one file from another place, so the module is not changed.
func mutated(ctx context.Context, s *suite, _ int) int {
	var chosen []mutation
	for _, m := range mutations {
		if strings.Contains(m.bug, s.named) {
			chosen = append(chosen, m)
		}
	}
	g := &garden{root: lab.ModuleFolder(ctx)}
	more := func(i int) bool { return i < len(chosen) && ctx.Err() == nil }
	sideBySide(plantAtOnce, more, func(i int) {
		m, began, result := chosen[i], time.Now(), "caught"
		err := g.plant(ctx, m)
		if err != nil {
			result = "MISSED"
			s.violated("%q: %v", m.bug, err)
		}
		s.say("  %-6s %6.1f s  %-55s by %s", result, time.Since(began).Seconds(), m.bug, m.by[len(m.by)-1])
	})
	return len(chosen)
}

// garden is the module in which bugs are planted.
type garden struct {
	root  string
	sound once[error] // of a command without a bug, by its words
}

// plant plants one bug and returns why it is not found. It first runs the command that has to find
// the bug without it: a suite that fails anyway finds nothing.
func (g *garden) plant(ctx context.Context, m mutation) error {
	words := strings.Join(m.by, " ")
	err := g.sound.get(words, func() error {
		_, err := g.goes(ctx, m.by)
		return err
	})
	if err != nil {
		return fmt.Errorf("go %s fails without a bug: %w", words, err)
	}
	work := lab.Must(os.MkdirTemp("", "trial-mutant-"))
	defer func() { lab.Check(os.RemoveAll(work)) }()
	overlay, err := m.overlay(g.root, work)
	if err != nil {
		return err
	}
	said, failed := g.goes(ctx, m.by, "GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlay)
	switch {
	case strings.Contains(said, "[build failed]"), strings.Contains(said, "go build "):
		return fmt.Errorf("it does not compile: %s", said)
	case failed == nil:
		return errors.New("nothing finds it")
	}
	return nil
}

// overlay writes the file with the bug into the folder work, and next to it the file that makes the
// go command read it instead of the one in the module. It returns the path of the latter.
func (m mutation) overlay(root, work string) (string, error) {
	file := filepath.Join(root, m.file)
	sound, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(sound), m.old); n != 1 {
		return "", fmt.Errorf("%s has the text to replace %d times", m.file, n)
	}
	bug, overlay := filepath.Join(work, "bug.go"), filepath.Join(work, "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{file: bug}})
	return overlay, errors.Join(err, os.WriteFile(overlay, text, 0o600),
		os.WriteFile(bug, []byte(strings.Replace(string(sound), m.old, m.new, 1)), 0o600))
}

// slowest is the time limit of a command, since a bug may make it wait forever.
const slowest = 3 * time.Minute

// goes runs the go command in the module and returns the end of its output. A test that does not
// exist is no error, so it finds nothing.
func (g *garden) goes(ctx context.Context, args []string, env ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, slowest)
	defer cancel()
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir, c.Env = g.root, append(os.Environ(), env...)
	// Kill all processes that it has started: those that a hanging suite leaves behind would keep
	// its output open.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = 10 * time.Second
	out, err := c.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, tail(string(out), 2000))
	}
	return tail(string(out), 2000), err
}
