package doctor

import (
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

// Probe finds out by two test accounts what the vendor's pages leave open. It writes to From's
// friend list, and to nothing else.
type Probe struct {
	Service  Prober
	From, To string
	Say      func(line string) // told what is done before it is done
}

// Prober is what a probe needs of sink.Client.
type Prober interface {
	Accounts(ctx context.Context, ids []string) ([]sink.Presence, error)
	ImportItems(ctx context.Context, from string, edges []migrate.Edge) ([]sink.Item, error)
	Delete(ctx context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error)
	Friends(from string) *sink.FriendReader
}

// Found is what a probe has found out.
type Found struct {
	Reimport    Answer   `json:"reimport"`    // to a friend that is there already
	Overwritten []string `json:"overwritten"` // fields that a re-import replaces
	Kept        []string `json:"kept"`        // fields that it does not
	Self        Answer   `json:"self"`        // to From as its own friend
	Duplicate   Answer   `json:"duplicateTo"` // to To twice in one call
	Items       int      `json:"duplicateItems"`
	Wins        string   `json:"duplicateWins"` // which of the two is in the list then: first, last, neither
	PageSize    int      `json:"pageSize"`      // friends on a page of friend_get; 0: not seen
	PageAtLeast int      `json:"pageAtLeast"`
	Restored    bool     `json:"restored"`
	Left        []string `json:"left"` // what is not as it was before
}

// Answer is how the service answers.
type Answer struct {
	Whole int    `json:"errorCode"` // of the whole call
	Codes []int  `json:"resultCodes"`
	Info  string `json:"info"`
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

// plan says what a probe will do.
var plan = []string{
	"the probe reads FROM's friend list, imports TO into it twice with other fields, imports FROM into its own list " +
		"and TO twice in one call, and looks at what each did",
	"then it removes what was not there and imports again what was, with the fields that can be read back: " +
		"RemarkTime and the place in the list are lost",
}

// edge is what import number n says of To.
func (p *Probe) edge(n int) migrate.Edge {
	text := fmt.Sprint("friendmigrate probe ", n)
	return migrate.Edge{From: p.From, To: p.To, AddSource: [...]string{probeSource, "AddSource_Type_ProbeB"}[n-1],
		Remark: text, AddWording: text, Groups: []string{text}, AddTime: int64(1_500_000_000 + n)}
}

// probeSource marks what a probe has imported.
const probeSource = "AddSource_Type_Probe"

// Run makes the probe. Whatever happens in it, also if ctx ends, From's list is put back as far as
// that can be done.
func (p *Probe) Run(ctx context.Context) (f Found, err error) {
	for _, line := range plan {
		p.Say(line)
	}
	if err := p.exist(ctx); err != nil {
		return f, err
	}
	before, err := p.list(ctx, &f)
	if err != nil {
		return f, err
	}
	defer func() {
		left, failed := p.restore(context.WithoutCancel(ctx), before)
		f.Left, f.Restored = left, failed == nil && len(left) == 0
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("put FROM's list back: %w; look at TO in it", failed))
		}
	}()
	for _, step := range []func(context.Context, *Found) error{p.reimport, p.self, p.duplicate} {
		if err := step(ctx, &f); err != nil {
			return f, err
		}
	}
	return f, nil
}

// exist makes sure that both are accounts.
func (p *Probe) exist(ctx context.Context) error {
	return patiently(ctx, func() error {
		list, err := p.Service.Accounts(ctx, []string{p.From, p.To})
		if err != nil {
			return err
		}
		for i, a := range list {
			if a.Known && !a.Exists {
				return fmt.Errorf("%s is no account of this app: --probe needs two that are there",
					[]string{"FROM", "TO"}[i])
			}
		}
		return nil
	})
}

// list reads From's list, and learns how large a page is.
func (p *Probe) list(ctx context.Context, f *Found) (map[string]migrate.Edge, error) {
	list := map[string]migrate.Edge{}
	read := friendlist.New(func() friendlist.Pages { return p.Service.Friends(p.From) })
	for pages := 1; ; pages++ {
		page, done := 0, false
		err := patiently(ctx, func() (err error) {
			page = 0
			done, err = read.Step(ctx, func(friend *sink.Friend) error {
				page++
				e, _, err := friend.Edge(p.From)
				list[e.To] = e
				return err
			}, func() { clear(list) })
			return err
		})
		if err != nil {
			return nil, err
		}
		if f != nil && pages == 1 {
			if f.PageAtLeast = page; !done {
				f.PageSize = page
			}
		}
		if done {
			return list, nil
		}
	}
}

func (p *Probe) reimport(ctx context.Context, f *Found) error {
	p.Say("importing TO into FROM's list, and again with other fields")
	if _, err := p.send(ctx, p.edge(1)); err != nil {
		return err
	}
	before, err := p.list(ctx, nil)
	if err != nil {
		return err
	}
	if f.Reimport, err = p.send(ctx, p.edge(2)); err != nil {
		return err
	}
	after, err := p.list(ctx, nil)
	if err != nil {
		return err
	}
	was, is, want := before[p.To], after[p.To], p.edge(2)
	kept := verify.Differences(&want, &is)
	for _, field := range verify.Differences(&want, &was) {
		if slices.Contains(kept, field) {
			f.Kept = append(f.Kept, field)
		} else {
			f.Overwritten = append(f.Overwritten, field)
		}
	}
	return nil
}

func (p *Probe) self(ctx context.Context, f *Found) (err error) {
	p.Say("importing FROM into its own list")
	e := p.edge(1)
	e.To = p.From
	f.Self, err = p.send(ctx, e)
	return err
}

func (p *Probe) duplicate(ctx context.Context, f *Found) (err error) {
	p.Say("importing TO twice in one call")
	if err := p.remove(ctx, p.To); err != nil { // so that both are new
		return err
	}
	if f.Duplicate, err = p.send(ctx, p.edge(1), p.edge(2)); err != nil {
		return err
	}
	f.Items = len(f.Duplicate.Codes)
	list, err := p.list(ctx, nil)
	if err != nil {
		return err
	}
	f.Wins = "neither"
	switch list[p.To].Remark {
	case p.edge(1).Remark:
		f.Wins = "first"
	case p.edge(2).Remark:
		f.Wins = "last"
	}
	return nil
}

// restore puts From's list back and says what could not be. A friend is removed before it is
// imported, because an import may keep the fields of one that is there.
func (p *Probe) restore(ctx context.Context, before map[string]migrate.Edge) (left []string, err error) {
	p.Say("putting FROM's list back")
	for _, to := range []string{p.From, p.To} {
		if err := p.remove(ctx, to); err != nil {
			return nil, err
		}
		was, wanted := before[to]
		if !wanted {
			continue
		}
		if was.AddSource == "" {
			was.AddSource = probeSource
		}
		a, err := p.send(ctx, was)
		if err == nil && (a.Whole != 0 || len(a.Codes) != 1 || a.Codes[0] != 0) {
			err = errors.New(a.String())
		}
		if err != nil {
			return nil, err
		}
	}
	after, err := p.list(ctx, nil)
	if err != nil {
		return nil, err
	}
	for i, to := range []string{p.From, p.To} {
		if fmt.Sprint(before[to]) != fmt.Sprint(after[to]) {
			left = append(left, [...]string{"FROM", "TO"}[i]+" in FROM's list is not what it was before")
		}
	}
	return left, nil
}

// send makes one friend_import call.
func (p *Probe) send(ctx context.Context, edges ...migrate.Edge) (a Answer, err error) {
	err = patiently(ctx, func() error {
		items, err := p.Service.ImportItems(ctx, p.From, edges)
		var e *migrate.CallError
		if errors.As(err, &e) && e.Answered && (e.Verdict == migrate.VerdictSplit ||
			e.Verdict == migrate.VerdictRefuseChunk || e.Verdict == migrate.VerdictUnknown) {
			a = Answer{Whole: e.Code, Info: e.Info}
			return nil
		}
		if err != nil {
			return err
		}
		a = Answer{}
		for _, item := range items {
			if code, _ := sink.LookupCode(item.Code); code.Item == migrate.Again && item.Code != 0 {
				return &migrate.CallError{Verdict: migrate.VerdictRetry, Code: item.Code, Info: item.Info}
			}
			a.Codes = append(a.Codes, item.Code)
			if item.Info != "" {
				a.Info = item.Info
			}
		}
		return nil
	})
	return a, err
}

// remove takes a friend out of From's list; one that is not there is out of it.
func (p *Probe) remove(ctx context.Context, to string) error {
	return patiently(ctx, func() error {
		outcomes, err := p.Service.Delete(ctx, p.From, []migrate.Edge{{To: to}})
		if err != nil {
			return err
		}
		switch o := outcomes[0]; o.Kind {
		case migrate.Imported:
			return nil
		case migrate.Again:
			return &migrate.CallError{Verdict: migrate.VerdictRetry, Code: o.Code, Info: o.Info}
		default:
			return &migrate.CallError{Verdict: migrate.VerdictUnknown, Code: o.Code, Info: o.Info}
		}
	})
}

// patiently makes a call again that failed in passing.
func patiently(ctx context.Context, call func() error) error {
	for try := 1; ; try++ {
		err := call()
		var e *migrate.CallError
		if err == nil || !errors.As(err, &e) || e.Verdict != migrate.VerdictRetry &&
			e.Verdict != migrate.VerdictThrottle || try == tries {
			return err
		}
		if err := sleep(ctx, time.Duration(try)*betweenTry); err != nil {
			return err
		}
	}
}

// Write says in words what was found.
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
