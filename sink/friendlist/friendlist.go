package friendlist

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// The limits of a pass: friends beyond twice FriendNum (others may add friends meanwhile), pages in
// a row without a friend, pages in a row without a new friend, and times in a row that a page leads
// nowhere.
const (
	mostBeyond = 1000
	mostEmpty  = 100
	mostOld    = 10
	mostStuck  = 8
)

// Pages returns the pages of one list, one after the other. *sink.FriendReader implements it. After
// an error, Next returns the same page.
type Pages interface {
	Next(ctx context.Context) (sink.Page, error)
	Last() bool // the page that Next returned last is the last one
}

// Reading reads one list. It must not be used concurrently.
type Reading struct {
	open  func() Pages
	seed  maphash.Seed
	again bool   // this is the second pass
	doubt string // what was odd about it

	// Of the present pass.
	pages      Pages
	first      numbers             // of its first page
	seen       map[uint64]struct{} // friends, by hash; nil before the first page
	changed    bool                // other numbers, or a friend that came twice
	empty, old int                 // pages since the last new friend: without a friend, without a new one
	stuck      int                 // answers in a row that lead nowhere
}

// numbers is what the pages of a list have in common while it does not change.
type numbers struct{ friends, standard, custom int64 }

// New returns a Reading. open returns the pages from the first one on; it is called again for the
// second pass. New sends nothing.
func New(open func() Pages) *Reading {
	return &Reading{open: open, seed: maphash.MakeSeed(), pages: open()}
}

// Doubt says why the list may not be what was passed, or returns "". Call it after the list was
// read.
func (r *Reading) Doubt() string { return r.doubt }

// Step makes one call and passes each new friend of the page to take. done reports that the friends
// passed since the last call of forget are the list. Step calls forget when a second pass begins:
// the friends so far are then void. The error is that of take, or that of the call, after which
// Step may be called again.
func (r *Reading) Step(ctx context.Context, take func(*sink.Friend) error, forget func()) (done bool, err error) {
	page, err := r.pages.Next(ctx)
	if stuck := (*sink.StuckError)(nil); errors.As(err, &stuck) {
		if r.stuck++; r.stuck == mostStuck { // each was a retry, so a second pass would not help
			r.doubt = fmt.Sprintf("%s, %d times in a row", stuck.Info, r.stuck)
			return true, nil
		}
	}
	if err != nil {
		return false, err
	}
	defer page.Release()
	r.stuck = 0
	now := numbers{page.FriendNum, page.Standard, page.Custom}
	if r.seen == nil {
		r.seen, r.first = map[uint64]struct{}{}, now
	}
	r.changed = r.changed || now != r.first
	before := len(r.seen)
	for i := range page.Friends {
		name := maphash.String(r.seed, page.Friends[i].To)
		if _, twice := r.seen[name]; twice {
			r.changed = true
			continue
		}
		r.seen[name] = struct{}{}
		if err := take(&page.Friends[i]); err != nil {
			return false, err
		}
	}
	came := int64(len(r.seen))
	switch {
	case len(r.seen) > before:
		r.empty, r.old = 0, 0
	case len(page.Friends) > 0:
		r.old++
	default:
		r.empty++
	}
	switch {
	case r.pages.Last() && came != now.friends:
		return r.odd(forget, fmt.Sprintf("FriendNum is %d and %d came", now.friends, came))
	case r.pages.Last() && r.changed:
		return r.odd(forget, "the list changed while it was read")
	case r.pages.Last():
		return true, nil
	case r.old == mostOld || came > 2*max(r.first.friends, now.friends)+mostBeyond:
		return r.odd(forget, fmt.Sprintf("the list does not end: FriendNum is %d and %d came", now.friends, came))
	case r.empty >= mostEmpty && len(page.Friends) == 0:
		info := fmt.Sprintf("%d pages of the friend list in a row brought no friend", r.empty)
		return false, &migrate.CallError{Verdict: migrate.VerdictRetry, Info: info}
	}
	return false, nil
}

// odd ends a pass for a reason. A second pass follows the first one; after it the list is doubtful.
func (r *Reading) odd(forget func(), doubt string) (done bool, err error) {
	if r.again {
		r.doubt = doubt
		return true, nil
	}
	*r = Reading{open: r.open, seed: r.seed, again: true, pages: r.open()}
	forget()
	return false, nil
}

// A long list takes many calls, and each may fail temporarily. A call that fails after a page was
// read is retried here, so that a list does not count as unreachable while it makes progress. A
// call that fails at once is returned to the caller, which handles outages.
const (
	inPlace    = 3 // times in a row
	firstPause = 100 * time.Millisecond
)

// Read makes calls until the whole list is read. Its arguments and its error are those of Step.
// After an error of a call it may be called again and continues.
func (r *Reading) Read(ctx context.Context, take func(*sink.Friend) error, forget func()) error {
	progress, failed := false, 0
	for {
		done, err := r.Step(ctx, take, forget)
		switch {
		case err == nil && done:
			return nil
		case err == nil:
			progress, failed = true, 0
			continue
		case !progress || failed == inPlace || !passing(err):
			return err
		}
		failed++
		if migrate.Sleep(ctx, time.Duration(rand.Int64N(int64(firstPause<<failed)))) != nil {
			return err
		}
	}
}

func passing(err error) bool {
	var call *migrate.CallError
	return errors.As(err, &call) && (call.Verdict == migrate.VerdictRetry || call.Verdict == migrate.VerdictThrottle)
}
