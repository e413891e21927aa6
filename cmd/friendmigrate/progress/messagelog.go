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
	name string // "": nowhere
	own  bool   // the user has named it, so it may be made, and must hold a message or nothing
	mu   sync.Mutex
	last bool // the last message is written; guarded by mu
}

// Find finds where the message goes: to the file that the variable names, or, in a pod, to the one
// that Kubernetes has made.
func Find(env map[string]string) *Log { return find(env, Default) }

func find(env map[string]string, ofPod string) *Log {
	if name := env[Variable]; name != "" {
		return &Log{name: name, own: true}
	}
	if env["KUBERNETES_SERVICE_HOST"] == "" && env["JOB_COMPLETION_INDEX"] == "" {
		return &Log{}
	}
	if info, err := os.Stat(ofPod); err != nil || !info.Mode().IsRegular() {
		return &Log{}
	}
	return &Log{name: ofPod}
}

// Write writes a message in place of what was in the file. After the last one it writes nothing. An
// error is for a word of warning, no more.
func (l *Log) Write(m Message, last bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last || l.name == "" {
		return nil
	}
	l.last = last
	if err := l.write(m.Encode()); err != nil {
		return fmt.Errorf("write the termination message: %w", err)
	}
	return nil
}

// write keeps the file the same: Kubernetes has mounted it.
func (l *Log) write(message []byte) error {
	// Opening a pipe would wait for its reader.
	switch info, err := os.Stat(l.name); {
	case errors.Is(err, fs.ErrNotExist) && l.own:
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%q is no regular file", l.name)
	}
	flag := os.O_WRONLY | os.O_TRUNC
	if l.own {
		flag |= os.O_CREATE
		there, err := os.ReadFile(l.name)
		if err == nil && len(there) > 0 && !bytes.HasPrefix(there, []byte(begin)) {
			return fmt.Errorf("%q holds something else", l.name)
		}
	}
	f, err := os.OpenFile(l.name, flag, 0o600)
	if err != nil && !l.own { // nobody asked for it by name, and it is not writable for this user
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(message)
	return errors.Join(err, f.Close())
}
