package sink

import (
	"cmp"
	"errors"
	"fmt"

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
		return fmt.Errorf("the answer's ActionStatus is %q", shorten(status, 20))
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

func scanAnswer(data []byte, c content) (envelope, error) {
	var e envelope
	if err := notJSON(data); err != nil {
		return e, err
	}
	s := &jsonscan.Scanner{Data: data}
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
		return errors.New("the answer is no JSON object")
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

// itemNames are the members of a list's elements that differ between APIs.
type itemNames struct{ list, account, state string }

var (
	friendItems  = itemNames{list: "ResultItem", account: "To_Account"}
	checkItems   = itemNames{list: "InfoItem", account: "To_Account", state: "Relation"}
	accountItems = itemNames{list: "ResultItem", account: "UserID", state: "AccountStatus"}
)

type result struct {
	to          field[[]byte]
	code        field[int64]
	info, state []byte
}

func (r *result) usable() bool { return r.to.has && r.code.has }

// scanResult reads one element. An element that is not the API's is skipped and not usable.
func scanResult(s *jsonscan.Scanner, names itemNames) (r result, err error) {
	if s.Peek() != '{' {
		return r, s.Skip()
	}
	err = s.Object(func(name []byte) (err error) {
		switch string(name) {
		case names.account:
			return r.to.read(s, s.StringValue)
		case "ResultCode":
			return r.code.read(s, s.IntegerValue)
		case "ResultInfo":
			r.info, _, err = s.StringValue()
		case names.state:
			r.state, _, err = s.StringValue()
		default:
			err = s.Skip()
		}
		return err
	})
	return r, err
}

type tally struct {
	usable     int // items
	unreadable int // items without an account or ResultCode
	foreign    int // items about accounts that were not sent
	repeated   int // items that repeat an earlier item of their account
	disputed   int // accounts with two items that differ
	missing    int // accounts without an item
	unlisted   int // accounts where ResultItem and Fail_Account disagree; ResultItem counts
}

func (t tally) odd() bool {
	t.usable = 0
	return t != tally{}
}

// answerItems collects one answer's items by account.
type answerItems struct {
	names itemNames
	tally
	items []accountResult

	account func(i int) string // the i-th account of the call
	next    int                // the account after the last one found
	index   map[string]int     // of all accounts, made when first needed

	last  string // the text of the previous item, which the next one usually repeats
	wrong string // the error of the last unusable item, or of the list
}

// accountResult is the result of the items about one account.
type accountResult struct {
	seen     bool
	disputed bool
	code     int
	info     string
	presence presence
}

func newAnswerItems(names itemNames, n int, account func(i int) string) *answerItems {
	return &answerItems{names: names, account: account, items: make([]accountResult, n)}
}

// find returns the index of an account of the call, by its name alone. Answers usually have the
// order of the request, so it tries the next account first.
func (v *answerItems) find(account []byte) (int, bool) {
	if v.next < len(v.items) && v.account(v.next) == string(account) {
		v.next++
		return v.next - 1, true
	}
	if v.index == nil {
		v.index = make(map[string]int, len(v.items))
		for i := range v.items {
			v.index[v.account(i)] = i
		}
	}
	i, ok := v.index[string(account)]
	if ok {
		v.next = i + 1
	}
	return i, ok
}

func (v *answerItems) reset() {
	clear(v.items)
	v.tally, v.next, v.wrong = tally{}, 0, ""
}

func (v *answerItems) item(s *jsonscan.Scanner) error {
	r, err := scanResult(s, v.names)
	if err != nil {
		return err
	}
	if !r.usable() {
		v.unreadable++
		if v.wrong = ""; r.code.kind != "" {
			v.wrong = wrongKind("ResultCode", r.code.kind, "an integer").Error()
		}
		if i, ok := v.find(r.to.value); r.to.has && ok && !v.items[i].seen {
			v.items[i].info = v.wrong
		}
		return nil
	}
	i, ok := v.find(r.to.value)
	if !ok {
		v.foreign++
		return nil
	}
	v.usable++
	if string(r.info) != v.last {
		v.last = clean(string(r.info))
	}
	fresh := accountResult{seen: true, code: int(r.code.value), info: v.last, presence: presenceOf(r.state)}
	switch old := &v.items[i]; {
	case !old.seen:
		*old = fresh
	case old.code != fresh.code || old.presence != fresh.presence:
		old.disputed = true
	default:
		v.repeated++
	}
	return nil
}

// unseen returns the reason why an account has no result.
func (v *answerItems) unseen(i int) string {
	if v.items[i].info != "" {
		return v.items[i].info
	}
	return "no " + v.names.list
}

// finish counts missing and disputed accounts, and compares the items with Fail_Account.
func (v *answerItems) finish(e *envelope) {
	switch list := v.names.list; {
	case e.listKind != "":
		v.wrong = wrongKind("the answer's "+list, e.listKind, "an array").Error()
	case !e.hasList:
		v.wrong = "the answer has no " + list
	case v.wrong == "":
		v.wrong = "the answer has no " + list + " for any account of the call"
	}
	listed := make(map[int]bool, len(e.failed))
	for _, to := range e.failed {
		if i, ok := v.find([]byte(to)); ok {
			listed[i] = true
		}
	}
	for i := range v.items {
		item := &v.items[i]
		switch {
		case !item.seen:
			v.missing++
		case item.disputed:
			v.disputed++
		case listed[i] != (item.code != 0):
			v.unlisted++
		}
	}
}
