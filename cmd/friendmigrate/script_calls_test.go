package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"os/exec"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
)

// A script calls the program some twenty times, and most of what a short call costs is the start of
// its process. So the calls that the script waits for share one process, which runs them one after
// the other as main does. It has the script's folder as its own.

const callerName = "friendmigrate-calls"

// scriptCall is one call of the program; Input is its standard input, "" for none.
type scriptCall struct {
	Args, Env []string
	Input     string
}

// scriptResult is how a call ended.
type scriptResult struct {
	Code     int
	Out, Err string
}

// serveCalls runs the calls from standard input until that ends.
func serveCalls() {
	log.SetOutput(io.Discard)
	requests, results := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var c scriptCall
		if err := requests.Decode(&c); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Panic(err)
		}
		var out, stderr bytes.Buffer
		var in io.Reader = bytes.NewReader(nil)
		if c.Input != "" {
			f, err := os.Open(c.Input)
			if err != nil {
				log.Panic(err)
			}
			in = f
		}
		env := environment(c.Env)
		code := exit.Code(supervise(c.Args, job.Streams{In: in, Out: &out, Err: &stderr}, env)).Status(env)
		if err := results.Encode(scriptResult{Code: code, Out: out.String(), Err: stderr.String()}); err != nil {
			log.Panic(err)
		}
	}
}

// caller is the process in which a script's calls run.
type caller struct {
	cmd     *exec.Cmd
	calls   *json.Encoder
	results *json.Decoder
}

func startCaller(ts *testscript.TestScript) *caller {
	p := newProcess(ts, []string{callerName})
	in, err := p.cmd.StdinPipe()
	ts.Check(err)
	p.cmd.Stdout, p.cmd.Stderr = nil, os.Stderr
	out, err := p.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	ts.Defer(func() {
		_ = in.Close()
		_ = p.cmd.Wait()
	})
	return &caller{cmd: p.cmd, calls: json.NewEncoder(in), results: json.NewDecoder(out)}
}

// call runs the program and makes its output that of the script.
func (c *caller) call(ts *testscript.TestScript, words []string, input string) int {
	hangs := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer hangs.Stop()
	ts.Check(c.calls.Encode(scriptCall{Args: words, Env: environmentOf(ts), Input: input}))
	var r scriptResult
	ts.Check(c.results.Decode(&r))
	ended(ts, r)
	return r.Code
}
