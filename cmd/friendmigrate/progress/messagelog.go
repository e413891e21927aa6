package progress

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// Where messages go.
const (
	Variable = "FRIENDMIGRATE_TERMINATION_LOG" // names a file
	Default  = "/dev/termination-log"          // made by Kubernetes, for each container

	begin = `{"version":` // of every message: a file with anything else in it is not ours
)

// Log takes the message of one process. It is safe for concurrent use. The zero Log writes nowhere.
type Log struct {
	name    string // "": nowhere
	create  bool
	mu      sync.Mutex // guards what follows
	written bool
}

// Find finds where the message goes: to the file that the variable names, or, in a pod, to the one
// that Kubernetes has made.
func Find(env map[string]string) *Log { return find(env, Default) }

func find(env map[string]string, ofPod string) *Log {
	if name := env[Variable]; name != "" {
		return &Log{name: name, create: true}
	}
	if env["KUBERNETES_SERVICE_HOST"] == "" && env["JOB_COMPLETION_INDEX"] == "" {
		return &Log{}
	}
	if info, err := os.Stat(ofPod); err != nil || !info.Mode().IsRegular() {
		return &Log{}
	}
	return &Log{name: ofPod}
}

// Write writes a message in place of what was in the file. The file stays the same: Kubernetes has
// mounted it. An error is for a word of warning, no more.
func (l *Log) Write(m Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.written {
		return nil
	}
	return l.write(m)
}

// Last writes the last message: what whoever is still at work writes after it is not taken.
func (l *Log) Last(m Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written = true
	return l.write(m)
}

func (l *Log) write(m Message) error {
	if l.name == "" {
		return nil
	}
	// Opening a pipe would wait for its reader.
	switch info, err := os.Stat(l.name); {
	case errors.Is(err, fs.ErrNotExist) && l.create:
	case err != nil:
		return fmt.Errorf("write the termination message: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("write the termination message: %q is no regular file", l.name)
	}
	flag := os.O_WRONLY | os.O_TRUNC
	if l.create {
		flag |= os.O_CREATE
	}
	if there, err := os.ReadFile(l.name); l.create && err == nil && len(there) > 0 &&
		!bytes.HasPrefix(there, []byte(begin)) {
		return fmt.Errorf("write the termination message: %q holds something else", l.name)
	}
	f, err := os.OpenFile(l.name, flag, 0o600)
	if err != nil {
		return l.failed(err)
	}
	_, err = f.Write(m.Encode())
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the termination message: %w", err)
	}
	return nil
}

// failed leaves out a file of the system's that is not writable for this user: nobody asked for it
// by name.
func (l *Log) failed(err error) error {
	if !l.create {
		return nil
	}
	return fmt.Errorf("write the termination message: %w", err)
}
