package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"friendmigrate/cmd/trial/quick"
)

// Most tests wait for something most of the time, so more of them run at once than there are
// processors.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	testscript.Main(quick.On(m), map[string]func(){"friendmigrate": main, callerName: serveCalls})
}

// The key and the app of all scripts.
const (
	scriptKey = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"
	scriptApp = "1400000042"
)

// TestScripts runs the real program against its own simulated service, from testdata/script. Beside
// testscript's own commands there are:
//
// The app, the key's file, the service's URL and a rate without limit are given as variables.
//
//	code N [< FILE] PROGRAM ARGS...   run, expect exit code N; friendmigrate runs in the script's process for calls
//	start NAME PROGRAM ARGS...        run in the background
//	signal NAME TERM|INT|HUP|KILL     send a signal to what was started
//	ended NAME N                      wait for it, expect exit code N (-1: killed)
//	serve [FLAGS...]                  (re)start a simulated service; its URL is in $SIM, on the same port for the whole script
//	sim KEY OP N                      hold a number of its account against N; waits up to 20 s for >=
//	json FILE PATH VALUE              a value of a JSON file
//	gen FILE ACCOUNTS FRIENDS         write a CSV of a ring: each account has the next FRIENDS accounts as friends
//	gz FILE                           compress it to FILE.gz
//	hinted N                          run what the last line hinted at, expect exit code N
//	lastline REGEXP                   of standard error
//	edit put|remove FROM TO [SOURCE]  change the simulated service's graph as if somebody else were using the app
//	discreet DIR                      no key, no signature in any file or in the last output; files 0600, folders 0700
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("FRIENDMIGRATE_SDK_APP_ID", scriptApp)
			e.Setenv("FRIENDMIGRATE_SECRET_KEY_FILE", "key")
			e.Setenv("FRIENDMIGRATE_RATE", "100000")
			e.Values[stateKey{}] = &scriptState{processes: map[string]*process{}}
			return os.WriteFile(filepath.Join(e.WorkDir, "key"), []byte(scriptKey+"\n"), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": scriptCode, "start": scriptStart, "signal": scriptSignal, "ended": scriptEnded, "serve": scriptServe, "sim": scriptSim,
			"json": scriptJSON, "gen": scriptGen, "gz": scriptGz, "hinted": scriptHinted, "lastline": scriptLastLine, "discreet": scriptDiscreet, "edit": scriptEdit,
		},
	})
}

type stateKey struct{}

// scriptState is what the commands of one script share.
type scriptState struct {
	processes map[string]*process
	caller    *caller // nil before the first call
	out, err  string  // of the last program that ended
	address   string  // of the simulated service
}

type process struct {
	cmd      *exec.Cmd
	out, err *bytes.Buffer
}

func state(ts *testscript.TestScript) *scriptState { return ts.Value(stateKey{}).(*scriptState) }

func newProcess(ts *testscript.TestScript, words []string) *process {
	p := &process{out: new(bytes.Buffer), err: new(bytes.Buffer)}
	name, err := lookPath(ts, words[0])
	ts.Check(err)
	p.cmd = exec.Command(name, words[1:]...)
	p.cmd.Args[0] = words[0]
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.Env = environmentOf(ts)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.err
	return p
}

// environmentOf returns the environment of a script's programs.
func environmentOf(ts *testscript.TestScript) []string {
	env := []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + os.TempDir()}
	for _, name := range []string{"SDK_APP_ID", "SECRET_KEY_FILE", "SECRET_KEY", "ENDPOINT", "RATE", "STATE", "SHARDS", "OUTAGE_TIMEOUT", "TERMINATION_LOG", "ALLOW_EMPTY", "MAP", "ONLY_ACCOUNTS", "STRICT", "REHEARSE"} {
		env = append(env, "FRIENDMIGRATE_"+name+"="+ts.Getenv("FRIENDMIGRATE_"+name))
	}
	return append(env, "JOB_COMPLETION_INDEX="+ts.Getenv("JOB_COMPLETION_INDEX"))
}

func lookPath(ts *testscript.TestScript, name string) (string, error) {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode()&0o111 != 0 {
			return filepath.Join(dir, name), nil
		}
	}
	return "", fmt.Errorf("no program %q", name)
}

// patience is how long a program may take before it is taken to hang.
const patience = 30 * time.Second

// finish waits for a process and makes its output that of the script.
func (p *process) finish(ts *testscript.TestScript) int {
	hangs := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	err := p.cmd.Wait()
	hangs.Stop()
	if exited := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exited) {
		ts.Fatalf("run: %v", err)
	}
	code := p.cmd.ProcessState.ExitCode()
	ended(ts, scriptResult{Code: code, Out: p.out.String(), Err: p.err.String()})
	return code
}

// ended makes the output of a program that of the script.
func ended(ts *testscript.TestScript, r scriptResult) {
	s := state(ts)
	s.out, s.err = r.Out, r.Err
	_, _ = io.WriteString(ts.Stdout(), s.out)
	_, _ = io.WriteString(ts.Stderr(), s.err)
	if err := checkLastLine(r.Code, s.err); err != nil {
		ts.Fatalf("%v", err)
	}
}

func expectCode(ts *testscript.TestScript, got int, want string) {
	if fmt.Sprint(got) != want {
		s := state(ts)
		ts.Fatalf("exit code %d, want %s\n%s%s", got, want, s.out, s.err)
	}
}

func scriptCode(ts *testscript.TestScript, _ bool, args []string) {
	want, words := args[0], args[1:]
	input := ""
	if words[0] == "<" {
		input, words = ts.MkAbs(words[1]), words[2:]
	}
	if s := state(ts); words[0] == "friendmigrate" {
		if s.caller == nil {
			s.caller = startCaller(ts)
		}
		expectCode(ts, s.caller.call(ts, words, input), want)
		return
	}
	p := newProcess(ts, words)
	if input != "" {
		f, err := os.Open(input)
		ts.Check(err)
		defer f.Close()
		p.cmd.Stdin = f
	}
	ts.Check(p.cmd.Start())
	expectCode(ts, p.finish(ts), want)
}

func scriptStart(ts *testscript.TestScript, _ bool, args []string) {
	p := newProcess(ts, args[1:])
	ts.Check(p.cmd.Start())
	state(ts).processes[args[0]] = p
	ts.Defer(func() { _ = p.cmd.Process.Kill() })
}

func scriptSignal(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP, "QUIT": syscall.SIGQUIT, "KILL": syscall.SIGKILL}
	ts.Check(state(ts).processes[args[0]].cmd.Process.Signal(signals[args[1]]))
}

func scriptEnded(ts *testscript.TestScript, _ bool, args []string) {
	s := state(ts)
	p := s.processes[args[0]]
	delete(s.processes, args[0])
	expectCode(ts, p.finish(ts), args[1])
}

func scriptServe(ts *testscript.TestScript, _ bool, args []string) {
	s := state(ts)
	if old := s.processes["simulate"]; old != nil {
		ts.Check(old.cmd.Process.Kill())
		_ = old.cmd.Wait()
	}
	address := s.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	p := newProcess(ts, append([]string{"friendmigrate", "simulate", "--listen", address, "--sdk-app-id", scriptApp, "--secret-key-file", "key"}, args...))
	p.cmd.Stdout = nil
	out, err := p.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	ts.Defer(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	line := make([]byte, 100)
	n, err := out.Read(line)
	if err != nil {
		_ = p.cmd.Wait()
		ts.Fatalf("the service did not start: %v\n%s", err, p.err)
	}
	url := strings.TrimSpace(string(line[:n]))
	s.address, s.processes["simulate"] = strings.TrimPrefix(url, "http://"), p
	ts.Setenv("SIM", url)
	ts.Setenv("FRIENDMIGRATE_ENDPOINT", url)
}

func scriptSim(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.ParseFloat(args[2], 64)
	ts.Check(err)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(3 * time.Millisecond) {
		got, found := stat(ts, args[0])
		holds := map[string]bool{"=": got == want, "<=": got <= want, ">=": got >= want}[args[1]]
		if holds && found {
			return
		}
		if args[1] != ">=" || time.Now().After(deadline) {
			ts.Fatalf("the service has %s %v, want %s %v", args[0], got, args[1], want)
		}
	}
}

func stat(ts *testscript.TestScript, key string) (float64, bool) {
	answer, err := http.Get(ts.Getenv("SIM") + "/_sim/stats")
	ts.Check(err)
	defer answer.Body.Close()
	var stats map[string]any
	ts.Check(json.NewDecoder(answer.Body).Decode(&stats))
	n, ok := stats[key].(float64)
	return n, ok
}

func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &value))
	for step := range strings.SplitSeq(args[1], ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			ts.Check(err)
			value = v[i]
		}
	}
	if got := fmt.Sprint(value); (got == args[2]) == neg {
		ts.Fatalf("%s has %s %s", args[0], args[1], got)
	}
}

func scriptGen(ts *testscript.TestScript, _ bool, args []string) {
	accounts, err := strconv.Atoi(args[1])
	ts.Check(err)
	friends, err := strconv.Atoi(args[2])
	ts.Check(err)
	var b bytes.Buffer
	b.WriteString("From_Account,To_Account,AddSource\n")
	for k := range friends { // an account's rows lie far from each other
		for i := range accounts {
			fmt.Fprintf(&b, "u%d,u%d,AddSource_Type_Test\n", i, (i+k+1)%accounts)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

func scriptGz(ts *testscript.TestScript, _ bool, args []string) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, ts.ReadFile(args[0]))
	ts.Check(errors.Join(err, w.Close()))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".gz"), b.Bytes(), 0o600))
}

func scriptEdit(ts *testscript.TestScript, _ bool, args []string) {
	edge := url.Values{"From_Account": {args[1]}, "To_Account": {args[2]}}
	if len(args) > 3 {
		edge.Set("AddSource", "AddSource_Type_"+args[3])
	}
	answer, err := http.PostForm(ts.Getenv("SIM")+"/_sim/"+args[0], edge)
	ts.Check(err)
	ts.Check(answer.Body.Close())
	if answer.StatusCode != http.StatusOK {
		ts.Fatalf("edit: HTTP %d", answer.StatusCode)
	}
}

func lastLine(ts *testscript.TestScript) string {
	lines := strings.Split(strings.TrimRight(state(ts).err, "\n"), "\n")
	return lines[len(lines)-1]
}

func scriptLastLine(ts *testscript.TestScript, neg bool, args []string) {
	if line := lastLine(ts); regexp.MustCompile(args[0]).MatchString(line) == neg {
		ts.Fatalf("the last line is: %s", line)
	}
}

func scriptHinted(ts *testscript.TestScript, _ bool, args []string) {
	_, hint, found := strings.Cut(lastLine(ts), "hint: ")
	if !found {
		ts.Fatalf("no hint: %s", lastLine(ts))
	}
	p := newProcess(ts, []string{"sh", "-c", hint})
	ts.Check(p.cmd.Start())
	expectCode(ts, p.finish(ts), args[0])
}

func scriptDiscreet(ts *testscript.TestScript, _ bool, args []string) {
	s := state(ts)
	signature := regexp.MustCompile(`usersig|eJ[a-z][A-Za-z0-9*_-]{30}`) // a UserSig is zlib in base64, which begins so
	secret := func(where, text string) {
		if bad := signature.FindString(text); bad != "" || strings.Contains(text, scriptKey) {
			ts.Fatalf("%s has the key or a signature: %q", where, bad)
		}
	}
	secret("the output", s.out+s.err)
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if want := map[bool]fs.FileMode{true: 0o700, false: 0o600}[e.IsDir()]; info.Mode().Perm() != want {
			ts.Fatalf("%s has mode %v", name, info.Mode())
		}
		if !e.IsDir() {
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			secret(name, string(content))
		}
		return nil
	}))
}
