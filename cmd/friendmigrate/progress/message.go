package progress

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/report"
)

// Version of the JSON form. It changes when a key changes its meaning or goes.
const MessageVersion = 1

// Limit is what Kubernetes keeps of a message, in bytes.
const Limit = 4096

// Message is how a command ended.
type Message struct {
	MessageVersion int       `json:"version"`
	Command        string    `json:"command"`
	At             time.Time `json:"at"`
	Code           int       `json:"code"` // exit code
	Why            string    `json:"why"`  // in one word: signal, duration, outage, silent, unanswered, threshold, systematic, refused, or that of the code
	What           string    `json:"what"` // in a sentence
	Again          string    `json:"again,omitempty"`
	Hint           string    `json:"hint,omitempty"` // the command to run next
	Shard          string    `json:"shard,omitempty"`
	Counts         *Counts   `json:"counts,omitempty"` // absent: the input was not read, or the command has none
}

// Counts says where the job stands, all its runs together.
type Counts struct {
	Edges report.Sum    `json:"edges"`
	Added *report.Added `json:"added,omitempty"`
	Calls *int64        `json:"calls,omitempty"` // that this run sent
}

// Of makes the message of an ending.
func Of(command, shard string, e exit.Ending, at time.Time, counts *Counts) Message {
	m := Message{MessageVersion: MessageVersion, Command: command, At: at.UTC(), Code: int(e.Code), Why: e.Why, What: e.OneLine(),
		Hint: e.Hint, Shard: shard, Counts: counts}
	if e.Public != "" {
		m.What = e.Public
	}
	for _, row := range exit.Table() {
		if row.Code == e.Code {
			m.Again = row.Again
		}
	}
	if m.Why == "" {
		m.Why = e.Code.Word()
	}
	m.What, m.Hint = discreet(m.What), discreet(m.Hint)
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

// Most bytes of the texts, as JSON. Together with the rest they stay below the limit.
const (
	mostWhat  = 1400
	mostHint  = 1400
	mostOther = 100
)

// Encode is the message as JSON with a newline, cut within its texts to what may be written.
func (m Message) Encode() []byte {
	m.What, m.Hint = cut(m.What, mostWhat), cut(m.Hint, mostHint)
	m.Command, m.Shard, m.Why, m.Again = cut(m.Command, mostOther), cut(m.Shard, mostOther), cut(m.Why, mostOther),
		cut(m.Again, mostOther)
	return encode(m)
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // not of these types
		return []byte("{}\n")
	}
	return b.Bytes()
}

// cut shortens a text to what takes at most so many bytes as a JSON string, and makes it valid.
func cut(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if size(text) <= most {
		return text
	}
	const more = "…"
	left, end := most-len(more), 0
	for end < len(text) {
		_, n := utf8.DecodeRuneInString(text[end:])
		if left -= size(text[end : end+n]); left < 0 {
			break
		}
		end += n
	}
	return text[:end] + more
}

// size is how many bytes a text takes inside a JSON string.
func size(text string) int { return len(encode(text)) - len("\"\"\n") }
