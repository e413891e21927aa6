package sink

import (
	"friendmigrate/migrate"
	"friendmigrate/migrate/jsonscan"
)

// itemNames are the members of a list's elements that differ between APIs.
type itemNames struct{ list, account, state string }

var (
	friendItems  = itemNames{list: "ResultItem", account: "To_Account"}
	checkItems   = itemNames{list: "InfoItem", account: "To_Account", state: "Relation"}
	accountItems = itemNames{list: "ResultItem", account: "UserID", state: "AccountStatus"}
)

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

func newAnswerItems(names itemNames, n int, account func(i int) string) *answerItems {
	return &answerItems{names: names, account: account, items: make([]accountResult, n)}
}

// read reads an answer: its envelope and, by item, its items. It is a reader.
func (v *answerItems) read(body *limited) (envelope, error) {
	v.reset()
	e, err := readAnswer(body, content{list: v.names.list, item: v.item})
	if err == nil && e.ok() {
		v.finish(&e)
	}
	return e, err
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
	case old.code != fresh.code || old.presence != fresh.presence,
		outcomeOf(old.code, old.info).Kind != outcomeOf(fresh.code, fresh.info).Kind: // a text may decide
		old.disputed = true
	default:
		v.repeated++
	}
	return nil
}

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

// checkAnswer counts and logs oddities of a well-formed answer. An answer without a usable item for
// any account of the call counts as no answer.
func (c *Client) checkAnswer(api string, v *answerItems) error {
	if v.tally.odd() {
		if times, t := c.counters.odd(), v.tally; times > 0 {
			c.log.Warn("an answer was odd", "api", api, "missing", t.missing, "unreadable", t.unreadable, "foreign",
				t.foreign, "repeated", t.repeated, "disputed", t.disputed, "unlisted", t.unlisted, "times", times)
		}
	}
	if v.usable == 0 || v.missing+v.disputed > 0 {
		c.counters.change(func(s *Stats) { s.Uncertain++ }) // attempt counted it as a good answer
	}
	if v.usable > 0 {
		return nil
	}
	return &migrate.CallError{Verdict: migrate.VerdictRetry, Info: v.wrong, Uncertain: !changesNothing(api)}
}

func (c *Client) outcomes(v *answerItems) ([]migrate.Outcome, error) {
	list := make([]migrate.Outcome, len(v.items))
	allWrong := true
	info, scrubbed := "", "" // of the previous item, which is usually the same
	for i, item := range v.items {
		o := &list[i]
		switch {
		case !item.seen:
			*o = migrate.Outcome{Kind: migrate.Again, Uncertain: true, Info: v.unseen(i)}
		case item.disputed:
			*o = migrate.Outcome{Kind: migrate.Again, Uncertain: true, Info: "contradictory ResultItems"}
		default:
			if item.info != info {
				info, scrubbed = item.info, c.scrub(item.info)
			}
			*o = outcomeOf(item.code, scrubbed)
		}
		allWrong = allWrong && o.Code == WrongApp
	}
	if allWrong {
		return nil, WrongAppError(list[0].Info)
	}
	return list, nil
}

// unseen returns the reason why an account has no result.
func (v *answerItems) unseen(i int) string {
	if v.items[i].info != "" {
		return v.items[i].info
	}
	return "no " + v.names.list
}
