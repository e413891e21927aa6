package sink

import (
	"errors"

	"friendmigrate/migrate"
)

// itemNames are the names that differ between the APIs: of the list, and of an element's state.
type itemNames struct{ list, state string }

var (
	friendItems  = itemNames{list: "ResultItem"}
	checkItems   = itemNames{list: "InfoItem", state: "Relation"}
	accountItems = itemNames{list: "ResultItem", state: "AccountStatus"}
)

// itemAnswer is an answer with a list of results, which is one of the two.
type itemAnswer struct {
	envelope
	ResultItem, InfoItem each[result]
	Failed               each[string] `json:"Fail_Account"`
}

// result is one element. Those of the friend APIs have To_Account and Relation, those of the
// account APIs UserID and AccountStatus.
type result struct {
	To            string `json:"To_Account"`
	Relation      string
	UserID        string
	AccountStatus string
	ResultCode    *int64 // nil: absent or null
	ResultInfo    string
}

var errNoResult = errors.New("an element has no account or no ResultCode")

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
	var answer itemAnswer
	list := &answer.ResultItem
	if v.names == checkItems {
		list = &answer.InfoItem
	}
	list.item = v.item
	var failed []string
	answer.Failed.item = func(to *string, _ error) { failed = append(failed, *to) }
	err := readAnswer(body, &answer)
	if err == nil && answer.ok() {
		v.finish(failed, list.kind == '[')
	}
	return answer.envelope, err
}

func (v *answerItems) reset() {
	clear(v.items)
	v.tally, v.next, v.wrong = tally{}, 0, ""
}

func (v *answerItems) item(r *result, err error) {
	account, state := r.To, r.Relation
	if v.names == accountItems {
		account, state = r.UserID, r.AccountStatus
	}
	if err == nil && (account == "" || r.ResultCode == nil) {
		err = errNoResult
	}
	i, ok := v.find(account)
	switch {
	case err != nil:
		v.unreadable++
		if v.wrong = err.Error(); ok && !v.items[i].seen {
			v.items[i].info = v.wrong
		}
		return
	case !ok:
		v.foreign++
		return
	}
	v.usable++
	if r.ResultInfo != v.last {
		v.last = clean(r.ResultInfo)
	}
	fresh := accountResult{seen: true, code: int(*r.ResultCode), info: v.last, presence: presenceOf(state)}
	switch old := &v.items[i]; {
	case !old.seen:
		*old = fresh
	case old.code != fresh.code || old.presence != fresh.presence,
		outcomeOf(old.code, old.info).Kind != outcomeOf(fresh.code, fresh.info).Kind: // a text may decide
		old.disputed = true
	default:
		v.repeated++
	}
}

// find returns the index of an account of the call, by its name alone. Answers usually have the
// order of the request, so it tries the next account first.
func (v *answerItems) find(account string) (int, bool) {
	if v.next < len(v.items) && v.account(v.next) == account {
		v.next++
		return v.next - 1, true
	}
	if v.index == nil {
		v.index = make(map[string]int, len(v.items))
		for i := range v.items {
			v.index[v.account(i)] = i
		}
	}
	i, ok := v.index[account]
	if ok {
		v.next = i + 1
	}
	return i, ok
}

// finish counts missing and disputed accounts, and compares the items with Fail_Account.
func (v *answerItems) finish(failed []string, hasList bool) {
	switch list := v.names.list; {
	case !hasList:
		v.wrong = "the answer has no array " + list
	case v.wrong == "":
		v.wrong = "the answer has no " + list + " for any account of the call"
	}
	listed := make(map[int]bool, len(failed))
	for _, to := range failed {
		if i, ok := v.find(to); ok {
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
	return &migrate.CallError{Verdict: migrate.VerdictRetry, Info: v.wrong, Uncertain: !reads(api)}
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
