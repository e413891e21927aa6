package simulator

import "time"

// Config describes the simulated app, its limits, its behaviour where the vendor's pages are
// silent, and what goes wrong. The usage texts of the flags describe its fields (Config.Flags).
//
// The zero value of a field is what the vendor documents or, if that is nothing, the first value of
// its type. A limit of 0 is the documented limit, and a limit below 0 is none. Limits in calls a
// second and MaxBody differ: 0 means no limit.
//
// Maps and slices are replaced, never changed (Server.Reconfigure). Times of schedules and windows
// count from the start: the first call or, during an outage that refuses connections, the first
// connection (Server.Start sets it earlier).
type Config struct {
	App
	Limits
	Readings
	Faults

	Seed uint64 // two servers with the same seed treat the same calls of an account alike

	// Latency is the time that the service works on a call. Jitter is the most that is added to it.
	// Over loopback they also replace the network's latency. A friend_import keeps its account busy
	// for that time, whether the client waits for the answer or not.
	Latency, Jitter time.Duration

	// Compact keeps only hashes: 8 bytes an edge, some 12 with room to grow. Presence, counts and
	// digest stay exact except for a chance of collision of n²/2⁶⁵ over n edges. Fields and lists
	// are not kept, so friend_get answers 30006 for an account with friends, and Graph yields
	// nothing.
	Compact bool

	// Observe is called for every call, from several goroutines, before the last byte of its answer
	// is written or, without an answer, when the call has ended. It may call methods of the Server.
	Observe func(Call)

	// Script chooses the fault of a call before outages and shares do; nil leaves the call alone. A
	// fault under which the service does not work comes before all checks, but the call has counted
	// towards the limit. Script sees the call as Observe does, without the answer.
	Script func(Call) *Fault

	calls, items []rule // from Faults, in the order in which they are drawn
}

// App is the app's settings in the console.
type App struct {
	SDKAppID   uint64
	Key        string // secret key of the app
	Identifier string // the app's admin; empty: administrator

	Accounts         func(id string) bool // reports whether an account was imported; nil: all are
	Missing, Refused Set                  // accounts
	MissingShare     float64              // by hash of the id

	MissingTags  Set // custom friend fields
	AdminRemoved []Span
}

// Range is a range of time or of calls: From is included, To is not; To 0 means no end.
type Range[T int64 | time.Duration] struct{ From, To T }

// Window is a range of time since the start. The zero Window is always open.
type Window = Range[time.Duration]

// Span is a range of calls, by their number from 1.
type Span = Range[int64]

func (r Range[T]) has(at T) bool { return at >= r.From && (r.To == 0 || at < r.To) }

// Change sets a limit at a time since the start.
type Change struct {
	At time.Duration
	To float64
}

// Limits are the limits of the service.
type Limits struct {
	Limit        float64 // calls in any sliding second; below 1 it is one call in 1/Limit seconds
	LimitChanges []Change
	AccountLimit float64
	DeleteLimit  float64
	CountRefused bool
	ThrottleCode int
	RetryAfter   string

	MaxAccounts, MaxFriends, MaxGroups int
	MaxBody                            int64
}

// Readings chooses the behaviour where the vendor's pages leave it open.
type Readings struct {
	Reimport    Reimport
	DuplicateTo DuplicateTo
	SelfTo      SelfTo
	Order       Order
	PageSize    int
	BusyAfter   time.Duration

	KeepFields, NoAddTime, FullRefuses, ConflictItems, NoFailAccount bool
}

// Reimport is the answer to the import of an existing friend.
type Reimport uint8

// The answers to the import of an existing friend.
const (
	ReimportSuccess Reimport = iota // ResultCode 0
	ReimportAlready                 // 30015
	ReimportExist                   // 30001 with Friend_Exist in its text
	ReimportSister                  // 30001 with Already_Exist in its text, as a sister API answers
)

// DuplicateTo is the treatment of a To_Account that occurs twice in one call.
type DuplicateTo uint8

// The treatments of a To_Account that occurs twice.
const (
	DuplicateEach DuplicateTo = iota // each is imported in turn and has a ResultItem
	DuplicateOnce                    // the last one is imported, one ResultItem
	DuplicateItem                    // the later ones fail with 30001
	DuplicateCall                    // the whole call fails with 30001
)

// SelfTo is the treatment of From_Account as a To_Account.
type SelfTo uint8

// The treatments of From_Account as a To_Account.
const (
	SelfItem   SelfTo = iota // the item fails with 30001
	SelfCall                 // the whole call fails with 30001
	SelfAccept               // imported as any other
)

// Order is the order of ResultItem and InfoItem.
type Order uint8

// The orders of an answer.
const (
	OrderRequest Order = iota
	OrderShuffled
	OrderReversed
	OrderSorted
)

// Set is a set of strings; a nil Set is empty.
type Set map[string]struct{}

// NewSet makes a set.
func NewSet(members ...string) Set {
	s := make(Set, len(members))
	for _, m := range members {
		s[m] = struct{}{}
	}
	return s
}

// Has reports whether m is in the set.
func (s Set) Has(m string) bool { _, ok := s[m]; return ok }
