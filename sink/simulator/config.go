package simulator

import "time"

// Config describes the simulated app, its limits, how it reads what the vendor leaves open, and
// what goes wrong. The zero value of each field is what the vendor documents or, where it documents
// nothing, the reading that is named first. A Server never changes the maps and slices of its
// Config and expects the same of its owner: replace them (Server.Reconfigure).
//
// Times of schedules and windows count from the start: the first call or, where an outage refuses
// connections, the first connection (Server.Start sets it earlier). So a rehearsal's timetable does
// not depend on how long it took to type the command.
type Config struct {
	App
	Limits
	Readings
	Faults

	Seed uint64 // draws every share; two servers with one seed and the same calls per account treat them alike

	// Latency is how long the service works on a call, Jitter the most that is added to it, evenly
	// spread. Over a loopback it stands for the way there and back too. The account of a
	// friend_import is busy for as long, whether the client waits for the answer or not.
	Latency, Jitter time.Duration

	// Compact keeps 8 bytes of hash per edge, and some per account: presence, counts and digest
	// stay exact but for a chance of collision of n²/2⁶⁵ over n edges; fields and lists are gone,
	// so friend_get answers 30006 for an account with friends, and Graph yields nothing.
	Compact bool

	// Observe is told about every call before the last byte of its answer is written or, without an
	// answer, when it has ended; from several goroutines. Tests use it as a log. It may call
	// methods of the Server.
	Observe func(Call)

	// Script decides the fate of a call before outages and shares do; nil leaves it alone. A fault
	// under which the service does not work comes before all checks (the call has counted towards
	// the limit all the same). It sees the call as Observe does, without the answer. Tests use it
	// to hit one position.
	Script func(Call) *Fault

	shares []share // Faults in the order in which they are drawn
}

// App is what was set up in the console.
type App struct {
	SDKAppID   uint64
	Key        string      // secret key of the app
	KeyChanges []KeyChange // from At on only this key signs; 70009 for the one before
	Identifier string      // the app's admin; empty: administrator

	Accounts     func(id string) bool // which accounts were imported; nil: all
	Missing      Set                  // accounts that don't exist although Accounts says so
	Refused      Set                  // accounts that multiaccount_import names in FailAccounts
	MissingShare float64              // share of all accounts that don't exist, by hash of the id

	CustomTags  Set // custom friend fields created in the console; nil: any
	MissingTags Set // custom friend fields that were not created although CustomTags has them: 30001 for the whole call

	AdminCode    int    // answer to a valid signature of somebody who is no admin: 60010 (0), 30004 or 70403
	AdminRemoved []Span // the admin account does not exist for these calls: 70107
}

// Span is some calls in a row, by their number (from 1): From inclusive, To exclusive; To 0 has no
// end.
type Span struct{ From, To int64 }

// KeyChange replaces the secret key.
type KeyChange struct {
	At  time.Duration
	Key string
}

// Limits of the service. 0 is the documented value, below 0 is no limit, except for Limit and
// MaxBody.
type Limits struct {
	Limit        float64       // calls in any sliding second, over all APIs together; 0: no limit. Below 1 it is one call in 1/Limit seconds
	LimitChanges []LimitChange // from At on another Limit
	PerAPI       bool          // each API has a counter of its own
	CountRefused bool          // refused calls count as well
	// a second limit for account_check and the account imports alone (the vendor says 100); 0: none
	AccountLimit float64
	// what a call over the limit is answered: 60007 (0), another code, or 429 for the HTTP status
	ThrottleCode int
	RetryAfter   string // header of a 429; empty: none
	Volume       int64  // after so many calls 60028; 0: never

	MaxAccounts int   // imported here; one more is refused with 70398 (a trial plan holds 100); 0: no limit
	MaxFriends  int   // of a user: 3000 (0)
	MaxGroups   int   // of a user: 32 (0)
	MaxBody     int64 // bytes of a request body, over it HTTP 413; 0: 64 MiB
	// the service answers 60008 after this long and goes on working (the vendor: 3 s); 0: never
	GiveUp time.Duration
	// so many wrong signatures within a minute, and 70050 is the answer for a minute; 0: never
	SigLock int
}

// LimitChange replaces Limits.Limit.
type LimitChange struct {
	At    time.Duration
	Limit float64
}

// Readings chooses where the vendor's pages leave room.
type Readings struct {
	Reimport       Reimport
	KeepFields     bool // a friend that is imported again keeps its old fields; false: overwritten
	DuplicateTo    DuplicateTo
	SelfTo         SelfTo
	Order          Order
	PageSize       int  // of friend_get: 100 (0)
	NoAddTime      bool // an omitted AddTime stays absent; false: the time of the import
	FullRefuses    bool // 30010 and 30011 refuse the whole call; false: the items that don't fit
	ConflictItems  bool // 30008 is said of each item in an OK envelope; false: of the whole call
	RefuseIntegers bool // an integer as the value of a custom field is an illegal value
	NoFailAccount  bool // Fail_Account is never there
	RequestID      bool // answers carry a RequestId
	// an account stays busy for so long after an answer (or after the effect of a call without one)
	BusyAfter time.Duration
}

// Reimport is the answer to a friend that is there already.
type Reimport uint8

// The answers to a friend that is there already.
const (
	ReimportSuccess Reimport = iota // ResultCode 0
	ReimportAlready                 // 30015
	ReimportExist                   // 30001 with Friend_Exist in its text
	ReimportSister                  // 30001 with Already_Exist in its text, as a sister API answers
)

// DuplicateTo is the treatment of a To_Account that stands twice in one call.
type DuplicateTo uint8

// The treatments of a To_Account that stands twice in one call.
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

// The orders of ResultItem and InfoItem.
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
