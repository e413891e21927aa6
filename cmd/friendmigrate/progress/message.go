package progress

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
)

// MessageVersion is the version of the JSON form. It changes when a key changes its meaning or
// goes.
const MessageVersion = 1

// Limit is the number of bytes that Kubernetes keeps of a message.
const Limit = 4096

// Message is how a command ended.
type Message struct {
	MessageVersion int       `json:"version"`
	Command        string    `json:"command"`
	At             time.Time `json:"at"`
	Code           int       `json:"code"` // exit code

	// Why is one word: signal, duration, outage, silent, unanswered, threshold, systematic,
	// refused, or that of the code.
	Why    string  `json:"why"`
	What   string  `json:"what"` // one sentence
	Again  string  `json:"again,omitempty"`
	Hint   string  `json:"hint,omitempty"` // the command to run next
	Shard  string  `json:"shard,omitempty"`
	Counts *Counts `json:"counts,omitempty"` // absent: the input was not read, or the command has none
}

// Counts are the counts of the job, over all its runs.
type Counts struct {
	Edges *report.Sum   `json:"edges,omitempty"`
	Added *report.Added `json:"added,omitempty"`
	Calls *int64        `json:"calls,omitempty"` // calls of this run
}

// Message returns the message of the command's end, from the last snapshot. It does not block.
func (v *View) Message(e exit.Ending) Message {
	s, labels := v.Snapshot(), v.Labels()
	m := Message{
		MessageVersion: MessageVersion, Command: labels.Command, At: time.Now().UTC(), Code: int(e.Code), Why: e.Why,
		What: e.OneLine(), Hint: e.Hint, Shard: labels.Shard,
	}
	if e.Public != "" {
		m.What = e.Public
	}
	for _, row := range exit.Table() {
		if row.Code == e.Code {
			m.Again, m.Why = row.Again, cmp.Or(m.Why, row.Word)
		}
	}
	m.What, m.Hint = discreet(m.What), discreet(m.Hint)
	var counts Counts
	if a := s.Sums; a != nil {
		if counts.Edges = &a.Rows; a.Added.Edges > 0 {
			counts.Added = &a.Added
		}
	}
	if c := s.Calls; c != nil {
		counts.Calls = &c.Sent
	}
	if counts != (Counts{}) {
		m.Counts = &counts
	}
	return m
}

var (
	identifierFlag = regexp.MustCompile(`(--?identifier[= ])('(?:[^']|'\\'')*'|"[^"]*"|\S+)`)
	identifierWord = regexp.MustCompile(`((?:the identifier|--identifier is|_IDENTIFIER is) )"(?:[^"\\]|\\.)*"`)
)

// discreet removes the admin's account, the only one that a command line names.
func discreet(text string) string {
	return identifierFlag.ReplaceAllString(identifierWord.ReplaceAllString(text, "${1}***"), "${1}***")
}

// Encode returns the message as one line of JSON. It shortens the longest texts so that the line
// fits Limit.
func (m Message) Encode() []byte {
	texts := []*string{&m.What, &m.Hint, &m.Command, &m.Shard, &m.Why, &m.Again}
	for _, text := range texts {
		*text = strings.ToValidUTF8(*text, "\uFFFD")
	}
	for {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(m) // these types never fail
		over := b.Len() - Limit
		if over <= 0 {
			return b.Bytes()
		}
		longest := slices.MaxFunc(texts, func(a, b *string) int { return cmp.Compare(len(*a), len(*b)) })
		// A byte may become six in JSON, so this may take several rounds.
		*longest = migrate.Shorten(*longest, len(*longest)-max(over/6, len("…")+1))
	}
}

// Where messages go.
const (
	Variable = "FRIENDMIGRATE_TERMINATION_LOG" // holds the name of a file
	Default  = "/dev/termination-log"          // Kubernetes makes it for each container

	begin = `{"version":` // beginning of every message: a file with other content is not ours
)

// Log writes the message of one process. It is safe for concurrent use. The zero Log writes
// nothing.
type Log struct {
	name string // "": writes nothing
	own  bool   // the user named the file: it may be created, and must hold a message or nothing
	mu   sync.Mutex
	last bool // the last message was written; guarded by mu
}

// Find returns the Log of the file that the variable names or, in a pod, of the one that Kubernetes
// made.
func Find(env map[string]string) *Log { return find(env, Default) }

func find(env map[string]string, ofPod string) *Log {
	if name := env[Variable]; name != "" {
		return &Log{name: name, own: true}
	}
	if env["KUBERNETES_SERVICE_HOST"] == "" && env[settings.IndexVariable] == "" {
		return &Log{}
	}
	if info, err := os.Stat(ofPod); err != nil || !info.Mode().IsRegular() {
		return &Log{}
	}
	return &Log{name: ofPod}
}

// Write replaces the content of the file with a message. After the last message it writes nothing.
// An error deserves no more than a warning.
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

// write overwrites the file in place, because Kubernetes has mounted it.
func (l *Log) write(message []byte) error {
	// Opening a pipe would wait for its reader.
	switch info, err := os.Stat(l.name); {
	case errors.Is(err, fs.ErrNotExist) && l.own:
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%q is not a regular file", l.name)
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
	if err != nil && !l.own { // the user did not name it, and it is not writable
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(message)
	return errors.Join(err, f.Close())
}
