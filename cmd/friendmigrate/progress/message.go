package progress

import (
	"bytes"
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/report"
)

// MessageVersion is the version of the JSON form. It changes when a key changes its meaning or goes.
const MessageVersion = 1

// Limit is what Kubernetes keeps of a message, in bytes.
const Limit = 4096

// Message is how a command ended.
type Message struct {
	MessageVersion int       `json:"version"`
	Command        string    `json:"command"`
	At             time.Time `json:"at"`
	Code           int       `json:"code"` // exit code

	// Why is one word: signal, duration, outage, silent, unanswered, threshold, systematic, refused,
	// or that of the code.
	Why    string  `json:"why"`
	What   string  `json:"what"` // in a sentence
	Again  string  `json:"again,omitempty"`
	Hint   string  `json:"hint,omitempty"` // the command to run next
	Shard  string  `json:"shard,omitempty"`
	Counts *Counts `json:"counts,omitempty"` // absent: the input was not read, or the command has none
}

// Counts says where the job stands, all its runs together.
type Counts struct {
	Edges report.Sum    `json:"edges"`
	Added *report.Added `json:"added,omitempty"`
	Calls *int64        `json:"calls,omitempty"` // that this run sent
}

// Message is how the command ended, from the last snapshot. It waits for nobody.
func (v *View) Message(e exit.Ending) Message {
	s, job := v.Snapshot(), v.Job()
	m := Message{
		MessageVersion: MessageVersion, Command: job.Command, At: time.Now().UTC(), Code: int(e.Code), Why: e.Why,
		What: e.OneLine(), Hint: e.Hint, Shard: job.Shard,
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
	if s.Account == nil && s.Calls == nil {
		return m
	}
	m.Counts = new(Counts)
	if a := s.Account; a != nil {
		m.Counts.Edges = a.Rows
		if a.Added.Edges > 0 {
			m.Counts.Added = &a.Added
		}
	}
	if c := s.Calls; c != nil {
		m.Counts.Calls = &c.Sent
	}
	return m
}

var (
	identifierFlag = regexp.MustCompile(`(--?identifier[= ])('(?:[^']|'\\'')*'|"[^"]*"|\S+)`)
	identifierWord = regexp.MustCompile(`(the identifier )"(?:[^"\\]|\\.)*"`)
)

// discreet leaves out the one account that a command line names: the admin's.
func discreet(text string) string {
	return identifierWord.ReplaceAllString(identifierFlag.ReplaceAllString(text, "${1}***"), "${1}***")
}

// Encode is the message as one line of JSON. Its longest texts are cut to what may be written.
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
		longest := texts[0]
		for _, text := range texts {
			if len(*text) > len(*longest) {
				longest = text
			}
		}
		// A byte takes up to six in JSON, so this may take some rounds.
		*longest = shorten(*longest, len(*longest)-max(over/6, len("…")+1))
	}
}

// shorten cuts a text to at most so many bytes, with an ellipsis at its end.
func shorten(text string, most int) string {
	end := max(0, most-len("…"))
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
