package sink

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"sync"

	"friendmigrate/migrate"
	"friendmigrate/migrate/jsonscan"
)

var errRepeated = errors.New("a member is there twice")

// field is a member that may occur once, with a value of type T.
type field[T any] struct {
	value T
	has   bool
	kind  string // type of a value that is not a T
}

func (f *field[T]) read(s *jsonscan.Scanner, get func() (T, bool, error)) error {
	if f.has {
		return errRepeated
	}
	kind := s.Kind()
	value, ok, err := get()
	if f.value, f.has = value, ok; !ok {
		f.kind = kind
	}
	return err
}

// missing returns an error if the member is missing or has another type.
func (f *field[T]) missing(of, name, want string) error {
	switch {
	case f.has:
		return nil
	case f.kind != "":
		return wrongKind(of+"'s "+name, f.kind, want)
	}
	return fmt.Errorf("%s has no %s", of, name)
}

// wrongKind returns the error of a member that has another type than in the API.
func wrongKind(name, is, want string) error {
	if is == "a number" && want == "an integer" {
		is = "a number with a fraction or too large"
	}
	return fmt.Errorf("%s is %s, not %s", name, is, want)
}

// envelope holds the members that every answer has.
type envelope struct {
	status   field[string] // ActionStatus
	code     field[int64]  // ErrorCode
	info     string        // ErrorInfo
	failed   []string      // Fail_Account
	hasList  bool          // there was a list of items
	listKind string        // type of the value in place of the list
}

func (e *envelope) ok() bool { return e.code.has && e.code.value == 0 && e.status.value == "OK" }

// check returns an error if the answer is not the API's. An answer without ActionStatus or
// ErrorCode is not used, whatever else it has.
func (e *envelope) check() error {
	err := cmp.Or(e.status.missing("the answer", "ActionStatus", "a string"),
		e.code.missing("the answer", "ErrorCode", "an integer"))
	switch status := e.status.value; {
	case err != nil:
		return err
	case status != "OK" && status != "FAIL":
		return fmt.Errorf("the answer's ActionStatus is %q", migrate.Shorten(status, 20))
	case status == "FAIL" && e.code.value == 0:
		return errors.New("the answer is FAIL with ErrorCode 0")
	}
	return nil
}

// content describes what an API's answers have in addition to the envelope: a list, whose elements
// are read by item, and other members, which are read by member. Both must read their value.
type content struct {
	list   string // "": none
	item   func(s *jsonscan.Scanner) error
	member func(s *jsonscan.Scanner, name string) error // nil: other members are skipped
}

// answers holds buffers for the bodies of answers. Buffers larger than mostKept are left to the
// garbage collector.
var answers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const mostKept = 512 << 10

func readAnswer(body io.Reader, c content) (envelope, error) {
	buf := answers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= mostKept {
			buf.Reset()
			answers.Put(buf)
		}
	}()
	if _, err := buf.ReadFrom(body); err != nil {
		return envelope{}, err
	}
	return scanAnswer(buf.Bytes(), c)
}

func scanAnswer(data []byte, c content) (envelope, error) {
	var e envelope
	if err := notJSON(data); err != nil {
		return e, err
	}
	// An account that is not UTF-8 is none of the call's, and what is shown is made valid.
	s := &jsonscan.Scanner{Data: data, AnyBytes: true}
	err := s.Object(func(name []byte) error {
		if c.list != "" && string(name) == c.list {
			return e.list(s, c.item)
		}
		return e.member(s, name, c.member)
	})
	if err == nil {
		err = s.End()
	}
	if err == nil {
		err = e.check()
	}
	return e, err
}

// notJSON returns an error that names the kind of an answer that is obviously not JSON.
func notJSON(data []byte) error {
	s := jsonscan.Scanner{Data: data}
	switch c := s.Peek(); {
	case s.Pos >= len(data):
		return errors.New("the answer is empty")
	case c == '<':
		return errors.New("the answer is HTML or XML, not JSON")
	case c == 0x1f && len(data) > s.Pos+1 && data[s.Pos+1] == 0x8b:
		return errors.New("the answer is compressed, which nobody asked for")
	case c != '{':
		return errors.New("the answer is not a JSON object")
	}
	return nil
}

func (e *envelope) list(s *jsonscan.Scanner, item func(*jsonscan.Scanner) error) error {
	if e.hasList {
		return errRepeated
	}
	e.hasList = true
	if s.Peek() != '[' {
		e.hasList, e.listKind = false, s.Kind() // for example null, which means no list
		return s.Skip()
	}
	return s.Array(func() error { return item(s) })
}

// member reads one of the members that every answer has. Others go to other, or are skipped.
func (e *envelope) member(s *jsonscan.Scanner, name []byte, other func(*jsonscan.Scanner, string) error) error {
	switch string(name) {
	case "ActionStatus":
		return e.status.read(s, func() (string, bool, error) { return copied(s) })
	case "ErrorCode":
		return e.code.read(s, s.IntegerValue)
	case "ErrorInfo":
		info, _, err := copied(s)
		e.info = info
		return err
	case "Fail_Account":
		if s.Peek() != '[' {
			return s.Skip()
		}
		return s.Array(func() error {
			to, ok, err := copied(s)
			if ok {
				e.failed = append(e.failed, to)
			}
			return err
		})
	}
	if other != nil {
		return other(s, string(name))
	}
	return s.Skip()
}

// copied reads a string and copies it, so that it does not keep the answer in memory.
func copied(s *jsonscan.Scanner) (string, bool, error) {
	text, ok, err := s.StringValue()
	return string(text), ok, err
}
