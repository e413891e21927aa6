package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/verify"
	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/sink/friendlist"
)

// Probe finds out with two test accounts what the vendor's documentation leaves open. It writes to
// From's friend list and to nothing else.
type Probe struct {
	Service  *sink.Client
	From, To string
	Say      func(line string) // called before each step with a description of it
}

// Found is the result of a probe.
type Found struct {
	Reimport    Answer   `json:"reimport"`    // to importing a friend that is already in the list
	Already     bool     `json:"already"`     // whether that answer says that the friend is already there
	Overwritten []string `json:"overwritten"` // fields that a re-import replaces
	Kept        []string `json:"kept"`        // fields that it keeps
	Self        Answer   `json:"self"`        // to importing From as its own friend
	Duplicate   Answer   `json:"duplicateTo"` // to importing To twice in one call
	Items       int      `json:"duplicateItems"`
	Wins        string   `json:"duplicateWins"` // which of the two is then in the list: first, last, neither
	PageSize    int      `json:"pageSize"`      // friends on a page of friend_get; 0: not found out
	PageAtLeast int      `json:"pageAtLeast"`
	Restored    bool     `json:"restored"`
	Left        []string `json:"left"` // what could not be restored
}

// Answer is the service's answer to a friend_import call.
type Answer struct {
	Whole int    `json:"errorCode"` // of the call itself
	Codes []int  `json:"resultCodes"`
	Info  string `json:"info"`

	already bool // every item says that the friend is already there
}

func (a Answer) String() string {
	switch {
	case a.Whole != 0:
		return fmt.Sprintf("the whole call is refused with %d (%s)", a.Whole, a.Info)
	case len(a.Codes) == 0:
		return "no ResultItem"
	}
	var words []string
	for _, code := range a.Codes {
		words = append(words, fmt.Sprint(code))
	}
	text := "ResultCode " + strings.Join(words, " and ")
	if a.Info != "" {
		text += " (" + a.Info + ")"
	}
	return text
}

// announcement says what a probe will do.
var announcement = []string{
	"the probe reads FROM's friend list, imports TO into it twice with other fields, imports FROM into its own list " +
		"and TO twice in one call, and looks at what each did",
	"then it removes what was not there and imports again what was, with the fields that can be read back: " +
		"RemarkTime and the place in the list are lost",
}

// edge returns the edge to To that import number n sends: each has other fields.
func (p *Probe) edge(n int) migrate.Edge {
	text := fmt.Sprint("friendmigrate probe ", n)
	return migrate.Edge{From: p.From, To: p.To, AddSource: [...]string{probeSource, "AddSource_Type_ProbeB"}[n-1],
		Remark: text, AddWording: text, Groups: []string{text}, AddTime: int64(1_500_000_000 + n)}
}

// probeSource marks edges that a probe imported.
const probeSource = "AddSource_Type_Probe"

// Run makes the probe. It always restores From's list as far as possible, also after an error or
// when ctx ends.
func (p *Probe) Run(ctx context.Context) (f Found, err error) {
	for _, line := range announcement {
		p.Say(line)
	}
	c := &calls{Probe: p, ctx: ctx}
	c.checkAccounts()
	before := c.list(&f)
	if c.err != nil {
		return f, c.err
	}
	defer func() {
		back := &calls{Probe: p, ctx: context.WithoutCancel(ctx)}
		f.Left = back.restore(before)
		if f.Restored = back.err == nil && len(f.Left) == 0; back.err != nil {
			err = errors.Join(err, fmt.Errorf("%s's list is not put back: %w; %s may be left in it", p.From,
				back.err, p.To))
		}
	}()
	first, second := p.edge(1), p.edge(2)

	p.Say("importing TO into FROM's list, and again with other fields")
	c.send(first)
	was := c.list(nil)[p.To]
	f.Reimport = c.send(second)
	f.Already = f.Reimport.already
	is := c.list(nil)[p.To]
	kept := verify.Differences(&second, &is)
	for _, field := range verify.Differences(&second, &was) {
		if slices.Contains(kept, field) {
			f.Kept = append(f.Kept, field)
		} else {
			f.Overwritten = append(f.Overwritten, field)
		}
	}

	p.Say("importing FROM into its own list")
	self := first
	self.To = p.From
	f.Self = c.send(self)

	p.Say("importing TO twice in one call")
	c.remove(p.To) // so that both are new
	f.Duplicate = c.send(first, second)
	f.Items, f.Wins = len(f.Duplicate.Codes), "neither"
	switch c.list(nil)[p.To].Remark {
	case first.Remark:
		f.Wins = "first"
	case second.Remark:
		f.Wins = "last"
	}
	return f, c.err
}

// calls makes the calls of a probe, one after the other. After an error it makes no more calls, and
// the results of its methods are meaningless.
type calls struct {
	*Probe
	ctx context.Context
	err error
}

// make makes a call; what names it in an error.
func (c *calls) make(what string, call func() error) {
	if c.err == nil {
		if c.err = retry(c.ctx, call); c.err != nil {
			c.err = fmt.Errorf("%s: %w", what, c.err)
		}
	}
}

// checkAccounts makes sure that both are accounts.
func (c *calls) checkAccounts() {
	c.make("account_check", func() error {
		list, err := c.Service.Accounts(c.ctx, []string{c.From, c.To})
		for i, a := range list {
			if a.Known && !a.Exists {
				return fmt.Errorf("%s is not an account of this app: --probe needs two that exist",
					[...]string{c.From, c.To}[i])
			}
		}
		return err
	})
}

// list reads From's list. If f is not nil, it sets the page size in it.
func (c *calls) list(f *Found) map[string]migrate.Edge {
	list := map[string]migrate.Edge{}
	read := friendlist.New(func() friendlist.Pages { return c.Service.Friends(c.From) })
	for done := false; !done && c.err == nil; {
		page := 0
		c.make("friend_get of "+c.From, func() (err error) {
			page = 0
			done, err = read.Step(c.ctx, func(friend *sink.Friend) error {
				page++
				e, _, err := friend.Edge(c.From)
				list[e.To] = e
				return err
			}, func() { clear(list) })
			if doubt := read.Doubt(); doubt != "" { // what it does not show could not be put back
				err = fmt.Errorf("FROM's friend list cannot be relied on: %s", doubt)
			}
			return err
		})
		if f != nil {
			if f.PageAtLeast = page; !done {
				f.PageSize = page
			}
			f = nil
		}
	}
	return list
}

// send makes one friend_import call.
func (c *calls) send(edges ...migrate.Edge) (a Answer) {
	c.make("friend_import into the list of "+c.From, func() error {
		a = Answer{}
		items, err := c.Service.ImportItems(c.ctx, c.From, edges)
		if e, _ := errors.AsType[*migrate.CallError](err); e != nil && e.Answered &&
			(e.Verdict == migrate.VerdictHalve ||
				e.Verdict == migrate.VerdictRefuseChunk || e.Verdict == migrate.VerdictUnknown) {
			a = Answer{Whole: e.Code, Info: e.Info}
			return nil
		}
		for _, item := range items {
			kind := item.Outcome().Kind
			if kind == migrate.Again {
				return &migrate.CallError{Verdict: migrate.VerdictRetry, Code: item.Code, Info: item.Info}
			}
			a.already = kind == migrate.Already && (a.already || len(a.Codes) == 0)
			a.Codes, a.Info = append(a.Codes, item.Code), cmp.Or(item.Info, a.Info)
		}
		return err
	})
	return a
}

// remove removes a friend from From's list. A friend that is not there counts as removed.
func (c *calls) remove(to string) {
	c.make(fmt.Sprintf("friend_delete of %s from the list of %s", to, c.From), func() error {
		outcomes, err := c.Service.Delete(c.ctx, c.From, []migrate.Edge{{To: to}})
		if err != nil || outcomes[0].Kind == migrate.Imported {
			return err
		}
		refused := &migrate.CallError{Verdict: migrate.VerdictRetry, Code: outcomes[0].Code, Info: outcomes[0].Info}
		if outcomes[0].Kind == migrate.Again {
			return refused
		}
		return errors.New(refused.Error()) // not a CallError, so that it is not tried again
	})
}

// restore restores From's list and returns what could not be restored. It removes a friend before
// importing it, because an import may keep the fields of a friend that is there.
func (c *calls) restore(before map[string]migrate.Edge) (left []string) {
	c.Say("putting FROM's list back")
	for _, to := range []string{c.From, c.To} {
		c.remove(to)
		was, wanted := before[to]
		if !wanted {
			continue
		}
		was.AddSource = cmp.Or(was.AddSource, probeSource)
		if a := c.send(was); c.err == nil && (a.Whole != 0 || len(a.Codes) != 1 || a.Codes[0] != 0) {
			c.err = errors.New(a.String())
		}
	}
	after := c.list(nil)
	for i, to := range []string{c.From, c.To} {
		if fmt.Sprint(before[to]) != fmt.Sprint(after[to]) {
			left = append(left, [...]string{"FROM", "TO"}[i]+" in FROM's list is not what it was before")
		}
	}
	return left
}

// retry makes a call again that failed in passing.
func retry(ctx context.Context, call func() error) error {
	for try := 1; ; try++ {
		err := call()
		e, _ := errors.AsType[*migrate.CallError](err)
		if e == nil || e.Verdict != migrate.VerdictRetry && e.Verdict != migrate.VerdictThrottle || try == tries {
			return err
		}
		if err := migrate.Sleep(ctx, time.Duration(try)*betweenTry); err != nil {
			return err
		}
	}
}

// Write writes the result for people.
func (f *Found) Write(w io.Writer) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-18s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("import again", "%s", f.Reimport)
	if len(f.Overwritten) > 0 {
		line("", "it overwrites %s", strings.Join(f.Overwritten, ", "))
	}
	if len(f.Kept) > 0 {
		line("", "it keeps %s", strings.Join(f.Kept, ", "))
	}
	line("FROM as its friend", "%s", f.Self)
	line("TO twice in a call", "%s; in the list is then: %s", f.Duplicate, f.Wins)
	page := fmt.Sprintf("%d friends", f.PageSize)
	if f.PageSize == 0 {
		page = fmt.Sprintf("not seen: FROM's %d friends came on one page; a FROM with more shows it", f.PageAtLeast)
	}
	line("page of friend_get", "%s", page)
	if f.Restored {
		line("put back", "yes")
	} else {
		line("put back", "not wholly: %s", strings.Join(f.Left, "; "))
	}
}
