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

// MostAgain is how often a list that changed while it was read is read again.
const MostAgain = 5

// ErrChanging is the error of a list that changes faster than it can be read.
var ErrChanging = errors.New("the friend list changed each time while it was read")

// ErrEndless is the error of a list that goes on far beyond its FriendNum twice, or that has a page
// that leads nowhere again and again.
var ErrEndless = errors.New("the friend list does not end")

// The limits of a reading: friends beyond twice FriendNum (others may add friends meanwhile), pages
// in a row without a friend, pages in a row without a new friend, and times in a row that a page
// leads nowhere.
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
	pages Pages
	again int // earlier readings
	seed  maphash.Seed

	// Of the present reading.
	begun            bool  // a page was read
	count            int64 // friends so far, repeated ones too
	friends          int64 // FriendNum of its first page
	lastFriends      int64 // the same of its last page
	standard, custom int64 // sequences of its first page
	empty, old       int   // pages since the last new friend: without a friend, without a new one
	stuck            int   // answers in a row that lead nowhere
	changed          bool
	seen             map[uint64]struct{} // friends, by hash
	content          maphash.Hash

	last, lastCount uint64 // digest and number of friends of the previous reading
	endless         bool   // the previous reading did not end
	distinct        int64  // different friends of the accepted reading
}

// Counts returns the number of different friends in the list, and the number by FriendNum. They
// differ if two consecutive readings agreed with each other but not with FriendNum. Call it after
// the list was read.
func (r *Reading) Counts() (came, said int64) {
	if r.friends != r.distinct {
		return r.distinct, r.friends
	}
	return r.distinct, r.lastFriends
}

// New returns a Reading. open returns the pages from the first one on; it is called again for each
// further reading. New sends nothing.
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

// Step makes one call and passes each friend of the page to take. done reports that the friends
// passed since the last call of forget are the list. Step calls forget if the list has changed: the
// friends so far are then void. The error is ErrChanging, ErrEndless, that of take, or that of the
// call, after which Step may be called again.
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

// finish decides whether a reading that has reached the last page is accepted.
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
