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

// MostAgain is how often a list is read again that has changed while it was read.
const MostAgain = 5

// ErrChanging is the error of a list that changes faster than it can be read.
var ErrChanging = errors.New("the friend list changed each time while it was read")

// ErrEndless is the error of a list that goes on far beyond its FriendNum, also when it is read
// once more, or whose page leads nowhere again and again.
var ErrEndless = errors.New("the friend list does not end")

// What a list may hold beyond twice its FriendNum, since others may add friends meanwhile, how many
// pages in a row may bring no friend or only ones that came before, and how often in a row a page
// may lead nowhere.
const (
	mostBeyond = 1000
	mostEmpty  = 100
	mostOld    = 10
	mostStuck  = 8
)

// Pages gives the pages of one list, one after the other. *sink.FriendReader does; after an error
// it may be asked for the same page again.
type Pages interface {
	Next(ctx context.Context) (sink.Page, error)
	Last() bool // the page that was given last is the last one
}

// Reading reads one list. It belongs to one goroutine at a time.
type Reading struct {
	open  func() Pages
	pages Pages
	again int // readings before this one
	seed  maphash.Seed

	// Of the present reading.
	begun            bool  // a page was read
	count            int64 // friends that came, also repeated ones
	friends          int64 // FriendNum of its first page
	lastFriends      int64 // the same of its last page
	standard, custom int64 // sequences of its first page
	empty, old       int   // pages without a friend, and without a new one, since the last that had one
	stuck            int   // answers in a row that led nowhere
	changed          bool
	seen             map[uint64]struct{} // friends, by hash
	content          maphash.Hash

	last, lastCount uint64 // digest and number of the reading before
	endless         bool   // the reading before was given up for never ending
	distinct        int64  // different friends of the reading that was believed
}

// Counts tells how many different friends the list held and how many it holds by FriendNum. They
// differ where two readings in a row agreed with each other and not with FriendNum. It may be
// called once the list was read.
func (r *Reading) Counts() (came, said int64) {
	if r.friends != r.distinct {
		return r.distinct, r.friends
	}
	return r.distinct, r.lastFriends
}

// New begins to read. open gives the pages from the first one on; it is called again for each
// further reading. Nothing is sent yet.
func New(open func() Pages) *Reading {
	r := &Reading{open: open, seed: maphash.MakeSeed()}
	r.begin()
	return r
}

func (r *Reading) begin() {
	r.pages = r.open()
	r.begun, r.count, r.empty, r.old, r.changed = false, 0, 0, 0, false
	r.seen = map[uint64]struct{}{}
	r.content.SetSeed(r.seed)
}

// Step makes one call. Each friend of the page goes to take. done: what take was given since forget
// was last called is the list. forget is called where the list turns out to have changed: what came
// so far is void. The error is ErrChanging, ErrEndless, that of take, or that of the call, after
// which Step may be called again.
func (r *Reading) Step(ctx context.Context, take func(*sink.Friend) error, forget func()) (done bool, err error) {
	page, err := r.pages.Next(ctx)
	if stuck := (*sink.StuckError)(nil); errors.As(err, &stuck) {
		if r.stuck++; r.stuck == mostStuck {
			return false, fmt.Errorf("%w: %v, %d times in a row", ErrEndless, stuck, r.stuck)
		}
	}
	if err != nil {
		return false, err
	}
	defer page.Release()
	r.stuck = 0
	if !r.begun {
		r.begun, r.friends, r.standard, r.custom = true, page.FriendNum, page.Standard, page.Custom
	}
	r.lastFriends = page.FriendNum
	r.changed = r.changed || page.FriendNum != r.friends || page.Standard != r.standard || page.Custom != r.custom
	before := len(r.seen)
	for i := range page.Friends {
		f := &page.Friends[i]
		r.note(f)
		if err := take(f); err != nil {
			return false, err
		}
	}
	switch {
	case len(r.seen) > before:
		r.empty, r.old = 0, 0
	case len(page.Friends) > 0:
		r.old++
	default:
		r.empty++
	}
	said := max(r.friends, r.lastFriends)
	switch {
	case r.pages.Last():
		return r.finish(forget)
	case r.empty >= mostEmpty && len(page.Friends) == 0:
		info := fmt.Sprintf("%d pages of the friend list in a row brought no friend", r.empty)
		return false, &migrate.CallError{Verdict: migrate.VerdictRetry, Info: info}
	case r.old < mostOld && r.count <= 2*said+mostBeyond:
	case r.endless:
		return false, fmt.Errorf("%w: FriendNum is %d, but %d friends came", ErrEndless, said, r.count)
	default:
		r.endless = true
		r.restart(forget)
	}
	return false, nil
}

func (r *Reading) note(f *sink.Friend) {
	r.count++
	name := maphash.String(r.seed, f.To)
	if _, twice := r.seen[name]; twice {
		r.changed = true
	}
	r.seen[name] = struct{}{}
	text := func(s string) {
		r.content.WriteString(s)
		r.content.WriteByte(0xff) // no UTF-8 has it
	}
	text(f.To)
	for _, v := range f.Values {
		text(v.Tag)
		text(string(v.JSON))
	}
	r.content.WriteByte(0xfe)
}

// finish judges a reading that has reached the last page.
func (r *Reading) finish(forget func()) (bool, error) {
	digest, count := r.content.Sum64(), uint64(r.count)
	if !r.changed && r.count == r.friends || r.again > 0 && digest == r.last && count == r.lastCount {
		r.distinct, r.seen = int64(len(r.seen)), nil
		return true, nil
	}
	if r.again == MostAgain {
		return false, ErrChanging
	}
	r.last, r.lastCount = digest, count
	r.restart(forget)
	return false, nil
}

func (r *Reading) restart(forget func()) {
	r.again++
	r.begin()
	forget()
}

// A long list takes many calls, and each may fail in passing. One that fails behind a page that was
// read is made again here, so that a list is not taken for unreachable while it makes progress; one
// that fails at once is for whoever knows about outages.
const (
	inPlace    = 3 // so many times in a row
	firstPause = 100 * time.Millisecond
)

// Read makes calls until the whole list is read. Its arguments and its error are those of Step.
// After an error of a call it may be called again, and goes on.
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
